"""How many score evaluations (NFE) an error asks for: read off a curve of errors, log-log between its budgets.

An exact curve gives a number (`nfe_to_threshold`). A curve of batches gives an interval (`nfe_interval`), by inverting
a test: a budget is in the interval unless Student's test, over batches, tells the curve there from the threshold
(paired where the threshold is another sampler's error on the same starts). So it covers what it states at the 6 to 14
batches of a run, where a bootstrap's interval misses 15 to 50 times as often as stated.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from ams.statistics.intervals import mean_interval

BatchErrors: TypeAlias = Mapping[int, Float[np.ndarray, " batches"]]
"""A positive error of each batch, by evaluations."""
_SUBDIVISIONS = 64  # budgets looked at between two of a curve


class Nfe(NamedTuple):
    """A number of evaluations, or a ratio of two, with its interval; infinite where the threshold is not reached."""

    value: float
    low: float
    high: float


def nfe_to_threshold(points: Iterable[tuple[float, float]], threshold: float) -> float:
    """Return the evaluations at which an error first falls to `threshold`, from points `(evaluations, error)`.

    Points come in ascending order, and no more of them are asked for than are needed. Where the first is enough, its
    evaluations are returned: an upper bound. Infinite where no point reaches the threshold.
    """
    before: tuple[float, float] | None = None
    for evaluations, error in points:
        if error <= threshold:
            if before is None or not math.isfinite(before[1]):
                return float(evaluations)
            share = math.log(before[1] / threshold) / math.log(before[1] / max(error, 1e-12))
            interpolated: float = before[0] * (evaluations / before[0]) ** share
            return interpolated
        before = evaluations, error
    return math.inf


def _readings(curve: BatchErrors) -> Iterator[tuple[float, Float[np.ndarray, " batches"]]]:
    """Yield budgets, dense on a logarithm, with an error of each batch whose mean is the curve's reading there."""
    budgets = sorted(curve)
    yield float(budgets[0]), curve[budgets[0]]
    for few, many in pairwise(budgets):
        before, after = curve[few], curve[many]
        for share in np.arange(1, _SUBDIVISIONS + 1) / _SUBDIVISIONS:
            mean = before.mean() ** (1 - share) * after.mean() ** share
            relative = (1 - share) * before / before.mean() + share * after / after.mean()
            yield few * (many / few) ** float(share), mean * relative


def nfe_interval(curve: BatchErrors, threshold: float | Float[np.ndarray, " batches"], confidence: float) -> Nfe:
    """Return the evaluations at which a curve first falls to a threshold, with the budgets that a test keeps.

    The threshold is a number, or what another sampler has on each batch. The low end is the smallest budget where that
    has reached the threshold, or may have: there it bounds nothing. The high end is infinite where no budget is known
    to have reached it.
    """
    low, high = float(min(curve)), math.inf
    apart = True
    for budget, errors in _readings(curve):
        difference = mean_interval(errors - threshold, confidence)
        apart = apart and difference.low > 0.0
        if apart:
            low = budget
        if difference.high < 0.0:
            high = budget
            break
    means = ((budget, float(curve[budget].mean())) for budget in sorted(curve))
    value = nfe_to_threshold(means, float(np.mean(threshold)))
    return Nfe(value, min(low, value), max(high, value))


def nfe_ratio_interval(curve: BatchErrors, baseline: BatchErrors, threshold: float, confidence: float) -> Nfe:
    """Return a baseline's evaluations for a threshold over those of `curve`.

    The interval joins the ends of two intervals that each miss half as often: it covers at least as stated.
    """
    halved = (1 + confidence) / 2
    own, theirs = (nfe_interval(one, threshold, halved) for one in (curve, baseline))
    value = theirs.value / own.value if math.isfinite(own.value) or math.isfinite(theirs.value) else math.nan
    high = theirs.high / own.low if math.isfinite(theirs.high) else math.inf
    return Nfe(value, theirs.low / own.high, high)
