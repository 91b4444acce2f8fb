"""After a run: the ledger from the records on disk, its file, the report, and what is not as it should be."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ams.ledger.claims import Claim, Group
from ams.ledger.files import sha256_of
from ams.ledger.keys import KeyParts
from ams.ledger.records import NotCurrent, current_artefacts, current_record
from ams.ledger.summary import ClaimRow, Computed, Ledger, ledger_of, row_reached, row_unreached
from ams.runner.plan import Run
from ams.runner.workspace import Workspace


def collect(workspace: Workspace) -> Ledger:
    """Return the ledger of what lies on disk: only records that are whole, unedited and current are shown.

    A claim that the last run was to make, and that has no record, counts as failed.
    """
    run = Run.last(workspace)
    rows = tuple(_row(workspace, claim, run) for claim in workspace.claims.claim)
    return ledger_of(workspace.profile, run.started if run else None, rows)


class Published(NamedTuple):
    """The ledger, the places of page and paper, and why there is no paper (empty: there is)."""

    ledger: Ledger
    page: Path
    paper: Path
    reason: str


def publish(workspace: Workspace) -> Published:
    """Write `ledger.json`, page and paper, each whole, whatever becomes of the next. Raises OSError."""
    ledger = collect(workspace)
    ledger.write(workspace.folder / "ledger.json")
    page = importlib.import_module("paper.report").write(workspace, ledger)
    document, reason = importlib.import_module("paper.document"), ""
    try:
        document.write(workspace, ledger)
    except document.NotSet as error:
        reason = str(error)
    return Published(ledger, page, workspace.folder / "paper.pdf", reason)


def faults(workspace: Workspace, only: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield `(name, reason)` of every record, figure, page or document that may not be shown as current.

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


def _row(workspace: Workspace, claim: Claim, run: Run | None) -> ClaimRow:
    part = workspace.claims.group_of(claim).part
    selected = run is None or claim.id in run.selected
    if workspace.profile not in claim.profiles:
        reason = f"not part of the {workspace.profile} profile: run with --profile {claim.profiles[0]}"
        return row_unreached(claim, part, reason, selected=False, failed=False)
    try:
        record = current_record(claim, workspace.record_path(claim), workspace.record_parts(claim))
    except NotCurrent as absence:
        failed = run is not None and selected
        reason = (
            f"its run ended without a record ({absence}); logs/{claim.group}.job.log may say why"
            if failed
            else f"not selected in the last run; {absence}"
        )
        return row_unreached(claim, part, reason, selected, failed)
    fresh = run is not None and record.provenance.started >= run.started
    return row_reached(claim, part, record, Computed.COMPUTED if fresh else Computed.CACHED, selected)


def _record_fault(workspace: Workspace, claim: Claim) -> str:
    try:
        record = current_record(claim, workspace.record_path(claim), workspace.record_parts(claim))
    except NotCurrent as reason:
        return str(reason)
    return record.reason if record.failed else ""


def artefact_faults(workspace: Workspace, groups: Iterable[Group]) -> Iterator[tuple[str, str]]:
    """Yield `(name, reason)` of the figures and notebook pages of these groups that are not as they should be."""
    for group in groups:
        yield from _artefact_fault(
            f"figures of {group.id}", workspace.figures_path(group), workspace.figures_parts(group)
        )
        if group.notebook and workspace.config.notebooks:
            yield from _artefact_fault(
                f"notebook page of {group.id}", workspace.page_path(group), workspace.page_parts(group)
            )


def _artefact_fault(name: str, path: Path, parts: KeyParts) -> Iterator[tuple[str, str]]:
    try:
        found = current_artefacts(path, parts)
    except NotCurrent as reason:
        yield name, str(reason)
        return
    if found.failed:
        yield name, found.reason


def _document_faults(workspace: Workspace) -> Iterator[tuple[str, str]]:
    ledger = collect(workspace)
    page = importlib.import_module("paper.report").build(workspace, ledger)
    document = importlib.import_module("paper.document")
    try:
        paper = document.build(workspace, ledger)
    except document.NotSet as error:
        yield "paper.pdf", str(error)
        paper = {}
    for name, content in {"ledger.json": ledger.to_text(), "report.html": page, **paper}.items():
        path = workspace.folder / name
        if not path.is_file():
            yield name, "missing"
        elif sha256_of(path.read_bytes()) != sha256_of(content):
            yield name, "not what the records give"
