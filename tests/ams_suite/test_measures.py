"""Measurements from numbers."""

import pytest

from ams.statistics import Interval
from ams_suite.measures import largest, of_interval


def test_the_largest_of_exact_values() -> None:
    found = largest([1.0, 3.0, 2.0], seed=7, at="b")
    assert (found.value, found.n, found.seeds, found.detail) == (3.0, 3, (7,), {"at": "b"})
    assert largest([0.5]).seeds == ()
    with pytest.raises(ValueError, match=r"NaN|finite|nan"):
        largest([1.0, float("nan")])


def test_an_interval_counts_samples() -> None:
    measured = of_interval(Interval(1.0, 0.5, 1.5, 4), batch=10)
    assert (measured.value, measured.low, measured.high, measured.n, measured.seeds) == (1.0, 0.5, 1.5, 40, ())
