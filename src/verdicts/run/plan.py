"""What a run was asked for, and what is left to do for it."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from verdicts.claims.schema import Claim, Group, Verdict
from verdicts.records.expected import read_expected
from verdicts.records.files import NotCurrent
from verdicts.records.keys import KeyParts
from verdicts.records.record import Artefacts, Record, current_artefacts, current_record
from verdicts.records.run_record import RunRecord, audit_at
from verdicts.records.workspace import Workspace

FORCED, KEPT = "forced", "it rests on kept cells"
NODES = 64
"""Where the jobs are a cluster's, each of so many nodes is to have a few."""
ROUNDS = 2
"""How many shares a core has to choose from: a group of the mean cost is then no more than half
of a core's work.
"""
Artefact = tuple[Path, KeyParts]
"""The place of the record of files that belong together, and what they depend on."""


@dataclass(frozen=True)
class PlannedClaim:
    """A claim with its current record, if it has one, and why it is to be made (empty: it is
    not).
    """

    claim: Claim
    record: Record | None
    why: str


@dataclass(frozen=True)
class Plan:
    """The claims of a run with what is to be done; `studies`, `figures` and notebook `pages` say of
    each group whose are to be made why; `audits` names groups whose kept cells are to be audited
    again.
    """

    items: tuple[PlannedClaim, ...]
    studies: dict[str, str]
    figures: dict[str, str]
    pages: dict[str, str]
    audits: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[PlannedClaim, ...]:
        """Return the claims that are to be made, those that restate the paper's first."""
        return tuple(
            sorted((item for item in self.items if item.why), key=lambda item: not item.claim.paper)
        )

    @property
    def waiting(self) -> tuple[PlannedClaim, ...]:
        """Return the claims that could not be run, and that are not to be tried again yet."""
        return tuple(
            item for item in self.items if item.record and not (item.why or item.record.settled)
        )

    @property
    def busy_groups(self) -> tuple[str, ...]:
        """Return the groups with a claim, a study, a figure or a table to be made, in the order
        of the work.
        """
        return tuple(
            dict.fromkeys(
                [
                    *(item.claim.group for item in self.pending),
                    *self.studies,
                    *self.figures,
                    *self.audits,
                ]
            )
        )

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the groups with anything to be made, a notebook page too, in the order of the
        work.
        """
        return tuple(dict.fromkeys([*self.busy_groups, *self.pages]))


def plan_of(workspace: Workspace, run: RunRecord, only: Group | None = None) -> Plan:
    """Work out from what lies in the results' folder what `run` has still to do, of one group or of
    all.

    A job asks for its own group's alone: to read the sources of all takes longer than many a check.
    """
    claims = workspace.claims.of_group(only.id) if only else workspace.claims.claim
    chosen = [claim for claim in claims if claim.id in run.selected]
    items = tuple(
        _item(workspace, claim, run) for claim in chosen if workspace.profile in claim.profiles
    )
    reasons: dict[str, dict[str, str]] = {"study": {}, "figures": {}, "notebook page": {}}
    for group in complete_groups(workspace, run, [only] if only else workspace.claims.group):
        kept = run.fresh and workspace.kept_files(group.id)
        again = KEPT if kept else FORCED if forced(workspace, run, group) else ""
        artefacts = artefacts_of(workspace, group)
        for kind, artefact in artefacts.items():
            if why := _why_made(*artefact, run, again):
                reasons[kind][group.id] = why
        made = group.id in reasons["figures"] or any(
            item.claim.group == group.id and item.why for item in items
        )
        if made and "notebook page" in artefacts:  # whether what it shows is another, its job looks
            reasons["notebook page"].setdefault(group.id, "its claims or figures are made again")
    named = dict.fromkeys(item.claim.group for item in items) if run.audit.asked else ()
    audits = tuple(
        name for name in named if (audit := audit_at(workspace, name)) and audit.run != run.id
    )
    return Plan(items, reasons["study"], reasons["figures"], reasons["notebook page"], audits)


def artefacts_of(workspace: Workspace, group: Group) -> dict[str, Artefact]:
    """Return place and key parts of what a group makes beside the records of its claims, by its
    kind.

    A group without a study, or without a notebook page, lacks that kind.
    """
    artefacts: dict[str, Artefact] = {}
    if study := workspace.study_parts(group):
        artefacts["study"] = (workspace.study_path(group), study)
    artefacts["figures"] = (workspace.figures_path(group), workspace.figures_parts(group))
    if group.notebook and workspace.config.notebooks:
        artefacts["notebook page"] = (workspace.page_path(group), workspace.page_parts(group))
    return artefacts


def complete_groups(workspace: Workspace, run: RunRecord, groups: Iterable[Group]) -> list[Group]:
    """Return those of the groups whose claims of this profile were all selected: their figures
    and pages are made.
    """
    claims = [(group, {claim.id for claim in workspace.claims_here(group)}) for group in groups]
    return [group for group, own in claims if own and own <= set(run.selected)]


def forced(workspace: Workspace, run: RunRecord, group: Group) -> bool:
    """Return whether all of a group's claims are to be made again: then so are its study,
    figures and page.
    """
    return all(claim.id in run.forced for claim in workspace.claims.of_group(group.id))


def _item(workspace: Workspace, claim: Claim, run: RunRecord) -> PlannedClaim:
    try:
        record = current_record(claim, workspace.record_path(claim), workspace.record_parts(claim))
    except NotCurrent as reason:
        return PlannedClaim(claim, None, str(reason))
    again = FORCED if claim.id in run.forced else KEPT if run.fresh and record.kept else ""
    return PlannedClaim(claim, record, _why_again(record, again, run))


def _why_again(record: Record | Artefacts, again: str, run: RunRecord) -> str:
    """Say why a current record is to be made again: it is not worth keeping, unless this run has
    just made it.

    What could not be run for want of a file or a device is tried again once a day, or where the run
    is asked to fetch.
    """
    if record.provenance.run == run.id:
        return ""
    # of a clock that was wrong: for so long it would not be tried again
    if record.provenance.started > run.soon:
        return "it is dated in the future"
    if again:
        return again
    if record.failed:
        return "it failed last time"
    incomplete = (
        record.verdict is Verdict.NOT_RUN if isinstance(record, Record) else bool(record.reason)
    )
    if (
        incomplete
        and not record.settled
        and (run.fetch or record.provenance.started < run.yesterday)
    ):
        return "it could not be run last time"
    return ""


def _why_made(path: Path, parts: KeyParts, run: RunRecord, again: str) -> str:
    try:
        artefacts = current_artefacts(path, parts)
    except NotCurrent as reason:
        return str(reason)
    return _why_again(artefacts, again, run)


def shares_here(workspace: Workspace, groups: Collection[str], jobs: int) -> dict[str, int]:
    """Return in how many shares a run of `jobs` jobs computes the studies of these groups.

    It is as many as their kept times ask for, at most `shares` of the configuration, and no more
    than `NODES` jobs would need; where no time is kept, it is `shares`, or one.
    """
    kept = read_expected(workspace.root, workspace.profile)
    times = kept.studies if kept else {}
    most = shares_of(times, NODES)
    wanted = shares_of({name: times[name] for name in groups if name in times}, jobs)
    shares = {}
    for name in groups:
        given = workspace.config.resources_of(name).shares
        asked = min(wanted[name], most[name]) if name in wanted else given or 1
        shares[name] = min(asked, given or asked)
    return shares


def shares_of(seconds: Mapping[str, float], jobs: int) -> dict[str, int]:
    """Return how many shares each study has, by what it takes: none is above 1/(`ROUNDS` jobs) of
    all.

    One job needs no shares.
    """
    total = sum(seconds.values())
    if jobs == 1 or total <= 0:
        return dict.fromkeys(seconds, 1)
    return {name: max(1, math.ceil(ROUNDS * jobs * each / total)) for name, each in seconds.items()}
