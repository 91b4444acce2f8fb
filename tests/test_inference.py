"""Inference: coverage and error rates by simulation, against scipy, and refusals.

Each simulated rate is compared by a Clopper-Pearson interval at confidence 1 - 1e-6: that is the false-alarm rate.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ams.inference import (
    SUITE_FALSE_ALARM,
    Undetectable,
    convergence_order,
    goodness_of_fit,
    mean_interval,
    plan_mean_test,
    proportion_interval,
)

SURE = 1 - 1e-6


def consistent(hits: int, n: int, rate: float) -> bool:
    """Return whether `hits` of `n` may come from `rate`."""
    _, low, high, _ = proportion_interval(hits, n, SURE)
    return low <= rate <= high


def test_mean_interval_is_scipys() -> None:
    values = [1.0, 2.5, 2.0, 4.0]
    reference = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = mean_interval(values, 0.9)
    assert found == pytest.approx((np.mean(values), reference.low, reference.high, 4), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5])
def test_mean_interval_covers_as_often_as_it_says(n: int) -> None:
    """4,000 samples: a coverage of .93 instead of .95 is seen (6 standard errors)."""
    rng = np.random.default_rng(0)
    intervals = [mean_interval(rng.normal(3.0, 2.0, n)) for _ in range(4000)]
    assert consistent(sum(i.low <= 3.0 <= i.high for i in intervals), 4000, 0.95)


@given(st.integers(1, 200), st.data())
@settings(deadline=None, max_examples=30)
def test_proportion_interval_is_exact(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    found = proportion_interval(k, n, 0.9)
    assert 0 <= found.low <= found.value <= found.high <= 1
    if k > 0:
        assert stats.binom.sf(k - 1, n, found.low) == pytest.approx(0.05, rel=1e-6)
    if k < n:
        assert stats.binom.cdf(k, n, found.high) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0])
def test_the_order_of_an_exact_power_is_found(order: float) -> None:
    h = 0.1 / 2.0 ** np.arange(6)
    found = convergence_order(h, 3 * h**order)
    assert found.value == pytest.approx(order, rel=1e-12) and found.high - found.low < 1e-12
    curved = convergence_order(h, 3 * h**order * (1 + 10 * h))
    assert curved.high - curved.low > 0.05  # no one power


def test_the_interval_of_an_order_covers_as_often_as_it_says() -> None:
    """2,000 regressions on five errors with 10 % noise: a coverage of .92 instead of .95 is seen."""
    rng, h = np.random.default_rng(0), 0.1 / 2.0 ** np.arange(5)
    fits = [convergence_order(h, h * np.exp(0.1 * rng.standard_normal(5))) for _ in range(2000)]
    assert consistent(sum(fit.low <= 1.0 <= fit.high for fit in fits), 2000, 0.95)


def test_a_planned_test_errs_as_often_as_it_says() -> None:
    """Planned at a false alarm of 1 % and a power of 90 %: both rates by 4,000 simulated samples, within 2.5 %."""
    plan = plan_mean_test(12, effect=2.0, share=0.01 / SUITE_FALSE_ALARM, power=0.9)
    rng = np.random.default_rng(0)
    assert plan.false_alarm == pytest.approx(0.01)
    silent = sum(plan.rejects(rng.normal(7.0, 3.0, 12), expected=7.0) for _ in range(4000))
    seen = sum(plan.rejects(rng.normal(7.0 + 3.0 * plan.smallest, 3.0, 12), expected=7.0) for _ in range(4000))
    assert consistent(silent, 4000, 0.01) and consistent(seen, 4000, 0.9)


def test_a_test_of_many_observations_is_the_normal_one() -> None:
    plan = plan_mean_test(10**6, effect=0.01)
    z = stats.norm.isf(0.01 * SUITE_FALSE_ALARM / 2)
    assert plan.critical == pytest.approx(z, rel=1e-4)
    assert plan.smallest == pytest.approx((z + stats.norm.isf(0.001)) / 1000, rel=1e-4)


def test_a_test_that_cannot_see_its_effect_is_refused_with_the_number_that_could() -> None:
    with pytest.raises(Undetectable, match=r"100 observations see 0\.85 .* not 0\.1: about 7232 are needed"):
        plan_mean_test(100, effect=0.1)
    assert plan_mean_test(7232, effect=0.1).smallest <= 0.1


def test_goodness_of_fit_is_pearsons() -> None:
    counts, p = [18, 33, 49], [0.2, 0.3, 0.5]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare(counts, [20, 30, 50]).pvalue, rel=1e-12)


def test_rare_cells_are_pooled() -> None:
    counts, p = [2, 1, 50, 47], [0.03, 0.02, 0.5, 0.45]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([3, 47, 50], [5, 45, 50]).pvalue, rel=1e-12)
    # 4 alone is too few, and so is the next cell: both merge
    counts, p = [4, 6, 90], [0.04, 0.045, 0.915]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([10, 90], [8.5, 91.5]).pvalue, rel=1e-12)


def test_a_count_where_none_can_be_is_certain() -> None:
    assert goodness_of_fit([50, 50, 1], [0.5, 0.5, 0.0]) == 0.0
    assert goodness_of_fit([50, 50, 0], [0.5, 0.5, 0.0]) == 1.0


def test_goodness_of_fit_errs_as_often_as_it_says_and_sees_a_bias() -> None:
    """2,000 multinomials: a level of 8 % instead of 5 is seen; a die loaded by a half is, of 1,200 throws."""
    rng, p = np.random.default_rng(0), np.array([0.3, 0.2, 0.2, 0.15, 0.1, 0.04, 0.01])
    rejected = sum(goodness_of_fit(rng.multinomial(2000, p), p) < 0.05 for _ in range(2000))
    assert consistent(rejected, 2000, 0.05)
    loaded = rng.multinomial(1200, np.array([1.5, 0.9, 0.9, 0.9, 0.9, 0.9]) / 6)
    assert goodness_of_fit(loaded, np.full(6, 1 / 6)) < 1e-3


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: mean_interval([1.0]), "at least 2 finite"),
        (lambda: mean_interval([1.0, math.nan]), "finite"),
        (lambda: convergence_order([1, 2], [1, 2]), "at least 3"),
        (lambda: convergence_order([1, 2, 3], [1, 2, 3, 4]), "as many"),
        (lambda: convergence_order([1, 2, 3], [1, 0, 3]), "positive"),
        (lambda: convergence_order([-1, 2, 3], [1, 1, 3]), "positive"),
        (lambda: convergence_order([2, 2, 2], [1, 1, 3]), "differ"),
        (lambda: plan_mean_test(1, 1.0), "at least two"),
        (lambda: plan_mean_test(50, 2.0).rejects([1.0, 2.0]), "planned for 50"),
        (lambda: goodness_of_fit([1, 2], [1.0]), "at least 2"),
        (lambda: goodness_of_fit([1, 2, 3], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.6]), "sum 1"),
        (lambda: goodness_of_fit([1, -2], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.5]), "3 counts are too few for 2 cells"),
    ],
)
def test_what_permits_no_conclusion_is_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
