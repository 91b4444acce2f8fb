"""Intervals of few units, and of several quantities that are judged together.

A bootstrap interval of `n` units is too short by about `sqrt((n - 1) / n)` and by Student's
quantile over the normal one. `stretched` lengthens it by both, which matters for ENZYMES and grid
(8 units: 1.45; 4: 2.6) and makes the others safer (20: 1.14). A test (test_coverage) counts how
often the intervals hold the truth before they are lengthened.

Quantities that are judged together share `1 - CONFIDENCE` evenly (Bonferroni): `joint_quantile`.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from pydantic import JsonValue
from scipy import special

from ams.statistics import CONFIDENCE, Interval
from ams.statistics.bootstrap import BootstrapEstimate, combined
from ams.statistics.intervals import student_quantile
from verdicts import Measurement

QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Of the normal distribution, two-sided, at `CONFIDENCE`."""


def over_seeds(interval: Interval, first: int, seeds: int, **detail: JsonValue) -> Measurement:
    """Return an interval from so many seeds, the `first` one and those after it, as a
    measurement.
    """
    return Measurement(
        **interval._asdict(), seeds=tuple(range(first, first + seeds)), detail=detail
    )


def stretched(interval: Interval) -> Interval:
    """Return a bootstrap interval lengthened about its value for its number of units, two at
    least.
    """
    value, low, high, n = interval
    factor = stretch(n)
    return Interval(value, value - factor * (value - low), value + factor * (high - value), n)


def lengthened(estimate: BootstrapEstimate) -> BootstrapEstimate:
    """Return an estimate whose resamples lie farther from its value, by as much as `stretched`
    lengthens.
    """
    factor = stretch(estimate.n)
    return combined(lambda each: estimate.value + factor * (each - estimate.value), estimate)


def stretch(n: int, quantities: int = 1) -> float:
    """Return by how much a bootstrap's standard error of `n` units, two at least, is lengthened.

    So many quantities are judged together.
    """
    confidence = 1 - (1 - CONFIDENCE) / quantities
    return math.sqrt(n / (n - 1)) * student_quantile(n - 1, confidence) / joint_quantile(quantities)


def joint_quantile(quantities: int) -> float:
    """Return the normal quantile, two-sided, of each of several quantities that are judged
    together at `CONFIDENCE`.
    """
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * quantities))


def smallest_seen(quantities: int) -> float:
    """Return the smallest difference, in standard errors, whose joint interval excludes 0 with
    `CONFIDENCE`.
    """
    return joint_quantile(quantities) + NormalDist().inv_cdf(CONFIDENCE)


def farthest(strays: Sequence[float], n: int) -> Interval:
    """Return the largest of several differences, each in its standard errors and without sign, with
    its joint interval.

    The interval holds the largest true difference with `CONFIDENCE`: every estimate is within
    `joint_quantile` of it.
    """
    value, half = max(strays), joint_quantile(len(strays))
    return Interval(value, max(value - half, 0.0), value + half, n)


def half_length(interval: Interval) -> Interval:
    """Return half the length of an interval of `n` units with its own interval.

    Of normal units `(n - 1) s^2 / sigma^2` is chi-squared with `n - 1` degrees of freedom, and the
    length is proportional to s.
    """
    half, freedom, tail = (interval.high - interval.low) / 2, interval.n - 1, (1 - CONFIDENCE) / 2
    low, high = (half * math.sqrt(freedom / special.chdtri(freedom, p)) for p in (tail, 1 - tail))
    return Interval(half, low, high, interval.n)


def standardised(measured: Measurement) -> float:
    """Return a value in its standard errors; 0 for an interval without length about 0."""
    low, high = measured.interval
    return measured.value / (high - low) * 2 * QUANTILE if measured.value else 0.0
