"""Intervals against SciPy, their coverage by simulation, and invalid arguments."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from ams.statistics import jackknife_interval, mean_interval, proportion_interval, ratio_interval


def test_mean_interval_is_scipys() -> None:
    values = [1.0, 2.5, 2.0, 4.0]
    reference = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean_interval(values, 0.9) == pytest.approx((np.mean(values), reference.low, reference.high, 4), rel=1e-12)


def test_ratio_interval_inverts_students_test() -> None:
    """At either end the interval of the mean of `y - r x` ends at 0; it is unbounded where x may be 0."""
    y, x = np.array([1.0, 2.0, 2.5, 1.5]), np.array([2.0, 3.0, 2.5, 2.2])
    ratio = ratio_interval(y, x, 0.9)
    assert ratio.value == pytest.approx(y.mean() / x.mean()) and ratio.n == 4
    assert mean_interval(y - ratio.low * x, 0.9).low == pytest.approx(0.0, abs=1e-12)
    assert mean_interval(y - ratio.high * x, 0.9).high == pytest.approx(0.0, abs=1e-12)
    assert ratio_interval(y, x - 2.4, 0.9)[1:3] == (-math.inf, math.inf)


def test_the_jackknife_removes_a_bias_of_order_one_over_n() -> None:
    """The plug-in variance of n numbers, exactly."""
    x = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    interval = jackknife_interval(float(x.var()), [float(np.delete(x, i).var()) for i in range(5)], 0.9)
    assert interval.value == pytest.approx(x.var(ddof=1)) and interval.low < interval.value < interval.high


@given(st.integers(1, 200), st.data())
@settings(deadline=None, max_examples=30)
def test_proportion_interval_is_exact(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    share = proportion_interval(k, n, 0.9)
    assert 0 <= share.low <= share.value <= share.high <= 1
    if k > 0:
        assert stats.binom.sf(k - 1, n, share.low) == pytest.approx(0.05, rel=1e-6)
    if k < n:
        assert stats.binom.cdf(k, n, share.high) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: mean_interval([1.0]), "at least 2 finite"),
        (lambda: mean_interval([1.0, math.nan]), "finite"),
        (lambda: jackknife_interval(1.0, [1.0], 0.9), "at least 2 finite"),
        (lambda: ratio_interval([1.0, 2.0], [1.0, 2.0, 3.0]), "2 numerators for 3 denominators"),
    ],
)
def test_invalid_values_are_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
