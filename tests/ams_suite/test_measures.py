"""Measurements from the numbers of batches, on numbers that are known."""

import numpy as np
import pytest

from ams_suite import measures


def test_speed_up_is_the_ratio_and_says_where_it_is_a_bound() -> None:
    """A baseline of error 1/NFE, samples of error 1/100 at 50: twice as fast; bounded by the curve's end."""
    curve = {budget: np.full(3, 1 / budget) for budget in (20, 80, 400)}
    twice = measures.speed_up([0.01] * 3, curve, 50, 0.999, seed=2405, batch=8, baseline="b")
    low, high = twice.interval
    assert twice.value == pytest.approx(2.0) and 1.94 < low < 2.0 < high < 2.06
    assert twice.n == 24 and twice.seeds == (2405,) and twice.detail["baseline"] == "b"
    far = measures.speed_up([1e-6] * 3, curve, 50, 0.999, seed=2405)
    assert far.value == far.high == pytest.approx(8.0) == far.detail["largest ratio that could be seen"]


def test_differences_are_paired_by_batch() -> None:
    """Batches far apart of each other, whose pairs differ by 1 and 1.1."""
    ours, theirs = [101.0, 1.1], [100.0, 0.0]
    paired, alone = measures.mean_difference(ours, theirs, 0.999, 1, budget=20), measures.mean_of(ours, 0.999, 1)
    assert paired.value == pytest.approx(1.05) and paired.detail == {"budget": 20}
    assert np.ptp(paired.interval) < 0.01 * np.ptp(alone.interval)
