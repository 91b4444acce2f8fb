"""The bootstrap interval: resamples, coverage, invalid sources."""

import math

import numpy as np
import pytest
from scipy import stats

from ams.statistics import SUITE_FALSE_ALARM
from ams.statistics.bootstrap import FEWEST_UNITS, bootstrap_interval, resampled
from tests.monte_carlo import MonteCarlo


def singles(start: int, stop: int) -> list[list[int]]:
    """Return units of one observation each."""
    return [[place] for place in range(start, stop)]


def mean_of(values: np.ndarray):
    """Return the mean of `values` as a function of weights."""
    return lambda w: (w @ values) / w.sum(1)


def test_a_unit_is_drawn_as_a_whole_and_a_source_keeps_its_size():
    units, others = [[0, 3], [1, 4], [2, 5], [6]], singles(7, 12)
    drawn = resampled([units, others], 12, 300, seed=0)
    np.testing.assert_array_equal(drawn[:, [0, 1, 2]], drawn[:, [3, 4, 5]])
    np.testing.assert_array_equal(drawn[:, [0, 1, 2, 6]].sum(1), 4)
    np.testing.assert_array_equal(drawn[:, 7:].sum(1), 5)


@pytest.mark.monte_carlo(share=0.01)
def test_its_coverage_is_about_nominal(monte_carlo: MonteCarlo):
    """Misses of 400 nominal 90 % intervals of a mean of 50: an exact binomial test of the 11 % that is known.

    Percentiles of a mean of n cover as the normal interval with the uncorrected deviation: t_49 beyond 1.645
    sqrt(49/50). An interval too short by a factor 0.7, which misses 26 %, is detected with probability 0.999.
    """
    generator = monte_carlo.numpy()
    missed = 0
    for seed in range(400):
        values = generator.standard_normal(50)
        interval = bootstrap_interval(mean_of(values), [singles(0, 50)], seed, confidence=0.9, resamples=200)
        missed += not interval.low <= 0.0 <= interval.high
    expected = 2 * stats.t.sf(stats.norm.isf(0.05) * math.sqrt(49 / 50), 49)
    assert stats.binomtest(missed, 400, expected).pvalue > monte_carlo.share * SUITE_FALSE_ALARM


def test_pairs_that_share_their_noise_have_a_shorter_difference():
    generator = np.random.default_rng(0)
    noise = generator.standard_normal(60)
    values = np.concatenate([noise, noise + 0.1 * generator.standard_normal(60)])

    def gap(w: np.ndarray) -> np.ndarray:
        return (w[:, 60:] @ values[60:]) / w[:, 60:].sum(1) - (w[:, :60] @ values[:60]) / w[:, :60].sum(1)

    paired = bootstrap_interval(gap, [[[i, 60 + i] for i in range(60)]], seed=1)
    apart = bootstrap_interval(gap, [singles(0, 60), singles(60, 120)], seed=1)
    assert paired.value == apart.value and paired.high - paired.low < 0.2 * (apart.high - apart.low)


def test_a_resample_without_a_value_is_left_out():
    values = np.arange(4.0)

    def spread(w: np.ndarray) -> np.ndarray:
        several = (w > 0).sum(1) > 1
        return np.where(several, mean_of(values)(w), np.nan)

    interval = bootstrap_interval(spread, [singles(0, 4)], seed=0)
    assert 0.0 <= interval.low < 1.5 < interval.high <= 3.0


def test_invalid_sources_are_refused():
    values = np.ones(8)
    with pytest.raises(ValueError, match=f"at least {FEWEST_UNITS} units"):
        bootstrap_interval(mean_of(values), [singles(0, 3), singles(3, 8)], seed=0)
    with pytest.raises(ValueError, match="one unit"):
        bootstrap_interval(mean_of(values), [singles(0, 4), singles(3, 8)], seed=0)
    with pytest.raises(ValueError, match="not finite"):
        bootstrap_interval(lambda w: np.full(len(w), np.nan), [singles(0, 8)], seed=0)
