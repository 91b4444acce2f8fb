"""From measurements to verdicts. The bound and the tolerance stand in the claims file, the rule here."""

from collections.abc import Iterable

from verdicts.claims.check import Check, Relation
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Verdict


def check_verdict(check: Check, measurement: Measurement) -> Verdict:
    """Judge one measurement by its interval `[low, high]`.

    With bound `b` and tolerance `t`, `=` holds if the interval lies inside `[b - t, b + t]` and is refuted if it is
    disjoint from it; `<=` holds if `high <= b + t` and is refuted if `low > b + t`; `>=` mirrors it. An interval
    that straddles the edge is inconclusive.
    """
    low, high = measurement.interval
    floor, ceiling = check.bound - check.tolerance, check.bound + check.tolerance
    if check.relation is Relation.AT_MOST:
        floor = float("-inf")
    elif check.relation is Relation.AT_LEAST:
        ceiling = float("inf")
    if floor <= low and high <= ceiling:
        return Verdict.HOLDS
    if high < floor or low > ceiling:
        return Verdict.REFUTED
    return Verdict.INCONCLUSIVE


def claim_verdict(checks: Iterable[Verdict]) -> Verdict:
    """Return the first that occurs of refuted, not run, inconclusive, holds."""
    reached = set(checks)
    order = (Verdict.REFUTED, Verdict.NOT_RUN, Verdict.INCONCLUSIVE)
    return next((verdict for verdict in order if verdict in reached), Verdict.HOLDS)


def tightness(check: Check, measurement: Measurement) -> float | None:
    """Return measured over allowed: how near a one-sided bound, tolerance included, is to what it bounds.

    `value / (bound + tolerance)` for `<=`, `value / (bound - tolerance)` for `>=`; for `=` the part of its tolerance
    that is used, `|value - bound| / tolerance`. None where that is infinite, or nothing at all is allowed.
    """
    slack, measured = check.tolerance, measurement.value
    if check.relation is Relation.EQUAL:
        measured, allowed = abs(measured - check.bound), slack
    else:
        allowed = check.bound + (slack if check.relation is Relation.AT_MOST else -slack)
    if allowed == 0.0:
        return None
    ratio = measured / allowed
    return ratio if abs(ratio) < float("inf") else None
