"""Intervals, the bootstrap, evaluations to a threshold, tuning at its edge, orders of convergence.

Values are compared with SciPy's or with exact ones, coverage is simulated, and invalid arguments
are refused.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from ams.statistics import (
    SUITE_FALSE_ALARM,
    NotAsymptotic,
    asymptotic_order,
    convergence_order,
    jackknife_interval,
    mean_interval,
    plan_count_test,
    proportion_interval,
    ratio_interval,
)
from ams.statistics.bootstrap import FEWEST_UNITS, bootstrap_interval, resampled
from ams.statistics.nfe_to_threshold import (
    budgets_around,
    nfe_interval,
    nfe_ratio_interval,
    nfe_to_threshold,
)
from ams.statistics.tuning import optima_on_edge
from tests.monte_carlo import MonteCarlo


def test_mean_interval_is_scipys() -> None:
    values = [1.0, 2.5, 2.0, 4.0]
    reference = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean_interval(values, 0.9) == pytest.approx(
        (np.mean(values), reference.low, reference.high, 4), rel=1e-12
    )


def test_ratio_interval_inverts_students_test() -> None:
    """At either end the interval of the mean of `y - r x` ends at 0; it is unbounded where x may
    be 0.
    """
    y, x = np.array([1.0, 2.0, 2.5, 1.5]), np.array([2.0, 3.0, 2.5, 2.2])
    ratio = ratio_interval(y, x, 0.9)
    assert ratio.value == pytest.approx(y.mean() / x.mean()) and ratio.n == 4
    assert mean_interval(y - ratio.low * x, 0.9).low == pytest.approx(0.0, abs=1e-12)
    assert mean_interval(y - ratio.high * x, 0.9).high == pytest.approx(0.0, abs=1e-12)
    assert ratio_interval(y, x - 2.4, 0.9)[1:3] == (-math.inf, math.inf)


def test_the_jackknife_removes_a_bias_of_order_one_over_n() -> None:
    """The plug-in variance of n numbers, exactly."""
    x = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    interval = jackknife_interval(
        float(x.var()), [float(np.delete(x, i).var()) for i in range(5)], 0.9
    )
    assert (
        interval.value == pytest.approx(x.var(ddof=1))
        and interval.low < interval.value < interval.high
    )


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


def singles(start: int, stop: int) -> list[list[int]]:
    """Return units of one observation each."""
    return [[place] for place in range(start, stop)]


def mean_of(values: np.ndarray):
    """Return the mean of `values` as a function of weights."""
    return lambda w: (w @ values) / w.sum(1)


def test_a_unit_is_drawn_as_a_whole_and_a_source_keeps_its_size():
    units, others = [[0, 3], [1, 4], [2, 5], [6]], singles(7, 12)
    drawn = resampled([units, others], 12, 300, seed=0)
    np.testing.assert_array_equal(drawn[:, [0, 1, 2]], drawn[:, [3, 4, 5]])
    np.testing.assert_array_equal(drawn[:, [0, 1, 2, 6]].sum(1), 4)
    np.testing.assert_array_equal(drawn[:, 7:].sum(1), 5)


@pytest.mark.monte_carlo(share=0.01)
def test_its_coverage_is_about_nominal(monte_carlo: MonteCarlo):
    """Misses of 400 nominal 90 % intervals of a mean of 50: an exact binomial test of the 11 % that
    is known.

    Percentiles of a mean of n cover as the normal interval with the uncorrected deviation: t_49
    beyond 1.645 sqrt(49/50). An interval too short by a factor 0.7, which misses 26 %, is detected
    with probability 0.999.
    """
    generator = monte_carlo.numpy()
    missed = 0
    for seed in range(400):
        values = generator.standard_normal(50)
        interval = bootstrap_interval(
            mean_of(values), [singles(0, 50)], seed, confidence=0.9, resamples=200
        )
        missed += not interval.low <= 0.0 <= interval.high
    expected = 2 * stats.t.sf(stats.norm.isf(0.05) * math.sqrt(49 / 50), 49)
    assert stats.binomtest(missed, 400, expected).pvalue > monte_carlo.share * SUITE_FALSE_ALARM


def test_a_resample_without_a_value_is_left_out():
    values = np.arange(4.0)

    def spread(w: np.ndarray) -> np.ndarray:
        several = (w > 0).sum(1) > 1
        return np.where(several, mean_of(values)(w), np.nan)

    interval = bootstrap_interval(spread, [singles(0, 4)], seed=0)
    assert 0.0 <= interval.low < 1.5 < interval.high <= 3.0


def test_a_threshold_is_read_between_budgets_on_logarithms_of_both() -> None:
    points = [(10, 1.0), (100, 0.01), (200, 0.1)]
    assert nfe_to_threshold(points, 0.1) == pytest.approx(10**1.5)
    assert nfe_to_threshold(points, 2.0) == 10 and nfe_to_threshold(points, 1e-3) == math.inf
    assert budgets_around(points, 0.1) == (10, 100) and budgets_around(points, 0.01) == (10, 100)
    assert budgets_around(points, 2.0) == (0, 10) and budgets_around(points, 1e-3) == (
        200,
        math.inf,
    )


def test_no_more_points_are_asked_for_than_are_needed() -> None:
    def points():
        yield 10, 1.0
        yield 20, 0.1
        raise AssertionError("one point too many")

    assert nfe_to_threshold(points(), 0.1) == 20


def curve(rng: np.random.Generator, spread: float) -> dict[int, np.ndarray]:
    return {
        budget: 10 / budget * (1 + spread * rng.standard_normal(8)) for budget in (10, 20, 40, 80)
    }


@pytest.mark.monte_carlo(share=0.01)
def test_the_interval_holds_the_true_budget(monte_carlo) -> None:
    """An error of 10 / NFE falls to 1/3 at 30; of 60 intervals at 0.999 at most one misses it.
    Ends are budgets.
    """
    rng = np.random.default_rng(monte_carlo.seed)
    spans = [nfe_interval(curve(rng, 0.05), 1 / 3, 0.999) for _ in range(60)]
    assert sum(not span.low <= 30 <= span.high for span in spans) <= 1
    assert all(span.low <= span.value <= span.high for span in spans)
    assert sum(span[1:] == (20, 40) for span in spans) > 55


def test_an_interval_ends_where_runs_were_made() -> None:
    """Between two budgets the error may fall at either of them; a budget too close to the
    threshold is no end.
    """
    errors = {10: np.array([3.0, 3.1]), 20: np.array([1.0, 1.1]), 40: np.array([0.1, 0.2])}
    assert nfe_interval(errors, 0.5, 0.9)[1:] == (20, 40)
    assert nfe_interval(errors, 1.05, 0.9)[1:] == (10, 40)
    assert nfe_interval(errors, 0.15, 0.9)[1:] == (20, math.inf)


def test_a_ratio_joins_two_intervals() -> None:
    rng = np.random.default_rng(0)
    fast, slow = (
        curve(rng, 1e-6),
        {2 * budget: errors for budget, errors in curve(rng, 1e-6).items()},
    )
    ratio = nfe_ratio_interval(fast, slow, 1 / 3, 0.99)
    assert ratio.value == pytest.approx(2.0, rel=1e-3) and ratio.low <= 2.0 <= ratio.high
    never = nfe_ratio_interval(fast, slow, 1e-3, 0.99)
    assert math.isnan(never.value) and never.high == math.inf


GRIDS = {"factor": (1.0, 2.0, 4.0), "repeats": (1, 2, 5), "snr": (0.16,)}


@pytest.mark.parametrize(
    ("chosen", "edges"),
    [
        ({"factor": 2.0, "repeats": 2, "snr": 0.16, "beta": 0.9}, []),
        ({"factor": 4.0, "repeats": 1}, ["NFE 20: factor = 4"]),
        ({"factor": 1.0, "repeats": 5}, ["NFE 20: factor = 1", "NFE 20: repeats = 5"]),
    ],
)
def test_an_optimum_at_the_end_of_a_grid_is_named(
    chosen: dict[str, float], edges: list[str]
) -> None:
    assert optima_on_edge(GRIDS, {"NFE 20": chosen}, {("repeats", 1)}) == edges


H = 0.2 / 2.0 ** np.arange(8)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_order_of_an_exact_power(power: float) -> None:
    h = 0.1 / 2.0 ** np.arange(6)
    order = convergence_order(h, 3 * h**power)
    assert order.value == pytest.approx(power, rel=1e-12) and order.high - order.low < 1e-12
    curved = convergence_order(h, 3 * h**power * (1 + 10 * h))
    assert curved.high - curved.low > 0.05  # no one power


def test_the_interval_of_three_errors_by_hand() -> None:
    """Logarithms 0, 1, 3 at 0, 1, 2: slope 3/2, residual variance 1/6, standard error 1/sqrt 12,
    t of 1 freedom.
    """
    order = convergence_order(np.exp([0.0, 1.0, 2.0]), np.exp([0.0, 1.0, 3.0]))
    assert order.value == pytest.approx(1.5, rel=1e-12)
    assert order.high - order.value == pytest.approx(63.656741163 / np.sqrt(12.0), rel=1e-8)


@given(p=st.floats(0.3, 4.0), q=st.floats(0.5, 2.0), c=st.floats(-0.9, 20.0))
@settings(deadline=None, max_examples=60)
def test_the_interval_contains_the_limit_for_any_remainder(p: float, q: float, c: float) -> None:
    """`h^p (1 + c h^q)`: the limit is in the interval of a range called asymptotic, at most 0.1
    away.
    """
    try:
        order = asymptotic_order(H, H**p * (1 + c * H**q))
    except NotAsymptotic:
        assert abs(c) * q * H[4] ** q > 0.02, "a remainder this small is refused without need"
        return
    assert (
        order.low - 1e-9 <= p <= order.high + 1e-9
        and abs(order.value - p) <= 0.1
        and abs(order.drift) <= 0.05
    )


def test_the_largest_steps_are_left_out() -> None:
    order = asymptotic_order(H[::-1], (H * (1 + 4 * H))[::-1])
    assert order.steps == tuple(H[-4:]) and len(order.local) == 7
    assert order.local[0] > order.local[-1] > 1 and order.low < 1 < order.value < order.high
    wider = asymptotic_order(H, H * (1 + 4 * H), drift=0.2)
    assert len(wider.steps) > 4 and wider.high - wider.low > order.high - order.low


def test_errors_without_an_order_raise_with_their_local_orders() -> None:
    with pytest.raises(
        NotAsymptotic, match=r"drifts by 0\.22, more than 0\.05 .* 1\.81, .*, 1\.06"
    ):
        asymptotic_order(H, H * (1 + 30 * H))
    with pytest.raises(NotAsymptotic, match="no 4 steps"):
        asymptotic_order(H, np.exp(-1 / H))
    with pytest.raises(NotAsymptotic, match="no 6 steps"):
        asymptotic_order(H, H * (1 + 4 * H), fewest=6)


@pytest.mark.monte_carlo(share=0.01)
def test_the_coverage_of_asymptotic_order_with_replicates(monte_carlo: MonteCarlo) -> None:
    """Six rows with 5 % noise, without the part for the drift."""
    rng, h, covered, trials = monte_carlo.numpy(), H[2:], 0, 2500
    test = monte_carlo.note(plan_count_test(trials, 0.99, effect=0.025, share=monte_carlo.share))
    for _ in range(trials):
        order = asymptotic_order(h, h * np.exp(0.05 * rng.standard_normal((6, 6))), drift=10.0)
        bias = -1.5 * order.drift
        covered += order.low - min(bias, 0.0) <= 1.0 <= order.high - max(bias, 0.0)
    assert not test.rejects(covered)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: mean_interval([1.0]), "at least 2 finite"),
        (lambda: mean_interval([1.0, math.nan]), "finite"),
        (lambda: jackknife_interval(1.0, [1.0], 0.9), "at least 2 finite"),
        (lambda: ratio_interval([1.0, 2.0], [1.0, 2.0, 3.0]), "2 numerators for 3 denominators"),
        (
            lambda: bootstrap_interval(mean_of(H), [singles(0, 3), singles(3, 8)], 0),
            f"at least {FEWEST_UNITS} units",
        ),
        (lambda: bootstrap_interval(mean_of(H), [singles(0, 4), singles(3, 8)], 0), "one unit"),
        (
            lambda: bootstrap_interval(lambda w: np.full(len(w), np.nan), [singles(0, 8)], 0),
            "not finite",
        ),
        (lambda: convergence_order([1, 2], [1, 2]), "at least 3"),
        (lambda: convergence_order([1, 2, 3], [1, 2, 3, 4]), "as many"),
        (lambda: convergence_order([1, 2, 3], [1, 0, 3]), "positive"),
        (lambda: convergence_order([-1, 2, 3], [1, 1, 3]), "positive"),
        (lambda: convergence_order([2, 2, 2], [1, 1, 3]), "differ"),
        (lambda: asymptotic_order([1, 2, 3], [1, 2, 3]), "at least 4"),
        (lambda: asymptotic_order([1, 2, 3], [1, 2, 3], fewest=3), "at least 4 steps, not 3"),
        (lambda: asymptotic_order([1, 2, 3, 4], [1, 2, 3]), "got 3 and 4"),
        (lambda: asymptotic_order([1, 2, 3, 4], np.ones((2, 2, 4))), "as many"),
        (lambda: asymptotic_order([1, 2, 3, 3], [1, 2, 3, 4]), "differ"),
        (lambda: asymptotic_order([1, 2, 3, -4], [1, 2, 3, 4]), "positive"),
        (lambda: asymptotic_order([1, 2, 3, 4], [1, 2, 3, 0]), "positive"),
        (lambda: asymptotic_order([1, 2, 3, 4], [1, 2, 3, np.inf]), "positive"),
    ],
)
def test_invalid_values_are_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
