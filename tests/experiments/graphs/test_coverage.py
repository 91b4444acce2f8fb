"""How often intervals of squared MMDs hold the true value, simulated from populations that are
known exactly.

A population is a finite list of graphs, and its distribution is to draw from it with replacement.
So the true MMD^2 of two populations is the biased estimate of the lists themselves, with no chance
in it.

    nearer  graphs     of the published value         of the difference
            of each    degree cluster orbit mean      degree cluster orbit mean
      0%     20, 20    1.000  1.000  1.000  1.000      .997   .993   .982   .987
      2%     20, 20    1.000   .997   .998   .998      .995   .998   .982   .985
      2%     40, 40    1.000   .998   .985  1.000      .997   .992   .982   .990

Nominal 99 %, shares of 600 experiments (known to 0.01); the farther population has 5 % of its pairs
flipped. Intervals of single values are long where the distributions nearly agree: there the
first-order terms vanish, and resampling both sets makes the variance of the rest up to three times
as large.
"""

from typing import NamedTuple

import numpy as np
import pytest

from ams.metrics.mmd import Kernel, biased_within, mmd_squared
from ams.statistics import Interval, proportion_interval
from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import kernel_difference, mean_kernel, published_mmd
from experiments.graphs.statistics import PUBLISHED
from tests.experiments.graphs.made import disturbed

POPULATION, DRAWN, SEED = 200, 20, 11
"""Graphs of a population, of the reference and of a generated set; the seed of all draws."""
NEARER, FARTHER = 0.02, 0.05
"""The shares of pairs that are flipped in two populations."""


class Truth(NamedTuple):
    """The mean of the published value of the nearer population, and the difference of the farther
    and it.
    """

    published: float
    difference: float


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    """Return the mean kernel of the three populations, one after the other: real, nearer,
    farther.
    """
    real, base = (community_small(POPULATION, SEED + index) for index in range(2))
    generated = [graph for share in (NEARER, FARTHER) for graph in disturbed(base, share, SEED)]
    return mean_kernel(PUBLISHED, [*real, *generated])


def truth_of(k: Kernel) -> Truth:
    """Return the true values of three populations."""
    real, near, far = np.repeat(np.eye(3), POPULATION, axis=1)
    bias = sum((1 - float(biased_within(k, weights))) / DRAWN for weights in (real, near))
    nearer, farther = (
        float(mmd_squared(k, real, weights, biased_within)) for weights in (near, far)
    )
    return Truth(nearer + bias, farther - nearer)


def coverage(k: Kernel, truth: Truth, experiments: int) -> list[Interval]:
    """Return the shares of experiments in which both intervals held the truth, with their
    intervals.

    Sets are drawn with replacement; the graphs of a pair come from one place.
    """
    generator = np.random.default_rng(SEED)
    held = np.zeros(2, dtype=int)
    for seed in range(experiments):
        real, drawn = (generator.integers(0, POPULATION, DRAWN) for _ in range(2))
        places = np.concatenate([real, POPULATION + drawn, 2 * POPULATION + drawn])
        pool = k[np.ix_(places, places)]
        value = published_mmd(pool[: 2 * DRAWN, : 2 * DRAWN], DRAWN, seed)
        paired = kernel_difference(pool, DRAWN, [DRAWN], seed).interval
        intervals = zip((value, paired), truth, strict=True)
        held += [interval.low <= true <= interval.high for interval, true in intervals]
    return [proportion_interval(count, experiments) for count in held.tolist()]


def test_intervals_hold_the_true_value_nearly_as_stated(kernel: Kernel) -> None:
    """In at least 95 % of experiments, with 99 % confidence; nominal are 99 %.

    The seed is fixed. With another one a coverage of .985 fails in 1 % of runs.
    """
    for share in coverage(kernel, truth_of(kernel), 600):
        assert share.low >= 0.95
