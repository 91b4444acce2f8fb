"""Readings of batches, on numbers that are known."""

from typing import NamedTuple

import pytest

from experiments.images import comparison
from experiments.images.runs import BatchSetup

SETUP = BatchSetup(8, 0.05, 2405)


class Measured(NamedTuple):
    error: float


def error(batch: Measured) -> float:
    return batch.error


def test_speed_up_is_the_ratio_and_says_where_it_is_a_bound() -> None:
    """A baseline of error 1/NFE, samples of error 1/100 at 50: twice as fast; bounded by the curve's end."""
    curve = {budget: [Measured(1 / budget)] * 3 for budget in (20, 80, 400)}
    twice = comparison.speed_up(SETUP, [Measured(0.01)] * 3, curve, 50, error, baseline="b")
    assert twice.value == pytest.approx(2.0) and twice.low is not None and twice.high is not None
    assert 1.94 < twice.low < 2.0 < twice.high < 2.06 and twice.n == 24 and twice.seeds == (2405,)
    far = comparison.speed_up(SETUP, [Measured(1e-6)] * 3, curve, 50, error)
    assert far.value == far.high == pytest.approx(8.0) == far.detail["largest ratio that could be seen"]


def test_differences_are_paired_by_batch() -> None:
    """Batches far apart of each other, whose pairs differ by 1 and 1.1."""
    ours, theirs = [Measured(101.0), Measured(1.1)], [Measured(100.0), Measured(0.0)]
    paired = comparison.difference(SETUP, ours, theirs, error, budget=20)
    assert paired.value == pytest.approx(1.05) and paired.detail == {"budget": 20}
    low, high = paired.interval
    alone_low, alone_high = comparison.mean(SETUP, ours, error).interval
    assert high - low < 0.01 * (alone_high - alone_low)


def test_the_farthest_interval_is_found_on_either_side() -> None:
    means = [comparison.mean(SETUP, [Measured(a), Measured(b)], error) for a, b in ((0.9, 1.1), (-1.0, -1.1), (2, 2.1))]
    assert comparison.farthest(means) is means[0]  # the widest: 63.7 Student's quantile at two batches
    assert comparison.farthest(means[1:], origin=2.0) is means[1]
