"""The ledger from the records on disk: only what is whole, unedited and current is shown."""

from verdicts.claims.schema import Claim
from verdicts.records.checksummed import NotCurrent
from verdicts.records.ledger import ClaimRow, Computed, Ledger, ledger_of, row_reached, row_unreached
from verdicts.records.record import current_record
from verdicts.records.run_record import Run
from verdicts.records.workspace import Workspace


def collect(workspace: Workspace) -> Ledger:
    """Return the ledger of what lies on disk: only records that are whole, unedited and current are shown.

    A claim that the last run was to make, and that has no record, counts as failed.
    """
    run = Run.last(workspace)
    rows = tuple(_row(workspace, claim, run) for claim in workspace.claims.claim)
    return ledger_of(workspace.profile, run.started if run else None, rows)


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
