"""Evaluations to a threshold: read off exact curves, and with intervals off curves of batches."""

import math

import numpy as np
import pytest

from ams.statistics.nfe_to_threshold import budgets_around, nfe_interval, nfe_ratio_interval, nfe_to_threshold


def test_it_reads_between_budgets_on_logarithms_of_both() -> None:
    points = [(10, 1.0), (100, 0.01), (200, 0.1)]
    assert nfe_to_threshold(points, 0.1) == pytest.approx(10**1.5)
    assert nfe_to_threshold(points, 2.0) == 10 and nfe_to_threshold(points, 1e-3) == math.inf


def test_the_budgets_around_a_threshold_bound_what_is_needed() -> None:
    points = [(10, 1.0), (100, 0.01), (200, 0.1)]
    assert budgets_around(points, 0.1) == (10, 100) and budgets_around(points, 0.01) == (10, 100)
    assert budgets_around(points, 2.0) == (0, 10) and budgets_around(points, 1e-3) == (200, math.inf)


def test_no_more_points_are_asked_for_than_are_needed() -> None:
    def points():
        yield 10, 1.0
        yield 20, 0.1
        raise AssertionError("one point too many")

    assert nfe_to_threshold(points(), 0.1) == 20


def curve(rng: np.random.Generator, spread: float) -> dict[int, np.ndarray]:
    return {budget: 10 / budget * (1 + spread * rng.standard_normal(8)) for budget in (10, 20, 40, 80)}


@pytest.mark.monte_carlo(share=0.01)
def test_the_interval_holds_the_true_budget(monte_carlo) -> None:
    """An error of 10 / NFE falls to 1/3 at 30; of 60 intervals at 0.999 at most one misses it. Ends are budgets."""
    rng = np.random.default_rng(monte_carlo.seed)
    spans = [nfe_interval(curve(rng, 0.05), 1 / 3, 0.999) for _ in range(60)]
    assert sum(not span.low <= 30 <= span.high for span in spans) <= 1
    assert all(span.low <= span.value <= span.high for span in spans)
    assert sum(span[1:] == (20, 40) for span in spans) > 55


def test_an_interval_ends_where_runs_were_made() -> None:
    """Between two budgets the error may fall at either of them; a budget too close to the threshold is no end."""
    errors = {10: np.array([3.0, 3.1]), 20: np.array([1.0, 1.1]), 40: np.array([0.1, 0.2])}
    assert nfe_interval(errors, 0.5, 0.9)[1:] == (20, 40)
    assert nfe_interval(errors, 1.05, 0.9)[1:] == (10, 40)
    assert nfe_interval(errors, 0.15, 0.9)[1:] == (20, math.inf)


def test_a_ratio_joins_two_intervals() -> None:
    rng = np.random.default_rng(0)
    fast, slow = curve(rng, 1e-6), {2 * budget: errors for budget, errors in curve(rng, 1e-6).items()}
    ratio = nfe_ratio_interval(fast, slow, 1 / 3, 0.99)
    assert ratio.value == pytest.approx(2.0, rel=1e-3) and ratio.low <= 2.0 <= ratio.high
    never = nfe_ratio_interval(fast, slow, 1e-3, 0.99)
    assert math.isnan(never.value) and never.high == math.inf
