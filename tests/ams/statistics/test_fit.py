"""Goodness of fit against SciPy, its error rates by simulation, and invalid arguments."""

import numpy as np
import pytest
from scipy import stats

from ams.statistics import goodness_of_fit, plan_count_test, plan_fit_test
from tests.monte_carlo import MonteCarlo


def test_goodness_of_fit_is_pearsons() -> None:
    counts, p = [18, 33, 49], [0.2, 0.3, 0.5]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare(counts, [20, 30, 50]).pvalue, rel=1e-12)


def test_rare_cells_are_pooled() -> None:
    counts, p = [2, 1, 50, 47], [0.03, 0.02, 0.5, 0.45]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([3, 47, 50], [5, 45, 50]).pvalue, rel=1e-12)
    # 4 alone is too few, and so is the next cell: both are merged
    counts, p = [4, 6, 90], [0.04, 0.045, 0.915]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([10, 90], [8.5, 91.5]).pvalue, rel=1e-12)


def test_a_rare_cell_is_pooled_with_the_next_one() -> None:
    counts, p = [7, 42, 51], [0.04, 0.45, 0.51]
    assert goodness_of_fit(counts, p) == pytest.approx(stats.chisquare([49, 51], [49, 51]).pvalue, rel=1e-12) == 1.0


def test_a_count_of_probability_0_gives_0() -> None:
    assert goodness_of_fit([50, 50, 1], [0.5, 0.5, 0.0]) == 0.0
    assert goodness_of_fit([50, 50, 0], [0.5, 0.5, 0.0]) == 1.0


@pytest.mark.monte_carlo(share=0.01)
def test_the_error_rate_of_goodness_of_fit(monte_carlo: MonteCarlo) -> None:
    """A level of 5 %, with a cell that is pooled."""
    rng, p = monte_carlo.numpy(), np.array([0.3, 0.2, 0.2, 0.15, 0.1, 0.048, 0.002])
    test = monte_carlo.note(plan_count_test(4000, 0.05, effect=0.035, share=monte_carlo.share))
    assert not test.rejects(sum(goodness_of_fit(rng.multinomial(2000, p), p) < 0.05 for _ in range(4000)))


@pytest.mark.monte_carlo(share=0.01)
def test_the_power_of_a_planned_fit(monte_carlo: MonteCarlo) -> None:
    """Planned at a false alarm of 5 % and a power of 90 %: a die that is loaded by just the smallest effect."""
    rng, fair, trials = monte_carlo.numpy(), np.full(6, 1 / 6), 2000
    plan = plan_fit_test(1200, fair, effect=0.2, share=500.0, power=0.9)
    loaded = fair * (1 + plan.smallest * np.array([1, 1, 1, -1, -1, -1]))
    p_values = [goodness_of_fit(rng.multinomial(1200, loaded), fair) for _ in range(trials)]
    test = monte_carlo.note(plan_count_test(trials, 0.9, effect=0.06, share=monte_carlo.share))
    assert not test.rejects(sum(plan.rejects(p) for p in p_values))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: goodness_of_fit([1, 2], [1.0]), "at least 2"),
        (lambda: goodness_of_fit([1, 2, 3], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.6]), "sum 1"),
        (lambda: goodness_of_fit([1, -2], [0.5, 0.5]), "one shape"),
        (lambda: goodness_of_fit([1, 2], [0.5, 0.5]), "3 counts are too few for 2 cells"),
    ],
)
def test_invalid_counts_are_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
