"""Planned tests: error rates, exact or by simulation, and plans that fail."""

import numpy as np
import pytest
from scipy import stats

from ams.statistics import (
    SUITE_FALSE_ALARM,
    Undetectable,
    goodness_of_fit,
    plan_count_test,
    plan_fit_test,
    plan_known_mean_test,
    plan_margin,
    plan_mean_test,
    plan_squares_test,
    power_analysis,
)
from tests.monte_carlo import MonteCarlo


@pytest.mark.monte_carlo(share=0.01)
def test_the_error_rates_of_a_planned_test(monte_carlo: MonteCarlo, monkeypatch) -> None:
    """Planned at a false alarm of 1 % and a power of 90 %: both rates by simulation."""
    monkeypatch.setattr(power_analysis, "POWER", 0.9)
    plan, rng = (
        plan_mean_test(12, effect=2.0, share=0.01 / SUITE_FALSE_ALARM),
        monte_carlo.numpy(),
    )
    assert plan.false_alarm == pytest.approx(0.01)
    for shift, rate, effect in ((0.0, 0.01, 0.02), (3.0 * plan.smallest, 0.9, 0.045)):
        test = monte_carlo.note(plan_count_test(4000, rate, effect, monte_carlo.share / 2))
        assert not test.rejects(
            sum(plan.rejects(rng.normal(7.0 + shift, 3.0, 12), 7.0) for _ in range(4000))
        )


@pytest.mark.parametrize("n", [5, 100, 10**6])
def test_the_error_rates_of_known_statistics(n: int) -> None:
    """False alarm and power at the smallest effect, by the exact distribution of means and
    squares.
    """
    of_mean, of_square = plan_known_mean_test(n, 9.0, 0.01), plan_squares_test(n, 1e3, 0.01)
    shift = of_mean.smallest * np.sqrt(n)
    assert 2 * stats.norm.sf(of_mean.high) == pytest.approx(1e-6) and of_mean.low == -of_mean.high
    assert stats.norm.sf(of_mean.high - shift) == pytest.approx(0.999, rel=1e-6)
    chi2 = stats.chi2(n)
    assert chi2.cdf(of_square.low) == pytest.approx(5e-7, rel=1e-6) == chi2.sf(of_square.high)
    for factor in (1 + of_square.smallest, 1 - of_square.smallest):
        assert (
            chi2.cdf(of_square.low / factor) + chi2.sf(of_square.high / factor) > 0.999 - 1e-6
            or factor < 0
        )


@pytest.mark.parametrize(("n", "rate"), [(4000, 0.95), (50, 0.5), (2000, 0.01)])
def test_the_error_rates_of_counts_are_the_binomials(n: int, rate: float) -> None:
    test = plan_count_test(n, rate, effect=0.6, share=0.01)

    def alarms(p: float) -> float:
        counts = np.arange(n + 1)
        return float(stats.binom.pmf(counts, n, p)[[test.rejects(float(k)) for k in counts]].sum())

    assert alarms(rate) <= 1e-6
    assert (
        min(alarms(p) for p in (rate - test.smallest, rate + test.smallest) if 0 <= p <= 1)
        >= 0.999 - 1e-6
    )
    assert not test.rejects(round(n * rate)) and test.rejects(float("nan"))


def test_planning_fails_if_the_effect_is_undetectable() -> None:
    with pytest.raises(
        Undetectable, match=r"100 observations detect 0\.85 .* not 0\.1: about 7232 are needed"
    ):
        plan_mean_test(100, effect=0.1)
    assert plan_mean_test(7232, effect=0.1).smallest <= 0.1


def test_a_plan_describes_itself() -> None:
    assert str(plan_mean_test(100, 1.0)) == (
        "n = 100, false alarm 1e-06: detects a mean off by 0.85 standard deviations "
        "(probability 0.999)"
    )
    assert str(plan_count_test(100, 0.5, 0.4, 0.01)).endswith(
        "detects a probability off by 0.36 (probability 0.999)"
    )


def test_a_margin_covers_bias_and_noise() -> None:
    margin = plan_margin(0.01, effect=0.1, share=0.01, bias=0.005)
    assert margin.needed == pytest.approx(0.005 + 0.01 * stats.norm.isf(5e-7))
    assert margin.smallest == pytest.approx(margin.needed + 0.01 * stats.norm.isf(1e-3))
    assert str(margin) == "standard error 0.01, tolerance 0.054: detects 0.085"
    assert margin.detail()["smallest effect seen"] == margin.smallest


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: plan_mean_test(1, 1.0), "at least two"),
        (
            lambda: plan_known_mean_test(100, 0.5, 0.01),
            r"a mean off by, in standard deviations, 0\.798, not 0\.5",
        ),
        (lambda: plan_squares_test(100, 0.5, 0.01), "a variance off by the part"),
        (lambda: plan_count_test(100, 0.5, 0.1, 0.01), "a probability off by"),
        (lambda: plan_count_test(10, 0.5, 0.5, 0.01), "a probability off by inf"),
        (lambda: plan_margin(0.01, 0.05), "a standard error of 0.01 detects 0.0798, not 0.05"),
        (lambda: plan_fit_test(100, [0.5, 0.5], 0.1, 0.01), "a distance w of probabilities of"),
        (lambda: plan_fit_test(100, [0.99, 0.01], 2.0, 0.01), "a cell expects 1 of 100"),
        (lambda: plan_mean_test(50, 2.0).rejects([1.0, 2.0]), "planned for 50"),
        (lambda: goodness_of_fit([1, 2], [1.0]), "at least 2"),
        (lambda: goodness_of_fit([1, 2, 3], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.6]), "sum 1"),
        (lambda: goodness_of_fit([1, -2], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.5]), "3 counts are too few for 2 cells"),
    ],
)
def test_what_cannot_work_is_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize(
    ("counts", "p", "pooled", "wanted"),
    [
        ([18, 33, 49], [0.2, 0.3, 0.5], [18, 33, 49], [20, 30, 50]),
        ([2, 1, 50, 47], [0.03, 0.02, 0.5, 0.45], [3, 47, 50], [5, 45, 50]),
        # 4 alone is too few, and so is the next cell
        (
            [4, 6, 90],
            [0.04, 0.045, 0.915],
            [10, 90],
            [8.5, 91.5],
        ),
        ([7, 42, 51], [0.04, 0.45, 0.51], [49, 51], [49, 51]),
    ],
)
def test_goodness_of_fit_is_pearsons_with_rare_cells_pooled(counts, p, pooled, wanted) -> None:
    assert goodness_of_fit(counts, p) == pytest.approx(
        stats.chisquare(pooled, wanted).pvalue, rel=1e-12
    )


def test_a_count_of_probability_0_gives_0() -> None:
    assert goodness_of_fit([50, 50, 1], [0.5, 0.5, 0.0]) == 0.0
    assert goodness_of_fit([50, 50, 0], [0.5, 0.5, 0.0]) == 1.0


@pytest.mark.monte_carlo(share=0.01)
def test_the_power_of_a_planned_fit(monte_carlo: MonteCarlo, monkeypatch) -> None:
    """Planned at a false alarm of 5 % and a power of 90 %: a die that is loaded by just the
    smallest effect.
    """
    monkeypatch.setattr(power_analysis, "POWER", 0.9)
    rng, fair, trials = monte_carlo.numpy(), np.full(6, 1 / 6), 2000
    plan = plan_fit_test(1200, fair, effect=0.2, share=500.0)
    loaded = fair * (1 + plan.smallest * np.array([1, 1, 1, -1, -1, -1]))
    p_values = [goodness_of_fit(rng.multinomial(1200, loaded), fair) for _ in range(trials)]
    test = monte_carlo.note(plan_count_test(trials, 0.9, effect=0.06, share=monte_carlo.share))
    assert not test.rejects(sum(plan.rejects(p) for p in p_values))
