"""The number of score evaluations (NFE) for an error threshold.

The number is read between budgets, by log-log interpolation of the errors (`nfe_to_threshold`).
Errors of batches give an interval as well (`nfe_interval`), whose ends are budgets at which runs
were made. So it contains what interpolation may miss, if the error falls from budget to budget. A
budget is an end where Student's test over batches rejects that the error there equals the
threshold. The test is paired if the threshold is another sampler's error on the same starts.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from ams.statistics.intervals import mean_interval

BatchErrors: TypeAlias = Mapping[int, Float[np.ndarray, " batches"]]
"""The positive errors of all batches for each number of evaluations."""


class Nfe(NamedTuple):
    """A number of evaluations, or a ratio of two, with its interval; infinite if no budget
    reaches the threshold.
    """

    value: float
    low: float
    high: float


def nfe_to_threshold(points: Iterable[tuple[float, float]], threshold: float) -> float:
    """Return the evaluations at which an error first falls to `threshold`, from points
    `(evaluations, error)`.

    Points are in ascending order and read one by one, until one reaches the threshold. If the first
    one does, its evaluations are an upper bound. The result is infinite if no point reaches the
    threshold.
    """
    before: tuple[float, float] | None = None
    for evaluations, error in points:
        if error <= threshold:
            if before is None or not math.isfinite(before[1]):
                return float(evaluations)
            share = math.log(before[1] / threshold) / math.log(before[1] / max(error, 1e-12))
            return before[0] * (evaluations / before[0]) ** share
        before = evaluations, error
    return math.inf


def budgets_around(points: Iterable[tuple[float, float]], threshold: float) -> tuple[float, float]:
    """Return the two neighbours among points `(evaluations, error)` between which an error first
    falls to `threshold`.

    The needed evaluations are more than the first and at most the second: 0 and the smallest budget
    if that one is enough, the largest and infinity if none is. Points are in ascending order.
    """
    before = 0.0
    for evaluations, error in points:
        if threshold >= error:
            return before, float(evaluations)
        before = float(evaluations)
    return before, math.inf


def nfe_interval(
    curve: BatchErrors, threshold: float | Float[np.ndarray, " batches"], confidence: float
) -> Nfe:
    """Return the evaluations at which the mean error first falls to a threshold, between two
    budgets of the curve.

    The threshold is a number, or has a value for each batch. The low end is the last budget up to
    which all errors are significantly above the threshold, or the smallest budget if none is, which
    is no bound. The high end is the first budget with an error significantly below it, infinite if
    there is none.
    """
    low, high = float(min(curve)), math.inf
    above = True
    for budget in sorted(curve):
        difference = mean_interval(curve[budget] - threshold, confidence)
        above = above and difference.low > 0.0
        if above:
            low = budget
        if difference.high < 0.0:
            high = budget
            break
    means = ((budget, float(curve[budget].mean())) for budget in sorted(curve))
    value = nfe_to_threshold(means, float(np.mean(threshold)))
    return Nfe(value, min(low, value), max(high, value))


def nfe_ratio_interval(
    curve: BatchErrors, baseline: BatchErrors, threshold: float, confidence: float
) -> Nfe:
    """Return a baseline's evaluations for a threshold divided by those of `curve`.

    The interval is made from two intervals that each miss half as often, so that its coverage is at
    least `confidence`. The ratio is nan if neither reaches the threshold.
    """
    halved = (1 + confidence) / 2
    own, theirs = (nfe_interval(one, threshold, halved) for one in (curve, baseline))
    value = (
        theirs.value / own.value
        if math.isfinite(own.value) or math.isfinite(theirs.value)
        else math.nan
    )
    high = theirs.high / own.low if math.isfinite(theirs.high) else math.inf
    return Nfe(value, theirs.low / own.high, high)
