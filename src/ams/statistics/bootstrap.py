"""Percentile intervals by the bootstrap for a quantity of several samples.

The sources of randomness, such as a reference and a generated set, are independent. Each source
consists of independent units of one or more observations: a batch of coupled samples is one unit,
and so is a pair with shared noise. A resample draws the units of each source with replacement.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ams.statistics.intervals import CONFIDENCE, Interval

FEWEST_UNITS = 4
"""The least number of units of a source from which to estimate its spread."""

Weights = Float[np.ndarray, "rows n"]
Theta = Callable[[Weights], Float[np.ndarray, " rows"]]
Units = Sequence[Sequence[int]]


class BootstrapEstimate(NamedTuple):
    """A quantity of all observations, its values over resamples, and the smallest number of units
    of a source.

    Resamples of one seed and of as many units draw the same units. So what is computed from two
    quantities, resample by resample, knows what their samples have in common (`combined`).
    """

    value: float
    resamples: tuple[float, ...]
    n: int

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Return the percentile interval; resamples that are NaN are left out."""
        tail = (1 - confidence) / 2
        low, high = np.nanquantile(self.resamples, [tail, 1 - tail])
        return Interval(
            self.value, min(float(low), self.value), max(float(high), self.value), self.n
        )


def combined(function: Callable[..., Any], *estimates: BootstrapEstimate) -> BootstrapEstimate:
    """Return a function of estimates, of their values and, elementwise, of their resamples."""
    values, resamples, n = zip(*estimates, strict=True)
    of_resamples = function(*(np.asarray(each) for each in resamples)).tolist()
    return BootstrapEstimate(float(function(*values)), tuple(of_resamples), min(n))


def bootstrap_interval(
    theta: Theta,
    sources: Sequence[Units],
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = 2000,
) -> Interval:
    """Return `theta` of all observations with its percentile interval, as `bootstrap_estimate`,
    which raises.
    """
    return bootstrap_estimate(theta, sources, seed, resamples).interval(confidence)


def bootstrap_estimate(
    theta: Theta, sources: Sequence[Units], seed: int, resamples: int = 2000
) -> BootstrapEstimate:
    """Return `theta` of all observations with its values over joint resamples of all sources.

    `theta` maps rows of weights, the number of times that each observation occurs, to values.
    `sources` lists the observations of each unit. Raises ValueError for a source of fewer than
    `FEWEST_UNITS` units, for an observation that is missing or listed twice, and for a value that
    is not finite.
    """
    size = _observations(sources)
    value = float(theta(np.ones((1, size)))[0])
    if not np.isfinite(value):
        raise ValueError("the quantity of all observations is not finite")
    values = theta(resampled(sources, size, resamples, seed))
    return BootstrapEstimate(value, tuple(values.tolist()), min(map(len, sources)))


def resampled(sources: Sequence[Units], size: int, resamples: int, seed: int) -> Weights:
    """Return how often each of `size` observations occurs in each resample: as often as its unit
    is drawn.
    """
    weights = np.zeros((resamples, size))
    for units, counts in zip(
        sources, _counts(tuple(map(len, sources)), resamples, seed), strict=True
    ):
        weights[:, np.concatenate(units)] = np.repeat(counts, [len(unit) for unit in units], axis=1)
    return weights


@lru_cache(maxsize=2)
def _counts(units: tuple[int, ...], resamples: int, seed: int) -> list[np.ndarray]:
    """Return how often each unit of sources of so many units is drawn: (resamples, units) for each
    source.

    The draws take half the time of an interval of few observations, and intervals that share a seed
    share them.
    """
    generator = np.random.default_rng(seed)
    return [generator.multinomial(count, np.full(count, 1 / count), resamples) for count in units]


def _observations(sources: Sequence[Units]) -> int:
    """Return the number of observations. Raises ValueError unless each is in one unit and units
    are enough.
    """
    listed = sorted(index for units in sources for unit in units for index in unit)
    if listed != list(range(len(listed))):
        raise ValueError("each observation belongs to one unit of one source")
    if fewest := [len(units) for units in sources if len(units) < FEWEST_UNITS]:
        raise ValueError(
            f"an interval needs at least {FEWEST_UNITS} units of each source, got {fewest[0]}"
        )
    return len(listed)
