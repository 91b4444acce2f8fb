"""Squared MMDs of sets of graphs with intervals, and differences between samplers.

A published row is the biased estimate at the size of the test set. On average it exceeds the MMD^2
of the two distributions by

    (1 - E k(X, X')) / n + (1 - E k(Y, Y')) / m

so it is far from zero for real graphs too, and rows of other sizes are not comparable. Conclusions
rest on differences of unbiased estimates: both samplers meet the same reference, whose own term
cancels, and the same noise.

Intervals are bootstrap percentiles. Every set is resampled, and pairs of a graph with its own copy
are left out. A test (test_coverage) counts how often these intervals hold the true value.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ams.data import Graph
from ams.metrics.mmd import Kernel, Weights, across, biased_within, mmd_squared, unbiased_within
from ams.statistics import Interval
from ams.statistics.bootstrap import (
    BootstrapEstimate,
    Units,
    bootstrap_estimate,
    bootstrap_interval,
)
from experiments.graphs.statistics import PUBLISHED, Statistic

Graphs = Sequence[Graph]


class Difference(NamedTuple):
    """How much nearer to the reference one sampler is than another, in squared MMD.

    `interval` is of all graphs together, `seeds` holds the estimate of each seed alone, in order.
    """

    interval: Interval
    seeds: tuple[float, ...]

    @property
    def resolved(self) -> bool:
        """Tell whether the difference is larger than noise: the interval does not hold zero."""
        return self.interval.low > 0 or self.interval.high < 0

    @property
    def smallest(self) -> float:
        """Return the smallest difference that this many graphs resolve: half the length of the
        interval.
        """
        return (self.interval.high - self.interval.low) / 2


def mean_kernel(statistics: Sequence[Statistic], graphs: Graphs) -> Kernel:
    """Return the mean of the statistics' kernels: its MMD^2 is the mean of their MMD^2."""
    return np.mean([statistic.kernel(graphs) for statistic in statistics], axis=0)


def unbiased_mmd(k: Kernel, first: int, seed: int) -> Interval:
    """Return the unbiased squared MMD of a pool's `first` observations and the others, of any kind,
    with its interval.

    Raises ValueError for fewer than `ams.statistics.bootstrap.FEWEST_UNITS` observations on a side.
    """
    reference, generated = sides(len(k), first)
    units = separate(len(k), first)
    return bootstrap_interval(lambda w: mmd_squared(k, w * reference, w * generated), units, seed)


def mmd_estimate(k: Kernel, first: int, seed: int, together: int = 1) -> BootstrapEstimate:
    """Return that squared MMD with its values over resamples; `together` of the others in a row are
    one unit.

    Raises as `unbiased_mmd`, and ValueError where the last unit is not whole.
    """
    reference, generated = sides(len(k), first)
    alone, others = separate(len(k), first)
    units = [
        [place for (place,) in others[start : start + together]]
        for start in range(0, len(others), together)
    ]
    if len(units) * together != len(others):
        raise ValueError(f"{len(others)} observations are no whole number of units of {together}")
    return bootstrap_estimate(
        lambda w: mmd_squared(k, w * reference, w * generated), [alone, units], seed
    )


def published_mmd(k: Kernel, first: int, seed: int) -> Interval:
    """Return the biased estimate of that squared MMD, as published, with its interval. Raises as
    `unbiased_mmd`.

    The interval is for the mean of the biased estimate over sets of these sizes: that of the
    unbiased estimate, moved.
    """
    reference, generated = sides(len(k), first)
    # below it only by rounding
    value = max(float(mmd_squared(k, reference, generated, biased_within)), 0.0)
    return moved(unbiased_mmd(k, first, seed), value)


def moved(interval: Interval, to: float) -> Interval:
    """Return an interval moved to another value, cut at zero: the bias of an estimate hardly
    varies.
    """
    by = to - interval.value
    return Interval(to, max(interval.low + by, 0.0), interval.high + by, interval.n)


def difference(
    reference: Graphs,
    one: Sequence[Graphs],
    other: Sequence[Graphs],
    seed: int,
    statistics: Sequence[Statistic] = PUBLISHED,
    together: int = 1,
) -> Difference:
    """Return `MMD^2(other, reference) - MMD^2(one, reference)`, mean over the statistics: positive
    if one is nearer.

    `one` and `other` hold a list of graphs for each seed. Graphs of one seed and place share their
    noise, so they are resampled together; `together` graphs in a row are one unit, where a sampler
    couples the graphs of a batch. Raises ValueError for a seed whose last unit is not whole, and as
    `unbiased_mmd` for few units.
    """
    sizes = [len(graphs) for graphs in one]
    if any(n % together for n in sizes):
        raise ValueError(f"seeds of {sizes} graphs are no whole numbers of batches of {together}")
    k = mean_kernel(
        statistics, [*reference, *(graph for graphs in (*one, *other) for graph in graphs)]
    )
    return kernel_difference(k, len(reference), sizes, seed, together=together)


def kernel_difference(
    k: Kernel, first: int, sizes: Sequence[int], seed: int, together: int = 1
) -> Difference:
    """Return the difference from the kernel of a pool: `first` of reference, then those of one,
    then of the other.

    Both have `sizes` observations of each seed.
    """
    total = sum(sizes)
    reference, nearer, farther = np.repeat(np.eye(3), [first, total, total], axis=1)

    def distance(sampler: np.ndarray, w: Weights) -> np.ndarray:
        """Return the squared MMD without the reference's own term, which cancels."""
        return unbiased_within(k, w * sampler) - 2 * across(k, w * reference, w * sampler)

    def gain(w: Weights) -> np.ndarray:
        return distance(farther, w) - distance(nearer, w)

    pairs = [
        [
            first + half * total + place
            for half in range(2)
            for place in range(start, start + together)
        ]
        for start in range(0, total, together)
    ]
    interval = bootstrap_interval(gain, [[[place] for place in range(first)], pairs], seed)
    own = np.repeat(np.eye(len(sizes)), sizes, axis=1)
    of_seeds = np.concatenate([np.ones((len(sizes), first)), own, own], axis=1)
    return Difference(interval, tuple(gain(of_seeds).tolist()))


def sides(size: int, first: int) -> Float[np.ndarray, "2 size"]:
    """Return the weights of the first observations of a pool of `size`, and those of the others."""
    return np.repeat(np.eye(2), [first, size - first], axis=1)


def separate(size: int, first: int) -> list[Units]:
    """Return both sides of a pool as bootstrap units of one observation each."""
    return [[[place] for place in range(first)], [[place] for place in range(first, size)]]
