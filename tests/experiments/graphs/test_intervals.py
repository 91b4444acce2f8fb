"""Intervals of few units, Stouffer's Z and Holm's procedure: against simulation and scipy."""

import numpy as np
import pytest
from scipy import stats

from ams.statistics import Interval, bootstrap_interval
from experiments.graphs.intervals import (
    QUANTILE,
    combined,
    farthest,
    half_length,
    joint_quantile,
    resolved_by_holm,
    smallest_seen,
    stretched,
)


def interval(score: float) -> Interval:
    return Interval(score, score - QUANTILE, score + QUANTILE, 10)


def test_a_stretched_interval_of_four_units_covers_as_stated() -> None:
    """400 bootstrap intervals of the mean of 4 normal values: 99 % hold 0 (at least .96: four standard errors less).

    Without the stretch about 84 % do.
    """
    generator, held = np.random.default_rng(0), np.zeros(2)
    for _ in range(400):
        x = generator.normal(size=4)
        found = bootstrap_interval(lambda w, x=x: w @ x / w.sum(1), [[[i] for i in range(4)]], 1, resamples=500)
        held += [one.low <= 0 <= one.high for one in (found, stretched(found))]
    assert held[0] / 400 < 0.93 and held[1] / 400 > 0.96


def test_combined_is_stouffers() -> None:
    scores = [0.3, 2.1, -0.4, 1.2]
    found = combined([interval(score) for score in scores])
    theirs = stats.combine_pvalues(stats.norm.sf(scores), method="stouffer")
    assert found.value == pytest.approx(theirs.statistic) and found.n == 4
    assert found.high - found.value == pytest.approx(stats.norm.ppf(0.995))


def test_holm_rejects_step_by_step() -> None:
    """Against the definition: the smallest p at level / k, the next at level / (k - 1), until one is too large."""
    p = np.array([0.001, 0.004, 0.006, 0.3])
    scores = stats.norm.isf(p / 2) * [1, -1, 1, 1]
    assert resolved_by_holm(scores, 0.01) == [True, False, False, False]
    assert resolved_by_holm(scores, 0.02) == [True, True, True, False]
    assert resolved_by_holm(scores[::-1], 0.02) == [False, True, True, True]
    assert resolved_by_holm([]) == []


def test_the_farthest_of_three_differences_is_within_its_joint_interval() -> None:
    """10,000 triples of normal estimates: the interval holds the largest true difference in 99 %, and 0 as often.

    A difference of `smallest_seen` is told from 0 in 99 %. Each share is known to five standard errors.
    """
    generator, slack = np.random.default_rng(0), 5 * np.sqrt(0.01 * 0.99 / 10_000)
    for truth, seen in (([0.0, 0.0, 0.0], False), ([1.0, 2.0, 2.0], False), ([0.0, 0.0, smallest_seen(3)], True)):
        found = [farthest(np.abs(row + truth).tolist(), 9) for row in generator.normal(size=(10_000, 3))]
        assert np.mean([one.low <= max(truth) <= one.high for one in found]) >= 0.99 - slack
        if seen:
            assert np.mean([one.low > 0 for one in found]) == pytest.approx(0.99, abs=slack)
    assert joint_quantile(1) == pytest.approx(QUANTILE) and farthest([1.0, 9.0], 4).n == 4


def test_half_a_length_has_the_interval_of_a_spread() -> None:
    """2000 intervals of 48 normal units: 99 % hold the true half length (to five standard errors)."""
    x = np.random.default_rng(0).normal(size=(2000, 48))
    halves = QUANTILE * x.std(1, ddof=1)
    found = [half_length(Interval(0.0, -half, half, 48)) for half in halves.tolist()]
    held = np.mean([one.low <= QUANTILE <= one.high for one in found])
    assert held == pytest.approx(0.99, abs=5 * np.sqrt(0.01 * 0.99 / 2000))
