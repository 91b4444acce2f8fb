"""The ledger: every claim with its verdict, as `results/<profile>/ledger.json` holds it and the
report shows it.
"""

from collections import Counter
from enum import StrEnum
from typing import Any, Self

from verdicts.claims.check import Check, Relation
from verdicts.claims.schema import Claim, Evidence, Expectation, Profile, Verdict
from verdicts.records.files import JsonFile, NotCurrent
from verdicts.records.provenance import Provenance
from verdicts.records.record import CheckResult, current_record
from verdicts.records.run_record import Audit, RunRecord, audits_of
from verdicts.records.workspace import Workspace
from verdicts.validation import Frozen


class Computed(StrEnum):
    """Whether the last run made a record, or found it current."""

    COMPUTED = "computed"
    CACHED = "cached"


class JudgedCheck(CheckResult):
    """A check's outcome beside what was claimed, so that its verdict can be told again from the
    ledger alone.

    `value` and `[low, high]`, from `n` samples or batches and these `seeds`, against `bound` with
    its `tolerance`.
    """

    quantity: str
    relation: Relation
    bound: float
    tolerance: float
    origin: str

    @classmethod
    def beside(cls, check: Check, result: CheckResult) -> Self:
        """Put a check's entry in the claims file beside its outcome."""
        claimed = {
            name: getattr(check, name)
            for name in ("quantity", "relation", "bound", "tolerance", "origin")
        }
        return cls(**dict(result), **claimed)


class ClaimRow(Frozen):
    """One claim: its verdict, its expectation and what lies behind it.

    `agrees`: None where no verdict was reached, or nothing is expected (`expected` is None: a
    condition).

    `reason` says why a claim was not run; such a row may have no provenance. `kept`: on how many
    kept cells it rests, `unaudited`: which of its checks are not auditable.
    """

    id: str
    group: str
    part: str
    title: str
    evidence: Evidence
    verdict: Verdict
    expected: Expectation | None
    agrees: bool | None
    selected: bool
    failed: bool
    reason: str
    checks: tuple[JudgedCheck, ...]
    provenance: Provenance | None
    computed: Computed | None
    kept: int = 0
    unaudited: tuple[str, ...] = ()


class Summary(Frozen):
    """Counts over all claims; `contradictions`, `failed` and `not_run` name claims that were
    selected for this run.

    `open` names the claims without evidence yet. `conditions` counts what is measured without an
    expectation; `total` and `verdicts` leave it out. `disproved` names the checks whose stored
    value a proof of this run excludes.
    """

    total: int
    verdicts: dict[Verdict, int]
    contradictions: tuple[str, ...]
    failed: tuple[str, ...]
    not_run: tuple[str, ...]
    open: tuple[str, ...] = ()
    conditions: int = 0
    disproved: tuple[str, ...] = ()


class Ledger(JsonFile):
    """The whole ledger of one profile; `started` is the UTC time at which its last run began (None:
    before any).

    `audits` are those of the kept cells that claims rest on.
    """

    profile: Profile
    started: str | None
    claims: tuple[ClaimRow, ...]
    summary: Summary
    audits: tuple[Audit, ...] = ()


def collect(workspace: Workspace) -> Ledger:
    """Return the ledger of what lies on disk: only records that are whole, unedited and current are
    shown.

    A claim that the last run was to make, and that has no record, counts as failed.
    """
    run = RunRecord.last(workspace)
    rows = tuple(_row(workspace, claim, run) for claim in workspace.claims.claim)
    audits = tuple(audits_of(workspace, (row.id for row in rows if row.selected)))
    return ledger_of(workspace.profile, run.started if run else None, rows).model_copy(
        update={"audits": audits}
    )


def _row(workspace: Workspace, claim: Claim, run: RunRecord | None) -> ClaimRow:
    part = workspace.claims.group_of(claim).part
    selected = run is None or claim.id in run.selected
    if workspace.profile not in claim.profiles:
        reason = (
            f"not part of the {workspace.profile} profile: run with --profile {claim.profiles[0]}"
        )
        return row_unreached(claim, part, reason, selected=False, failed=False)
    try:
        record = current_record(claim, workspace.record_path(claim), workspace.record_parts(claim))
    except NotCurrent as absence:
        failed = run is not None and selected
        reason = f"not selected in the last run; {absence}"
        if failed:
            reason = (
                f"its run ended without a record ({absence}); logs/{claim.group}.*.log may say why"
            )
        return row_unreached(claim, part, reason, selected, failed)
    fresh = run is not None and record.provenance.run == run.id
    return ClaimRow(
        **_entry(claim, part),
        agrees=claim.agrees_with(record.verdict),
        selected=selected,
        computed=Computed.COMPUTED if fresh else Computed.CACHED,
        checks=tuple(map(JudgedCheck.beside, claim.check, record.checks)),
        **{
            name: getattr(record, name)
            for name in ("verdict", "failed", "reason", "provenance", "kept", "unaudited")
        },
    )


def row_unreached(claim: Claim, part: str, reason: str, selected: bool, failed: bool) -> ClaimRow:
    """Return the row of a claim that has no current record, with the reason."""
    nothing: dict[str, Any] = {
        "verdict": Verdict.NOT_RUN,
        "agrees": None,
        "checks": (),
        "provenance": None,
        "computed": None,
    }
    return ClaimRow(
        **_entry(claim, part), **nothing, reason=reason, selected=selected, failed=failed
    )


def _entry(claim: Claim, part: str) -> dict[str, Any]:
    return {"part": part} | {
        name: getattr(claim, name) for name in ("id", "group", "title", "evidence", "expected")
    }


def ledger_of(profile: Profile, started: str | None, rows: tuple[ClaimRow, ...]) -> Ledger:
    """Return the ledger of these rows with its summary."""
    chosen = [row for row in rows if row.selected]
    claims = [row for row in rows if row.expected is not None]
    counts = Counter(row.verdict for row in claims)
    summary = Summary(
        total=len(claims),
        verdicts={verdict: counts[verdict] for verdict in Verdict},
        contradictions=tuple(row.id for row in chosen if row.agrees is False),
        failed=tuple(row.id for row in chosen if row.failed),
        not_run=tuple(row.id for row in chosen if row.verdict is Verdict.NOT_RUN),
        open=tuple(row.id for row in rows if row.expected is Expectation.OPEN),
        conditions=len(rows) - len(claims),
    )
    return Ledger(profile=profile, started=started, claims=rows, summary=summary)


def exit_code(summary: Summary, strict: bool) -> int:
    """Return 3 for a run that failed, else 1 for a contradiction (`strict`: or a claim not run),
    else 0.

    A contradiction is a verdict against its expectation, or a proof against a stored value.
    """
    if summary.failed:
        return 3
    return 1 if summary.contradictions or summary.disproved or (strict and summary.not_run) else 0
