"""Confidence intervals of a mean, of a ratio of means, of a statistic by the jackknife, and of a
proportion.

Replicates are independent runs; a batch of coupled samples is one observation. The interval of
their mean is Student's, since bootstrap intervals of 4 to 20 replicates are too short. The coverage
of nominal 95 % intervals of n replicates is in the left columns for Student (20,000 simulations),
in the right ones for BCa bootstraps of 999 resamples (4,000):

    n     normal         uniform        exponential
    4     .951   .807    .927   .818    .879   .754
    8     .952   .891    .945   .912    .896   .857
    16    .948   .919    .951   .948    .910   .901
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special, stats

Values = Sequence[float] | np.ndarray
CONFIDENCE = 0.99
"""Of every interval that decides a verdict; where several intervals decide one together, each
states its own share.
"""


def finite(values: Values, fewest: int) -> np.ndarray:
    """Return the values as a flat float64 array. Raises ValueError for fewer than `fewest` and
    for non-finite ones.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) < fewest or not np.isfinite(array).all():
        raise ValueError(
            f"at least {fewest} finite values in one row are needed, got shape {array.shape}"
        )
    return array


class Interval(NamedTuple):
    """An estimate with a confidence interval, from `n` independent observations."""

    value: float
    low: float
    high: float
    n: int


def student_quantile(freedom: int, confidence: float) -> float:
    """Return the two-sided quantile t of Student's distribution, `P(|T| <= t) = confidence`."""
    return float(-special.stdtrit(freedom, (1 - confidence) / 2))


def mean_interval(values: Values, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of at least two replicates with Student's interval `mean +- t s / sqrt n`.
    Raises as `finite`.
    """
    replicates = finite(values, fewest=2)
    n = len(replicates)
    half = student_quantile(n - 1, confidence) * float(replicates.std(ddof=1)) / math.sqrt(n)
    mean = float(replicates.mean())
    return Interval(mean, mean - half, mean + half, n)


def jackknife_interval(whole: float, without: Values, confidence: float = CONFIDENCE) -> Interval:
    """Return a statistic T without its bias of order 1/n, with Student's interval of `n T - (n - 1)
    T_{-i}`.

    `whole` is T of all n replicates, `without` has T with each of them left out. Raises ValueError
    for fewer than two replicates and for a value that is not finite.
    """
    others = finite(without, fewest=2)
    return mean_interval(len(others) * whole - (len(others) - 1) * others, confidence)


def ratio_interval(
    numerators: Values, denominators: Values, confidence: float = CONFIDENCE
) -> Interval:
    """Return the ratio of two means of paired replicates with Fieller's interval, which is exact
    for normal pairs.

    It contains every ratio r for which Student's test does not reject that `numerator - r
    denominator` has mean 0. It is unbounded if the test does not reject that the denominator has
    mean 0. Raises ValueError for fewer than two values, a value that is not finite, and unpaired
    replicates.
    """
    above, below = finite(numerators, fewest=2), finite(denominators, fewest=2)
    if len(above) != len(below):
        raise ValueError(f"{len(above)} numerators for {len(below)} denominators")
    n, (x, y) = len(above), (float(below.mean()), float(above.mean()))
    scale = student_quantile(n - 1, confidence) ** 2 / n
    (yy, xy), (_, xx) = scale * np.cov(above, below)
    square, half, constant = x * x - xx, x * y - xy, y * y - yy
    if square <= 0.0:
        return Interval(y / x if x else math.nan, -math.inf, math.inf, n)
    root = math.sqrt(max(half * half - square * constant, 0.0))
    return Interval(y / x, (half - root) / square, (half + root) / square, n)


def proportion_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return a proportion with its Clopper-Pearson interval. Raises ValueError unless 0 <=
    successes <= n, n >= 1.
    """
    bounds = stats.binomtest(successes, n).proportion_ci(confidence, method="exact")
    return Interval(successes / n, float(bounds.low), float(bounds.high), n)
