"""Measurements from numbers."""

import numpy as np
import pytest

from ams.statistics import Interval, Order
from ams_suite import measures
from ams_suite.measures import geometric_mean_ratio, largest, named_extreme, of_interval, of_order


def test_the_largest_of_exact_values() -> None:
    found = largest([1.0, 3.0, 2.0], seed=7, at="b")
    assert (found.value, found.n, found.seeds, found.detail) == (3.0, 3, (7,), {"at": "b"})
    assert largest([0.5]).seeds == ()
    with pytest.raises(ValueError, match=r"NaN|finite|nan"):
        largest([1.0, float("nan")])


def test_an_interval_counts_samples() -> None:
    measured = of_interval(Interval(1.0, 0.5, 1.5, 4), batch=10)
    assert (measured.value, measured.low, measured.high, measured.n, measured.seeds) == (1.0, 0.5, 1.5, 40, ())


def test_a_geometric_mean_of_ratios() -> None:
    measured = geometric_mean_ratio([2.0, 8.0], [1.0, 1.0], 0.95, seed=3, pairs="both")
    assert measured.value == pytest.approx(4.0) and measured.n == 2 and measured.seeds == (3,)
    assert measured.interval[0] * measured.interval[1] == pytest.approx(16.0)  # symmetric on logarithms
    assert measured.detail == {"pairs": "both"}


def test_an_order_counts_its_steps() -> None:
    measured = of_order(Order(2.0, 1.9, 2.1, (0.1, 0.05), (2.0,), 0.0), other=1.0)
    assert (measured.value, measured.low, measured.high) == (2.0, 1.9, 2.1)
    assert (measured.n, measured.detail) == (2, {"other": 1.0})


def test_an_extreme_names_every_value() -> None:
    values = {"a": 1.0, "b": 3.0}
    assert named_extreme(values).value == 3.0 and named_extreme(values, min).value == 1.0
    assert named_extreme(values).detail == values


def test_speed_up_is_the_ratio_and_says_where_it_is_a_bound() -> None:
    """A baseline of error 1/NFE, samples of error 1/100 at 50: twice as fast; bounded by the curve's end."""
    curve = {budget: np.full(3, 1 / budget) for budget in (20, 80, 400)}
    twice = measures.speed_up([0.01] * 3, curve, 50, 0.999, seed=2405, batch=8, baseline="b")
    low, high = twice.interval
    assert twice.value == pytest.approx(2.0) and low == pytest.approx(1.6) and high == pytest.approx(8.0)
    assert twice.n == 24 and twice.seeds == (2405,) and twice.detail["baseline"] == "b"
    far = measures.speed_up([1e-6] * 3, curve, 50, 0.999, seed=2405)
    assert far.value == far.high == pytest.approx(8.0) == far.detail["largest ratio that could be seen"]


def test_differences_are_paired_by_batch() -> None:
    """Batches far apart of each other, whose pairs differ by 1 and 1.1."""
    ours, theirs = [101.0, 1.1], [100.0, 0.0]
    paired, alone = measures.mean_difference(ours, theirs, 0.999, 1, budget=20), measures.mean_of(ours, 0.999, 1)
    assert paired.value == pytest.approx(1.05) and paired.detail == {"budget": 20}
    assert np.ptp(paired.interval) < 0.01 * np.ptp(alone.interval)


def test_an_experiment_repeated_with_other_choices_has_the_intervals_of_all() -> None:
    first, second = measures.mean_of([1.0, 1.2], 0.9, 1), measures.mean_of([3.0, 3.1], 0.9, 1)
    both = measures.over_choices([first, second])
    assert both.value == pytest.approx((first.value + second.value) / 2)
    assert both.interval == (first.interval[0], second.interval[1]) and both.n == 2
    assert both.detail["each choice"] == [[first.value, *first.interval], [second.value, *second.interval]]
