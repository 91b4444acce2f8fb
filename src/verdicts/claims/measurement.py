"""What a check returns, how it says that it cannot, and the verdict on it.

The bound and the tolerance stand in the claims file, the rule here.
"""

import math
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from pydantic import JsonValue, model_validator

from verdicts.claims.check import Check, Relation
from verdicts.claims.schema import Verdict
from verdicts.validation import Frozen


class Unavailable(Exception):
    """A file, a device or data that a check needs are not there: the claim is `not run`, with this
    text as reason.

    Any exception with a true attribute `not_run` counts so; thus a library of mathematics need not
    know this engine. It is tried again at each run, unless it is `settled`: no change but of the
    check's code or settings can help. `missing` names the file, package or device in a word or two,
    `remedy` says in one clause how to have it: a run lists by them what it could not do.
    """

    not_run: ClassVar[bool] = True
    settled: bool = False

    def __init__(self, reason: str = "", missing: str = "", remedy: str = "") -> None:
        super().__init__(reason)
        self.missing, self.remedy = missing, remedy


class NotBuilt(Unavailable):
    """The suite itself lacks what a check needs."""

    settled = True


class InsufficientData(Unavailable):
    """The data that these settings give do not tell what is asked: every number may be the
    answer.
    """

    settled = True


AGREES = 1e-6
"""The largest relative difference of a number and its enclosure: more, and one of the two is
another quantity.
"""


class Enclosure(Frozen):
    """A proved number: it lies between `low` and `high`, by ball arithmetic of `bits`, computed
    in `seconds`.
    """

    low: float
    high: float
    bits: int
    seconds: float = 0.0


class Measurement(Frozen):
    """One measured quantity.

    `low` and `high` bound it (both or neither; without them the value is exact: `low = high =
    value`); `n` is the number of independent observations behind it and `seeds` are all the seeds
    that were used; `unit` is empty for a pure number; `detail` holds whatever else is worth a
    reader's while, as JSON. A boolean counts as 0 or 1. `enclosure` bounds the value where it is
    proved.

    Raises ValidationError for a NaN or an infinity, half an interval, an interval or enclosure that
    misses the value.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: tuple[int, ...] = ()
    unit: str = ""
    detail: Mapping[str, JsonValue] = {}
    enclosure: Enclosure | None = None

    @model_validator(mode="after")
    def _interval_holds_value(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError(
                f"half an interval: low={self.low}, high={self.high}; give both or neither"
            )
        low, high = self.interval
        if not low <= self.value <= high:
            raise ValueError(f"the interval [{low}, {high}] does not hold the value {self.value}")
        if (
            self.enclosure
            and not low <= self.enclosure.low <= self.value <= self.enclosure.high <= high
        ):
            raise ValueError(
                f"the enclosure {self.enclosure} is not about the value "
                f"{self.value}, in [{low}, {high}]"
            )
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """Return `(low, high)`, which is `(value, value)` for an exact measurement."""
        if self.low is None or self.high is None:
            return self.value, self.value
        return self.low, self.high

    def proved_by(self, proof: Self, seconds: float) -> Self:
        """Return this measurement with the numbers of `proof`, which has an enclosure and took so
        long.

        Raises ValueError where it has none, and where the two disagree by more than `AGREES`.
        """
        if proof.enclosure is None or not math.isclose(
            self.value, proof.value, rel_tol=AGREES, abs_tol=AGREES
        ):
            raise ValueError(
                f"the value {self.value} is not that of its proof, "
                f"{proof.value} in {proof.enclosure}"
            )
        low, high = proof.interval
        enclosure = proof.enclosure.model_copy(update={"seconds": round(seconds, 4)})
        proved = {"value": proof.value, "low": low, "high": high, "enclosure": enclosure}
        return self.model_copy(update={**proved, "detail": {**self.detail, **proof.detail}})


def check_verdict(check: Check, measurement: Measurement) -> Verdict:
    """Judge one measurement by its interval `[low, high]`.

    With bound `b` and tolerance `t`, `=` holds if the interval lies inside `[b - t, b + t]` and is
    refuted if it is disjoint from it; `<=` holds if `high <= b + t` and is refuted if `low > b +
    t`; `>=` mirrors it. An interval that straddles the edge is inconclusive.
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
    """Return measured over allowed: how near a one-sided bound, tolerance included, is to what it
    bounds.

    `value / (bound + tolerance)` for `<=`, `value / (bound - tolerance)` for `>=`; for `=` the part
    of its tolerance that is used, `|value - bound| / tolerance`. None where that is infinite, or
    nothing at all is allowed.
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
