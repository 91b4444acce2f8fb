"""The values of the current records become the expected ones, which are committed."""

from collections.abc import Callable

from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.expected import FOLDER, Moved, compare, expected_of, expected_path, read_expected
from verdicts.records.files import write_whole
from verdicts.records.ledger import collect
from verdicts.records.record import artefacts_at
from verdicts.records.workspace import Workspace
from verdicts.report.report_texts import load_findings
from verdicts.run.forecast import calibrated
from verdicts.run.plan import Artefact, artefacts_of

FIGURE = "paper/answer.svg"


def expect(workspace: Workspace, say: Callable[[str], None]) -> int:
    """Write `paper/expected/<profile>.json` from the current records, and what README says of it; say what moved.

    The values of claims that have no record now stay, with the date and commit of their run. Returns 0. Raises
    UserError where no claim has a record or the file cannot be written.
    """
    from verdicts.report import readme_blocks

    profile = workspace.profile
    ledger, path = collect(workspace), expected_path(workspace.root, profile)
    try:
        values = expected_of(ledger, *_seconds(workspace), calibrated())
    except ValueError as reason:
        raise UserError(
            f"{workspace.folder}: {reason}; run `{workspace.project.command} reproduce --profile {profile}` first"
        ) from reason
    before = read_expected(workspace.root, profile)
    for each in compare(workspace.claims, ledger, before) if before else ():
        if each.moved is Moved.MOVED and each.expected and each.result:
            say(f"{each.check}: {each.expected.value:.6g} before, {each.result.value:.6g} now")
    values = values.completed(before, workspace.claims) if before else values
    if kept := [name for name, claim in values.claims.items() if claim.earlier]:
        say(f"of an earlier run: {', '.join(kept)}")
    if absent := [row.id for row in ledger.claims if row.id not in values.claims]:
        say(f"without a value: {', '.join(absent)}")
    try:
        values.write(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    say(f"{len(values.claims)} claims: {FOLDER}/{path.name}")
    for name in [*_keep_figure(workspace), *readme_blocks.write(workspace.root)]:
        say(f"written: {name}")
    return 0


def _keep_figure(workspace: Workspace) -> list[str]:
    """Keep the figure that illustrates the answer, where it was drawn now; return the file's name if it changed.

    A quick run's, which has fewer points, replaces none.
    """
    from verdicts.report.views import groups_of

    wanted = load_findings(workspace.root, workspace.all_claims).answer.figure
    for view in groups_of(workspace):
        for figure in view.figures:
            if figure.file.stem == wanted:
                drawn = (workspace.folder / view.folder / figure.file).read_bytes()
                place = workspace.root / FIGURE
                if not place.is_file() or (workspace.profile != Profile.QUICK and place.read_bytes() != drawn):
                    write_whole(place, drawn)
                    return [FIGURE]
    return []


def _seconds(workspace: Workspace) -> tuple[dict[str, float], float]:
    """Return the seconds of each study that is current, and those of all figures, tables and notebook pages."""
    made = {group.id: artefacts_of(workspace, group) for group in workspace.claims.group}
    current = {group: artefacts_at(*each.study) for group, each in made.items() if each.study}
    studies = {group: study.provenance.seconds for group, study in current.items() if study}
    return studies, sum(_took(artefacts.figures) + _took(artefacts.page) for artefacts in made.values())


def _took(artefact: Artefact | None) -> float:
    """Return the seconds that went into an artefact, 0 where there is none that is current."""
    made = artefacts_at(*artefact) if artefact else None
    return made.provenance.seconds if made else 0.0
