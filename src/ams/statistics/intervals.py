"""Intervals of a mean, of a ratio of means, of a statistic by the jackknife, and of a proportion.

Replicates are independent runs (a batch whose samples are coupled is *one* observation). Their mean's interval is
Student's: at the 4 to 20 replicates that a run affords, bootstrap intervals are too short, as resampling knows no
spread beyond the sample's own. Coverage of a nominal 95 %, Student (20,000 simulated samples) and BCa bootstrap of
999 resamples (4,000):

    n     normal         uniform        exponential
    4     .951   .807    .927   .818    .879   .754
    8     .952   .891    .945   .912    .896   .857
    16    .948   .919    .951   .948    .910   .901
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from ams.statistics.values import Values, finite


class Interval(NamedTuple):
    """An estimate with a confidence interval, from `n` independent observations."""

    value: float
    low: float
    high: float
    n: int


@cache
def _quantile(n: int, confidence: float) -> float:
    """Return Student's quantile of a mean of n; a reading of a curve asks for the same one some hundred times."""
    return float(stats.t.isf((1 - confidence) / 2, n - 1))


def mean_interval(values: Values, confidence: float = 0.95) -> Interval:
    """Return mean and Student's interval `mean +- t s / sqrt n` of independent replicates, in their unit.

    Raises ValueError for fewer than two, or one that is not finite.
    """
    replicates = finite(values, fewest=2)
    n = len(replicates)
    half = _quantile(n, confidence) * float(replicates.std(ddof=1)) / math.sqrt(n)
    mean = float(replicates.mean())
    return Interval(mean, mean - half, mean + half, n)


def jackknife_interval(whole: float, without: Values, confidence: float = 0.95) -> Interval:
    """Return Student's interval over the pseudo-values `n T - (n - 1) T_{-i}`: `T` with its bias of order 1/n removed.

    `without` holds the statistic with one of the n independent replicates left out. Raises as `mean_interval`.
    """
    others = finite(without, fewest=2)
    return mean_interval(len(others) * whole - (len(others) - 1) * others, confidence)


def ratio_interval(numerators: Values, denominators: Values, confidence: float = 0.95) -> Interval:
    """Return the ratio of two means of paired replicates with Fieller's interval, exact for normal pairs.

    It holds every ratio r for which Student's test does not tell the mean of `numerator - r denominator` from 0; where
    the denominators' mean is not told from 0 either, that is taken as every number. Raises as `mean_interval`, and
    ValueError for unpaired replicates.
    """
    above, below = finite(numerators, fewest=2), finite(denominators, fewest=2)
    if len(above) != len(below):
        raise ValueError(f"{len(above)} numerators for {len(below)} denominators")
    n, (x, y) = len(above), (float(below.mean()), float(above.mean()))
    scale = _quantile(n, confidence) ** 2 / n
    (yy, xy), (_, xx) = scale * np.cov(above, below)
    square, half, constant = x * x - xx, x * y - xy, y * y - yy
    if square <= 0.0:
        return Interval(y / x if x else math.nan, -math.inf, math.inf, n)
    root = math.sqrt(max(half * half - square * constant, 0.0))
    return Interval(y / x, (half - root) / square, (half + root) / square, n)


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return a proportion with its Clopper-Pearson interval, which covers at least as often as it says.

    Raises ValueError unless `0 <= successes <= n` and `n >= 1`.
    """
    bounds = stats.binomtest(successes, n).proportion_ci(confidence, method="exact")
    return Interval(successes / n, float(bounds.low), float(bounds.high), n)
