"""An interval for a quantity of several samples by the bootstrap: each is drawn again, from itself, with replacement.

Sources of chance are independent of each other (a reference, a generated set); the units of a source are its
independent draws, each of one observation or more: a batch whose members are coupled is one unit, and so is a pair
that shares its noise, which is how a paired difference gains. The interval is that of percentiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ams.statistics.intervals import Interval

FEWEST_UNITS = 4
"""Of a source: fewer say nothing about its spread."""

Weights = Float[np.ndarray, "rows n"]
Theta = Callable[[Weights], Float[np.ndarray, " rows"]]
Units = Sequence[Sequence[int]]


def bootstrap_interval(
    theta: Theta, sources: Sequence[Units], seed: int, confidence: float = 0.95, resamples: int = 2000
) -> Interval:
    """Return `theta` of all observations with its percentile interval over resamples of every source at once.

    `theta` maps rows of weights, how often each observation occurs, to values; a resample where it is NaN (one
    observation drawn again and again) is passed over. `sources` gives each unit's observations. The interval's n is
    the smallest number of units of a source. Raises ValueError for a source of fewer than `FEWEST_UNITS` units, an
    observation that is missing or twice, a value that is not finite.
    """
    size = _observations(sources)
    value = float(theta(np.ones((1, size)))[0])
    if not np.isfinite(value):
        raise ValueError("the quantity of all observations is not finite")
    drawn = theta(resampled(sources, size, resamples, seed))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Interval(value, min(float(low), value), max(float(high), value), min(map(len, sources)))


def resampled(sources: Sequence[Units], size: int, resamples: int, seed: int) -> Weights:
    """Return how often each of `size` observations occurs in each resample: as often as its unit is drawn."""
    weights = np.zeros((resamples, size))
    for units, counts in zip(sources, _counts(tuple(map(len, sources)), resamples, seed), strict=True):
        weights[:, np.concatenate(units)] = np.repeat(counts, [len(unit) for unit in units], axis=1)
    return weights


@lru_cache(maxsize=2)
def _counts(units: tuple[int, ...], resamples: int, seed: int) -> list[np.ndarray]:
    """Return how often each unit of sources of so many units is drawn: (resamples, units) for each source.

    The draws take half the time of an interval of few observations, and intervals that share a seed share them.
    """
    generator = np.random.default_rng(seed)
    return [generator.multinomial(count, np.full(count, 1 / count), resamples) for count in units]


def _observations(sources: Sequence[Units]) -> int:
    """Return how many observations there are; ValueError unless each is in one unit, and units are enough."""
    listed = sorted(index for units in sources for unit in units for index in unit)
    if listed != list(range(len(listed))):
        raise ValueError("each observation belongs to one unit of one source")
    if fewest := [len(units) for units in sources if len(units) < FEWEST_UNITS]:
        raise ValueError(f"an interval needs at least {FEWEST_UNITS} units of each source, got {fewest[0]}")
    return len(listed)
