"""After a run: ledger, page, paper and supplement, what is not as it should be, and the expected
values.

The values of the current records become the expected ones, which are committed, where that is asked
for (`expect`).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from verdicts.claims.schema import Group, Profile
from verdicts.errors import UserError
from verdicts.records.expected import (
    FOLDER,
    Moved,
    compare,
    expected_of,
    expected_path,
    judged,
    read_expected,
)
from verdicts.records.figures import draws_stills
from verdicts.records.files import NotCurrent, canonical_json, sha256_of, write_whole
from verdicts.records.keys import KeyParts
from verdicts.records.ledger import Ledger, collect
from verdicts.records.provenance import Stopwatch
from verdicts.records.record import (
    Artefacts,
    Record,
    artefacts_at,
    current_artefacts,
    current_record,
)
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import PACKAGE_ROOT, Workspace
from verdicts.run.calibration import calibrated
from verdicts.run.plan import artefacts_of

PAPER, PUBLISHED = "paper.pdf", "published.json"


class Published(NamedTuple):
    """The ledger, the place of the page, whether paper and supplement are as current, and what
    kept them from it.
    """

    ledger: Ledger
    page: Path
    typeset: bool
    reason: str


def publish(workspace: Workspace) -> Published:
    """Write `ledger.json`, pages, paper and supplement, each whole. Raises OSError.

    The documents are left as they are where they are whole and nothing that they are made from has
    changed. A run of chosen claims leaves paper and supplement to the next whole one, since its
    page is waited for.
    """
    ledger, watch = judged(workspace), Stopwatch()
    ledger.write(workspace.folder / "ledger.json")
    parts, place = _parts(workspace, ledger), workspace.folder / PUBLISHED
    made, run = artefacts_at(place, parts), RunRecord.last(workspace)
    whole = run is None or len(run.selected) == len(ledger.claims)
    if made is None or made.reason or (whole and PAPER not in made.files):
        documents, reason = _documents(workspace, ledger, whole)
        for name, content in documents.items():
            write_whole(workspace.folder / name, content)
        files = {name: sha256_of(content) for name, content in documents.items()}
        provenance = watch.provenance(
            workspace.environment, workspace.profile, parts.config, run.id if run else ""
        )
        made = Artefacts.of("report", parts, provenance, files=files, reason=reason)
        made.write(place)
    return Published(ledger, workspace.folder / "report.html", PAPER in made.files, made.reason)


def _documents(
    workspace: Workspace, ledger: Ledger, whole: bool
) -> tuple[dict[str, str | bytes], str]:
    """Return pages by name; if `whole` paper and supplement too, or why they cannot be had."""
    from verdicts.report import page  # half a second to import, and of no use to a list or a job

    pages = page.build(workspace, ledger)
    if not whole:
        return {**pages}, ""
    from verdicts.report import paper

    try:
        return {**pages, **paper.build(workspace, ledger)}, ""
    except paper.NotSet as error:
        return {**pages}, str(error)


def _parts(workspace: Workspace, ledger: Ledger) -> KeyParts:
    """Return what the documents depend on: claims, records, figures, benchmarks, texts,
    the engine.
    """
    rows = [row.model_dump(mode="json", exclude={"computed"}) for row in ledger.claims]
    benchmarks = workspace.folder.parent / Profile.BENCH / "records"
    folders = {
        "paper": workspace.root / "paper",
        "engine": PACKAGE_ROOT / "verdicts",
        "benchmarks": benchmarks,
    }
    files = {
        f"{name}/{file.relative_to(folder).as_posix()}": file
        for name, folder in folders.items()
        for file in folder.rglob("*.*")
        if file.suffix not in {".pyc", ".pdf"}
    }
    for group in workspace.claims.group:
        for path in (
            workspace.figures_path(group),
            workspace.page_path(group),
            workspace.study_path(group),
        ):
            files[f"results/{path.relative_to(workspace.folder).as_posix()}"] = path
    claims = workspace.all_claims.model_dump(mode="json")
    return KeyParts(
        entry=sha256_of(canonical_json(rows)),
        config=sha256_of(canonical_json([claims, draws_stills()])),
        sources={
            name: sha256_of(file.read_bytes()) for name, file in files.items() if file.is_file()
        },
        data={},
        device=workspace.device,
    )


def faults(workspace: Workspace, only: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield `(name, reason)` of every record, study, figure, page or document that may not be shown
    as current.

    A claim that could not be run is no fault; one that failed is. Documents are compared, byte for
    byte, with what the records give. With `only`, the claims so named (ids or groups) are looked at
    alone.
    """
    for claim in workspace.claims.select(only):
        if workspace.profile in claim.profiles:
            path, parts = workspace.record_path(claim), workspace.record_parts(claim)
            yield from _fault(claim.id, partial(current_record, claim, path, parts))
    if not only:
        groups = workspace.claims.group
        yield from artefact_faults(
            workspace, [group for group in groups if workspace.claims_here(group)]
        )
        yield from _document_faults(workspace)


def artefact_faults(workspace: Workspace, groups: Iterable[Group]) -> Iterator[tuple[str, str]]:
    """Yield `(name, reason)` of these groups' studies, figures and notebook pages that are not
    current.
    """
    for group in groups:
        for kind, artefact in artefacts_of(workspace, group).items():
            yield from _fault(f"{kind} of {group.id}", partial(current_artefacts, *artefact))


def _fault(name: str, current: Callable[[], Record | Artefacts]) -> Iterator[tuple[str, str]]:
    """Yield why what is read by `current` may not be shown, if so."""
    try:
        made = current()
    except NotCurrent as reason:
        yield name, str(reason)
    else:
        if made.failed:
            yield name, made.reason


def _document_faults(workspace: Workspace) -> Iterator[tuple[str, str]]:
    ledger = judged(workspace)
    documents, reason = _documents(workspace, ledger, whole=True)
    if reason:
        yield PAPER, reason
    for name, content in {"ledger.json": ledger.to_bytes(), **documents}.items():
        path = workspace.folder / name
        if not path.is_file():
            yield name, "missing"
        elif sha256_of(path.read_bytes()) != sha256_of(content):
            yield name, "not what the records give"


def expect(workspace: Workspace, say: Callable[[str], None]) -> int:
    """Write `paper/expected/<profile>.json` from the current records; say what moved.

    The values of claims that have no record now stay, with what made them. Returns 0. Raises
    UserError where no claim has a record or the file cannot be written.
    """
    profile = workspace.profile
    ledger, before = collect(workspace), read_expected(workspace.root, profile)
    try:
        measured = expected_of(ledger, *_seconds(workspace), calibrated())
    except ValueError as reason:
        advice = f"run `{workspace.project.command} reproduce --profile {profile}` first"
        raise UserError(f"{workspace.folder}: {reason}; {advice}") from reason
    for each in compare(workspace.claims, ledger, before) if before else ():
        if each.moved is Moved.MOVED and each.expected and each.result:
            say(f"{each.check}: {each.expected.value:.6g} before, {each.result.value:.6g} now")
    values = measured.completed(before, workspace.claims) if before else measured
    claims = [row.id for row in ledger.claims]
    for label, names in (
        ("of an earlier run", [name for name in values.claims if name not in measured.claims]),
        ("without a value", [name for name in claims if name not in values.claims]),
    ):
        if names:
            say(f"{label}: {', '.join(names)}")
    path = expected_path(workspace.root, profile)
    try:
        values.write(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    say(f"{len(values.claims)} claims: {FOLDER}/{path.name}")
    return 0


def _seconds(workspace: Workspace) -> tuple[dict[str, float], float]:
    """Return the seconds of each current study, and those of figures, notebook pages and
    documents.
    """
    published = Artefacts.read_or_none(workspace.folder / PUBLISHED)
    studies, beside = dict[str, float](), published.provenance.seconds if published else 0.0
    for group in workspace.claims.group:
        for kind, artefact in artefacts_of(workspace, group).items():
            made = artefacts_at(*artefact)
            if made and kind == "study":
                studies[group.id] = made.provenance.seconds
            elif made:
                beside += made.provenance.seconds
    return studies, beside
