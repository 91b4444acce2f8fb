"""After a run: the ledger's file, page and paper, and what is not as it should be."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from verdicts.claims.schema import Claim, Group
from verdicts.records.checksummed import NotCurrent
from verdicts.records.files import sha256_of
from verdicts.records.keys import KeyParts
from verdicts.records.ledger import Ledger, collect
from verdicts.records.record import current_artefacts, current_record
from verdicts.records.workspace import Workspace
from verdicts.run.plan import artefacts_of


class Published(NamedTuple):
    """The ledger, the places of page and paper, and why there is no paper (empty: there is)."""

    ledger: Ledger
    page: Path
    paper: Path
    reason: str


def publish(workspace: Workspace) -> Published:
    """Write `ledger.json`, page and paper, each whole, whatever becomes of the next. Raises OSError."""
    from verdicts.report import page, paper  # a second to import, and of no use to a list or a job

    ledger = collect(workspace)
    ledger.write(workspace.folder / "ledger.json")
    place, reason = page.write(workspace, ledger), ""
    try:
        paper.write(workspace, ledger)
    except paper.NotSet as error:
        reason = str(error)
    return Published(ledger, place, workspace.folder / "paper.pdf", reason)


def faults(workspace: Workspace, only: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield `(name, reason)` of every record, study, figure, page or document that may not be shown as current.

    A claim that could not be run is no fault; one that failed is. Documents are compared, byte for byte, with what
    the records give. With `only`, the claims so named (ids or groups) are looked at alone.
    """
    for claim in workspace.claims.select(only):
        if workspace.profile in claim.profiles and (reason := _record_fault(workspace, claim)):
            yield claim.id, reason
    if not only:
        groups = workspace.claims.group
        yield from artefact_faults(workspace, [group for group in groups if workspace.claims_here(group)])
        yield from _document_faults(workspace)


def _record_fault(workspace: Workspace, claim: Claim) -> str:
    try:
        record = current_record(claim, workspace.record_path(claim), workspace.record_parts(claim))
    except NotCurrent as reason:
        return str(reason)
    return record.reason if record.failed else ""


def artefact_faults(workspace: Workspace, groups: Iterable[Group]) -> Iterator[tuple[str, str]]:
    """Yield `(name, reason)` of these groups' studies, figures and notebook pages that are not current."""
    for group in groups:
        for kind, artefact in zip(("study", "figures", "notebook page"), artefacts_of(workspace, group), strict=True):
            if artefact:
                yield from _artefact_fault(f"{kind} of {group.id}", *artefact)


def _artefact_fault(name: str, path: Path, parts: KeyParts) -> Iterator[tuple[str, str]]:
    try:
        artefacts = current_artefacts(path, parts)
    except NotCurrent as reason:
        yield name, str(reason)
        return
    if artefacts.failed:
        yield name, artefacts.reason


def _document_faults(workspace: Workspace) -> Iterator[tuple[str, str]]:
    from verdicts.report import page, paper

    ledger = collect(workspace)
    documents: dict[str, str | bytes] = {"ledger.json": ledger.to_bytes(), **page.build(workspace, ledger)}
    try:
        documents |= paper.build(workspace, ledger)
    except paper.NotSet as error:
        yield "paper.pdf", str(error)
    for name, content in documents.items():
        path = workspace.folder / name
        if not path.is_file():
            yield name, "missing"
        elif sha256_of(path.read_bytes()) != sha256_of(content):
            yield name, "not what the records give"
