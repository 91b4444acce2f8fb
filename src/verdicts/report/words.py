"""Verdicts, numbers and checks in a reader's words: the same in terminal, pages and paper."""

from verdicts.claims.schema import Check, Relation, Verdict
from verdicts.records.expected import ExpectedCheck
from verdicts.records.record import CheckResult

SIGNS = {Relation.EQUAL: "=", Relation.AT_MOST: "≤", Relation.AT_LEAST: "≥"}
MARKS = {Verdict.HOLDS: "✓", Verdict.REFUTED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_RUN: "–"}


def number(value: float | None, digits: int = 3) -> str:
    """Return a number for reading: `digits` significant ones, a true minus sign, no exponent where none is needed."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}".replace("-", "−")
    return f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def spread(measured: CheckResult | ExpectedCheck, digits: int = 3) -> str:
    """Return a value for reading, with its interval where it is not exact."""
    low, high = number(measured.low, digits), number(measured.high, digits)
    return number(measured.value, digits) + ("" if measured.low == measured.high else f" [{low}, {high}]")


def required(check: Check) -> str:
    """Return what a check requires of its quantity, without the unit.

    The bound that decides has the tolerance in it (`≤ 0.005`); an equality names both (`= 0 ± 0.005`).
    """
    bound, margin = check.bound, ""
    if check.relation is Relation.EQUAL:
        margin = f" ± {number(check.tolerance)}" if check.tolerance else ""
    else:
        bound += check.tolerance if check.relation is Relation.AT_MOST else -check.tolerance
    return f"{SIGNS[check.relation]} {number(bound, 6)}{margin}"


def duration(seconds: float) -> str:
    """Return a time span for reading."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min"
