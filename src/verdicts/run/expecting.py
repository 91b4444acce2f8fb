"""The values of the current records become the expected ones, which are committed."""

from __future__ import annotations

from collections.abc import Callable

from verdicts.errors import UserError
from verdicts.records.checksummed import NotCurrent
from verdicts.records.collect import collect
from verdicts.records.expected import FOLDER, Moved, compare, expected_of, expected_path, read_expected
from verdicts.records.record import current_artefacts
from verdicts.records.workspace import Workspace


def expect(workspace: Workspace, say: Callable[[str], None]) -> int:
    """Write `paper/expected/<profile>.json` from the current records, and what README says of it; say what moved.

    Returns 0. Raises UserError where no claim has a record or the file cannot be written.
    """
    from verdicts.report import readme_blocks

    profile = workspace.profile
    ledger, path = collect(workspace), expected_path(workspace.root, profile)
    try:
        found = expected_of(ledger, _beside(workspace))
    except ValueError as reason:
        raise UserError(
            f"{workspace.folder}: {reason}; run `{workspace.project.command} reproduce --profile {profile}` first"
        ) from reason
    before = read_expected(workspace.root, profile)
    for each in compare(workspace.claims, ledger, before) if before else ():
        if each.moved is Moved.MOVED and each.expected and each.result:
            say(f"{each.check}: {each.expected.value:.6g} before, {each.result.value:.6g} now")
    if absent := [row.id for row in ledger.claims if row.id not in found.claims]:
        say(f"without a value: {', '.join(absent)}")
    try:
        found.write(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    say(f"{len(found.claims)} claims: {FOLDER}/{path.name}")
    for name in readme_blocks.write(workspace.root):
        say(f"written: {name}")
    return 0


def _beside(workspace: Workspace) -> float:
    """Return the seconds that figures, tables and notebook pages took."""
    wanted = [(workspace.figures_path(group), workspace.figures_parts(group)) for group in workspace.claims.group]
    if workspace.config.notebooks:
        noted = [group for group in workspace.claims.group if group.notebook]
        wanted += [(workspace.page_path(group), workspace.page_parts(group)) for group in noted]
    seconds = 0.0
    for path, parts in wanted:
        try:
            seconds += current_artefacts(path, parts).provenance.seconds
        except NotCurrent:
            continue
    return seconds
