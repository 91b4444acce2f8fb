"""The ledger: every claim with its verdict, as `results/<profile>/ledger.json` holds it and the report shows it."""

import json
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from verdicts.claims.schema import Claim, Evidence, Profile, Verdict
from verdicts.records.files import write_whole
from verdicts.records.provenance import Provenance
from verdicts.records.record import CheckResult, Record


class Computed(StrEnum):
    """Whether the last run made a record, or found it current."""

    COMPUTED = "computed"
    CACHED = "cached"


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClaimRow(_Shown):
    """One claim: its verdict, its expectation (`agrees`: None where no verdict was reached) and what lies behind it.

    `reason` says why a claim was not run; such a row may have no provenance.
    """

    id: str
    group: str
    part: str
    title: str
    evidence: Evidence
    verdict: Verdict
    expected: Verdict
    agrees: bool | None
    selected: bool
    failed: bool
    reason: str
    checks: tuple[CheckResult, ...]
    provenance: Provenance | None
    computed: Computed | None


class Summary(_Shown):
    """Counts over all claims; `contradictions` and `failed` name claims that were selected for this run."""

    total: int
    verdicts: dict[Verdict, int]
    contradictions: tuple[str, ...]
    failed: tuple[str, ...]
    not_run: tuple[str, ...]


class Ledger(_Shown):
    """The whole ledger of one profile; `started` is the UTC time at which its last run began (None: before any)."""

    profile: Profile
    started: str | None
    claims: tuple[ClaimRow, ...]
    summary: Summary

    def write(self, path: Path) -> None:
        """Write the file whole or not at all. Raises OSError."""
        write_whole(path, self.to_text())

    def to_text(self) -> str:
        """Return the one JSON text of this ledger."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def row_reached(claim: Claim, part: str, record: Record, computed: Computed, selected: bool) -> ClaimRow:
    """Return the row of a claim that has a current record."""
    reached = record.verdict is not Verdict.NOT_RUN
    return ClaimRow(
        id=claim.id,
        group=claim.group,
        part=part,
        title=claim.title,
        evidence=claim.evidence,
        verdict=record.verdict,
        expected=claim.expected,
        agrees=record.verdict is claim.expected if reached else None,
        selected=selected,
        failed=record.failed,
        reason=record.reason,
        checks=record.checks,
        provenance=record.provenance,
        computed=computed,
    )


def row_unreached(claim: Claim, part: str, reason: str, selected: bool, failed: bool) -> ClaimRow:
    """Return the row of a claim that has no current record, with the reason."""
    return ClaimRow(
        id=claim.id,
        group=claim.group,
        part=part,
        title=claim.title,
        evidence=claim.evidence,
        verdict=Verdict.NOT_RUN,
        expected=claim.expected,
        agrees=None,
        selected=selected,
        failed=failed,
        reason=reason,
        checks=(),
        provenance=None,
        computed=None,
    )


def ledger_of(profile: Profile, started: str | None, rows: tuple[ClaimRow, ...]) -> Ledger:
    """Return the ledger of these rows with its summary."""
    chosen = [row for row in rows if row.selected]
    counts = Counter(row.verdict for row in rows)
    summary = Summary(
        total=len(rows),
        verdicts={verdict: counts[verdict] for verdict in Verdict},
        contradictions=tuple(row.id for row in chosen if row.agrees is False),
        failed=tuple(row.id for row in chosen if row.failed),
        not_run=tuple(row.id for row in chosen if row.verdict is Verdict.NOT_RUN),
    )
    return Ledger(profile=profile, started=started, claims=rows, summary=summary)


def exit_code(summary: Summary, strict: bool) -> int:
    """Return 3 for a run that failed, else 1 for a contradiction (`strict`: or a claim not run), else 0."""
    if summary.failed:
        return 3
    return 1 if summary.contradictions or (strict and summary.not_run) else 0


def schema() -> dict[str, Any]:
    """Return the JSON schema of `ledger.json`."""
    return Ledger.model_json_schema()
