"""MMDs of sets of graphs with intervals, the floor that real graphs reach, and differences between samplers.

A published row is the biased estimate at the size of the test set: it exceeds the laws' own on average by

    (1 - E k(X, X')) / n + (1 - E k(Y, Y')) / m

so it is far from zero for real graphs too, and rows of other sizes are not comparable. Conclusions are drawn from the
unbiased estimate, of differences: both samplers meet the same reference, whose own term cancels, and the same noise.

Intervals are bootstrap percentiles, all sets drawn again, pairs of a graph with its own copy left out; `coverage`
simulates how often they hold the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ams.data import Graph
from ams.metrics.mmd import Kernel, across, biased_within, mmd_squared, unbiased_within
from ams.statistics import Interval
from ams.statistics.bootstrap import FEWEST_UNITS, Units, Weights, bootstrap_interval
from experiments.graphs.statistics import PUBLISHED, Statistic

Graphs = Sequence[Graph]

ONE_ERROR = 0.6827
"""The confidence of an interval of one standard error to each side."""


class Difference(NamedTuple):
    """How much nearer to the reference one sampler is than another, in squared MMD.

    `seeds` are the estimates of each seed alone, in order; the interval is of all graphs together.
    """

    interval: Interval
    seeds: tuple[float, ...]

    @property
    def resolved(self) -> bool:
        """Return whether it is larger than noise: the interval does not hold zero."""
        return self.interval.low > 0 or self.interval.high < 0

    @property
    def smallest(self) -> float:
        """Return the difference that graphs as many as these resolve: half the length of the interval."""
        return (self.interval.high - self.interval.low) / 2


class Estimates(NamedTuple):
    """Both estimates of a squared MMD; without intervals for fewer than `FEWEST_UNITS` graphs on a side.

    `value` is the biased one, as published, and `published` has its interval: for what it is on average over sets as
    large as these. That is the interval of the unbiased one, moved by their difference (which hardly varies), and cut
    at zero.
    """

    value: float
    published: Interval | None
    unbiased: Interval | None


def mean_kernel(statistics: Sequence[Statistic], listed: Graphs) -> Kernel:
    """Return the mean of the statistics' kernels: its MMD is the mean of their MMDs."""
    return np.mean([statistic.kernel(listed) for statistic in statistics], axis=0)


def estimates(
    statistic: Statistic, reference: Graphs, generated: Graphs, seed: int, confidence: float = 0.95
) -> Estimates:
    """Return both estimates of a statistic's squared MMD. Raises ValueError for an empty set."""
    return kernel_estimates(_kernel((statistic,), reference, generated), len(reference), seed, confidence)


def kernel_estimates(k: Kernel, first: int, seed: int, confidence: float = 0.95) -> Estimates:
    """Return both estimates of the squared MMD of the pool's `first` observations and the others, of any kind."""
    value = max(float(mmd_squared(k, *_both(len(k), first), biased_within)), 0.0)  # below it only by rounding
    if min(first, len(k) - first) < FEWEST_UNITS:
        return Estimates(value, None, None)
    unbiased = _interval(k, first, seed, confidence)
    shift = value - unbiased.value
    published = Interval(value, max(unbiased.low + shift, 0.0), unbiased.high + shift, unbiased.n)
    return Estimates(value, published, unbiased)


def unbiased_mmd(
    statistics: Sequence[Statistic], reference: Graphs, generated: Graphs, seed: int, confidence: float = 0.95
) -> Interval:
    """Return the unbiased estimate of the squared MMD, the mean over the statistics.

    Raises ValueError for fewer than `FEWEST_UNITS` graphs on a side.
    """
    return _interval(_kernel(statistics, reference, generated), len(reference), seed, confidence)


def floor(statistic: Statistic, reference: Graphs, real: Graphs, size: int, seed: int, draws: int = 500) -> Interval:
    """Return what the published estimate gives for real graphs: `size` of them, drawn without replacement.

    The mean over the draws, and the range that holds the central 95 % of them: a row within it is as good as real.
    Raises ValueError for more graphs than there are.
    """
    return kernel_floor(_kernel((statistic,), reference, real), len(reference), size, seed, draws)


def kernel_floor(k: Kernel, first: int, size: int, seed: int, draws: int = 500) -> Interval:
    """Return the floor from the kernel of a pool: `first` observations of reference, then the real ones."""
    real, generator = len(k) - first, np.random.default_rng(seed)
    if not 1 <= size <= real:
        raise ValueError(f"{size} of {real} real graphs cannot be drawn")
    weights = np.zeros((draws, len(k)))
    for row in weights:
        row[first + generator.permutation(real)[:size]] = 1.0
    values = mmd_squared(k, _members(len(k), 0, first), weights, biased_within)
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high), draws)


class Row(NamedTuple):
    """A published estimate's mean over generated sets of a size, with an interval of one standard error to each side.

    `sets` are the estimates of single such sets, the same ones for every kernel of a pool; `spread` is their standard
    deviation: a published row strays by so much.
    """

    mean: Interval
    sets: Float[np.ndarray, " draws"]

    @property
    def spread(self) -> float:
        """Return the standard deviation of a single set's estimate."""
        return float(self.sets.std(ddof=1))


def kernel_row(k: Kernel, first: int, size: int, seed: int, draws: int = 2000) -> Row:
    """Return the row of sets of `size` from the kernel of a pool, `first` of reference and any number generated.

    The reference is not drawn again: a published row is of this very one. Single sets are drawn with replacement from
    the generated ones.
    """
    held, drawn = _both(len(k), first)
    mean = partial(_row_means, k, held, size)
    found = bootstrap_interval(lambda w: mean(w * drawn), [_units(0, first), _units(first, len(k))], seed, ONE_ERROR)
    sets = np.random.default_rng(seed).multinomial(size, drawn / drawn.sum(), draws)
    return Row(found, mmd_squared(k, held, sets, biased_within))


def kernel_row_means(k: Kernel, first: int, size: int, parts: Sequence[int]) -> list[float]:
    """Return a row's mean from parts of the generated ones alone, which lie one after the other, `parts` long each."""
    held, _ = _both(len(k), first)
    ends = [first, *(first + np.cumsum(parts)).tolist()]
    return [float(_row_means(k, held, size, _members(len(k), *part))) for part in pairwise(ends)]


def _row_means(k: Kernel, held: Weights, size: int, drawn: Weights) -> np.ndarray:
    """Return the published estimate's mean over sets of `size` of the law that `drawn` stands for."""
    own = unbiased_within(k, drawn)
    return np.asarray(biased_within(k, held) + own + (1 - own) / size - 2 * across(k, held, drawn))


def false_alarms(rows: Sequence[Row], errors: float) -> float:
    """Return how often a set of the law of ours strays from its mean, in any of the rows, by so many standard errors.

    The chance that a row which is published rightly is taken for another one: what it and our mean differ by has the
    standard error of both, here it is single sets in units of theirs.
    """
    strays = [np.abs(row.sets - row.mean.value) / row.spread for row in rows]
    return float((np.max(strays, axis=0) > errors).mean())


def difference(
    reference: Graphs,
    one: Sequence[Graphs],
    other: Sequence[Graphs],
    seed: int,
    statistics: Sequence[Statistic] = PUBLISHED,
    confidence: float = 0.95,
    together: int = 1,
) -> Difference:
    """Return `MMD^2(other, reference) - MMD^2(one, reference)`, mean over the statistics: positive if one is nearer.

    `one` and `other` hold a list of graphs for each seed; graphs of the same seed and place share their noise, so they
    are drawn again together. `together` graphs in a row are one draw, where a sampler couples those of a batch. Raises
    ValueError for lists of other lengths, an empty reference, or fewer than `FEWEST_UNITS` draws.
    """
    sizes = [len(listed) for listed in one]
    if sizes != [len(listed) for listed in other] or min(sizes, default=0) < 2 or any(n % together for n in sizes):
        raise ValueError(f"each seed needs as many graphs of one as of the other, at least 2, a multiple of {together}")
    k = mean_kernel(statistics, [*reference, *_joined(one), *_joined(other)])
    return kernel_difference(k, len(reference), sizes, seed, confidence, together)


def kernel_difference(
    k: Kernel, first: int, sizes: Sequence[int], seed: int, confidence: float = 0.95, together: int = 1
) -> Difference:
    """Return the difference from the kernel of a pool: `first` of reference, then those of one, then of the other.

    Both have `sizes` observations of each seed.
    """
    total = sum(sizes)
    nearer, farther = (_members(len(k), start, start + total) for start in (first, first + total))
    held = _members(len(k), 0, first)

    def gain(w: Weights) -> np.ndarray:
        return mmd_squared(k, w * held, w * farther) - mmd_squared(k, w * held, w * nearer)

    paired = [
        [first + half * total + place for half in range(2) for place in range(start, start + together)]
        for start in range(0, total, together)
    ]
    interval = bootstrap_interval(gain, [_units(0, first), paired], seed, confidence)
    return Difference(interval, tuple(float(value) for value in gain(_seed_weights(first, sizes))))


def _seed_weights(first: int, sizes: Sequence[int]) -> Weights:
    """Return for each seed the weights of the reference and of its own graphs, of both samplers."""
    own = np.repeat(np.eye(len(sizes)), sizes, axis=1)
    return np.concatenate([np.ones((len(sizes), first)), own, own], axis=1)


def _joined(lists: Sequence[Graphs]) -> list[Graph]:
    return [graph for listed in lists for graph in listed]


def _kernel(statistics: Sequence[Statistic], reference: Graphs, generated: Graphs) -> Kernel:
    """Return the kernel of the reference followed by the generated graphs. Raises ValueError for an empty set."""
    if not reference or not generated:
        raise ValueError(f"{len(reference)} reference and {len(generated)} generated graphs: neither set may be empty")
    return mean_kernel(statistics, [*reference, *generated])


def _members(size: int, start: int, stop: int) -> np.ndarray:
    """Return weights of 1 for the observations from `start` to `stop` of `size`, 0 for the others."""
    places = np.arange(size)
    return ((start <= places) & (places < stop)).astype(np.float64)


def _units(start: int, stop: int) -> Units:
    return [[place] for place in range(start, stop)]


def _both(size: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the first observations of the pool, and those of the others."""
    return _members(size, 0, first), _members(size, first, size)


def _interval(k: Kernel, first: int, seed: int, confidence: float) -> Interval:
    """Return the unbiased squared MMD of the first observations and the others, with its interval."""
    held, drawn = _both(len(k), first)
    sources = [_units(0, first), _units(first, len(k))]
    return bootstrap_interval(lambda w: mmd_squared(k, w * held, w * drawn), sources, seed, confidence)
