"""What a run was asked for, and what is left to do for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from verdicts.claims.schema import Claim, Group, Verdict
from verdicts.records.checksummed import NotCurrent
from verdicts.records.keys import KeyParts
from verdicts.records.provenance import now
from verdicts.records.record import Artefacts, Record, current_artefacts, current_record
from verdicts.records.run_record import Run
from verdicts.records.workspace import Workspace


@dataclass(frozen=True)
class PlannedClaim:
    """A claim with its current record, if it has one, and why it is to be made (empty: it is not)."""

    claim: Claim
    group: Group
    record: Record | None
    why: str


@dataclass(frozen=True)
class Plan:
    """The claims of a run with what is to be done, and the groups whose figures or notebook pages are to be made."""

    items: tuple[PlannedClaim, ...]
    figures: dict[str, str]
    pages: dict[str, str]

    @property
    def pending(self) -> tuple[PlannedClaim, ...]:
        """Return the claims that are to be made."""
        return tuple(item for item in self.items if item.why)

    @property
    def busy_groups(self) -> tuple[str, ...]:
        """Return the groups with a claim, a figure or a table to be made."""
        return tuple(dict.fromkeys([*(item.group.id for item in self.pending), *self.figures]))


def plan_of(workspace: Workspace, run: Run, only: Group | None = None) -> Plan:
    """Work out from what lies in the results' folder what `run` has still to do, of one group or of all.

    A job asks for its own group's alone: to read the sources of all takes longer than many a check.
    """
    claims = workspace.claims.of_group(only.id) if only else workspace.claims.claim
    chosen = [claim for claim in claims if claim.id in run.selected]
    items = tuple(_item(workspace, claim, run) for claim in chosen if workspace.profile in claim.profiles)
    figures: dict[str, str] = {}
    pages: dict[str, str] = {}
    for group in complete_groups(workspace, run, [only] if only else workspace.claims.group):
        if why := _why_made(workspace, workspace.figures_path(group), workspace.figures_parts(group), run, group):
            figures[group.id] = why
        if group.notebook and workspace.config.notebooks:
            why = _why_made(workspace, workspace.page_path(group), workspace.page_parts(group), run, group)
            pages |= {group.id: why} if why else {}
    return Plan(items, figures, pages)


def complete_groups(workspace: Workspace, run: Run, groups: Iterable[Group]) -> list[Group]:
    """Return those of the groups whose claims of this profile were all selected: their figures and pages are made."""
    complete = []
    for group in groups:
        claims = workspace.claims_here(group)
        if claims and all(claim.id in run.selected for claim in claims):
            complete.append(group)
    return complete


def _item(workspace: Workspace, claim: Claim, run: Run) -> PlannedClaim:
    group = workspace.claims.group_of(claim)
    try:
        record = current_record(claim, workspace.record_path(claim), workspace.record_parts(claim))
    except NotCurrent as reason:
        return PlannedClaim(claim, group, None, str(reason))
    return PlannedClaim(claim, group, record, _why_again(record, claim.id in run.forced, run))


def _why_again(record: Record | Artefacts, forced: bool, run: Run) -> str:
    """Say why a current record is to be made again: it is not worth keeping, unless this run has just made it."""
    if record.provenance.started > now():  # of a clock that was ahead: it would pass for one that this run has made
        return "it is dated in the future"
    if record.provenance.started >= run.started:
        return ""
    if forced:
        return "forced"
    if record.failed:
        return "it failed last time"
    if isinstance(record, Record) and record.verdict is Verdict.NOT_RUN and not record.settled:
        return "it could not be run last time"
    return ""


def _why_made(workspace: Workspace, path: Path, parts: KeyParts, run: Run, group: Group) -> str:
    try:
        artefacts = current_artefacts(path, parts)
    except NotCurrent as reason:
        return str(reason)
    forced = all(claim.id in run.forced for claim in workspace.claims.of_group(group.id))
    return _why_again(artefacts, forced, run)
