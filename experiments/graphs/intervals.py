r"""Intervals of few units, and one test over several sets.

A bootstrap interval of `n` units is too short by about `sqrt((n - 1) / n)` and by Student's quantile over the normal
one. `stretched` lengthens it by both, which matters for ENZYMES and grid (8 units: 1.45; 4: 2.6) and makes the others
safer (20: 1.14). The group mmd_intervals measures how often the intervals hold the truth before they are lengthened.

Sets are independent. With the gain `g_i` of set i and its standard error `e_i`, a half length over the normal quantile,

    Z = sum_i (g_i / e_i) / sqrt(k)

is nearly N(0, 1) where no set has a gain (Stouffer's method): the mean gain over sets in its own standard errors. A
lengthened interval has a larger `e_i`, so Z strays less than that. Which sets have a gain is told by Holm's step-down
procedure, at one level for all sets together.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from ams.statistics import CONFIDENCE, Interval
from ams.statistics.intervals import student_quantile

QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Of the normal distribution, two-sided, at `CONFIDENCE`."""


def stretched(interval: Interval) -> Interval:
    """Return a bootstrap interval lengthened about its value for its number of units. Raises ValueError for one."""
    value, low, high, n = interval
    if n < 2:
        raise ValueError("an interval of one unit has no length")
    factor = math.sqrt(n / (n - 1)) * student_quantile(n - 1, CONFIDENCE) / QUANTILE
    return Interval(value, value - factor * (value - low), value + factor * (high - value), n)


def standardised(interval: Interval) -> float:
    """Return a value in its standard errors; 0 for an interval without length about 0.

    Raises ValueError where any other interval has no length.
    """
    error = (interval.high - interval.low) / (2 * QUANTILE)
    if error == 0.0 and interval.value != 0.0:
        raise ValueError(f"the interval of {interval.value} has no length")
    return interval.value / error if error else 0.0


def combined(intervals: Sequence[Interval]) -> Interval:
    """Return Stouffer's Z of independent sets with its interval; n is the number of sets. Raises ValueError: none."""
    if not intervals:
        raise ValueError("no set to combine")
    z = sum(map(standardised, intervals)) / math.sqrt(len(intervals))
    return Interval(z, z - QUANTILE, z + QUANTILE, len(intervals))


def resolved_by_holm(scores: Sequence[float], level: float = 1 - CONFIDENCE) -> list[bool]:
    """Return which standardised values differ from 0, at one level for all of them together (Holm 1979)."""
    order = sorted(range(len(scores)), key=lambda place: -abs(scores[place]))
    resolved = [False] * len(scores)
    for rank, place in enumerate(order):
        p = math.erfc(abs(scores[place]) / math.sqrt(2.0))
        if p > level / (len(scores) - rank):
            break
        resolved[place] = True
    return resolved
