"""Published rows from the kernel of a pool: the mean over sets of one size, single sets, and the
floor of real graphs.

A pool is the reference, then the observations that are compared with it. A published row is one
number a statistic, of as many generated graphs as the test set has. Here more are generated, and a
row is the mean over sets of that size, so it is compared with the published one in standard errors
of both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from ams.metrics.mmd import Kernel, Weights, across, biased_within, mmd_squared, unbiased_within
from ams.statistics import CONFIDENCE, Interval
from ams.statistics.bootstrap import bootstrap_interval
from experiments.graphs.discrepancy import separate, sides

CENTRAL = (0.025, 0.975)
"""The quantiles between which the central 95 % of rows lie."""
ONE_ERROR = 0.6827
"""The confidence of an interval of one standard error to each side."""


class SetEstimate(NamedTuple):
    """The mean of a published estimate over sets of one size, with an interval of one standard
    error to each side.

    Its n is the number of generated observations. `sets` are the estimates of single sets of that
    size, the same sets for every kernel of a pool.
    """

    mean: Interval
    sets: Float[np.ndarray, " draws"]

    @property
    def spread(self) -> float:
        """Return the standard deviation of the estimate of a single set, as a published row is."""
        return float(self.sets.std(ddof=1))


def row(k: Kernel, first: int, size: int, seed: int, draws: int = 2000) -> SetEstimate:
    """Return the row of sets of `size` from the kernel of a pool, `first` of reference and any
    number generated.

    The reference stays as it is, since a published row has it too. Single sets are drawn with
    replacement from the generated observations.
    """
    reference, generated = sides(len(k), first)
    units = separate(len(k), first)
    interval = bootstrap_interval(
        lambda w: _means(k, reference, size, w * generated), units, seed, ONE_ERROR
    )
    interval = interval._replace(n=len(k) - first)
    sets = (
        np.random.default_rng(seed)
        .multinomial(size, generated / generated.sum(), draws)
        .astype(np.float64)
    )
    return SetEstimate(interval, mmd_squared(k, reference, sets, biased_within))


def means_of_parts(k: Kernel, first: int, size: int, parts: Sequence[int]) -> list[float]:
    """Return a row's mean from each part of the generated observations, `parts` long, one after
    the other.
    """
    reference, *generated = np.repeat(np.eye(1 + len(parts)), [first, *parts], axis=1)
    return [float(_means(k, reference, size, part)) for part in generated]


def _means(k: Kernel, reference: Weights, size: int, generated: Weights) -> np.ndarray:
    """Return the mean of the published estimate over sets of `size` from the distribution that
    `generated` weighs.
    """
    own = unbiased_within(k, generated)
    return np.asarray(
        biased_within(k, reference) + own + (1 - own) / size - 2 * across(k, reference, generated)
    )


def floor(k: Kernel, first: int, size: int, seed: int, draws: int = 500) -> Interval:
    """Return the published estimate for real observations, its mean over draws with their central
    95 %.

    A row within it is as good as real.
    """
    values = real_rows(k, first, size, seed, draws)
    low, high = np.quantile(values, CENTRAL)
    return Interval(float(values.mean()), float(low), float(high), draws)


def real_rows(
    k: Kernel, first: int, size: int, seed: int, draws: int
) -> Float[np.ndarray, " draws"]:
    """Return the published estimate for real observations: draws of `size` of those after the
    first.

    A draw is without replacement.
    """
    real, generator = len(k) - first, np.random.default_rng(seed)
    weights = np.zeros((draws, len(k)))
    for row_of in weights:
        row_of[first + generator.permutation(real)[:size]] = 1.0
    return np.asarray(mmd_squared(k, sides(len(k), first)[0], weights, biased_within))


def half_range(values: Float[np.ndarray, " draws"]) -> Interval:
    """Return half the central 95 % range of independent values with its interval, from order
    statistics.

    Each end's interval holds its true quantile whatever the distribution (the number of values
    below it is binomial); both together have `CONFIDENCE`.
    """
    n, tail = len(values), (1 - CONFIDENCE) / 4
    low, high = np.quantile(values, CENTRAL)
    below, above = stats.binom.ppf([[tail], [1 - tail]], n, CENTRAL).astype(int)
    ordered = np.sort(values)
    (least_low, least_high), (most_low, most_high) = (
        ordered[(below - 1).clip(0)],
        ordered[above.clip(max=n - 1)],
    )
    inner, outer = max(least_high - most_low, 0.0) / 2, (most_high - least_low) / 2
    return Interval(float(high - low) / 2, float(inner), float(outer), n)


def false_alarms(rows: Sequence[SetEstimate], errors: float) -> float:
    """Return how often a single set strays from its row's mean by more than `errors` standard
    errors, in any row.

    This is the rate at which a correct published row is rejected: the difference of a published row
    and our mean has the standard error of both, here it is that of single sets in units of their
    own.
    """
    strays = [np.abs(row.sets - row.mean.value) / row.spread for row in rows]
    return float((np.max(strays, axis=0) > errors).mean())
