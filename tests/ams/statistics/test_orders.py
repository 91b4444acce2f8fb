"""Orders of convergence: exact powers, known remainders, known noise, and invalid arguments."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ams.statistics import NotAsymptotic, asymptotic_order, convergence_order, plan_count_test
from tests.monte_carlo import MonteCarlo

H = 0.2 / 2.0 ** np.arange(8)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_order_of_an_exact_power(power: float) -> None:
    h = 0.1 / 2.0 ** np.arange(6)
    order = convergence_order(h, 3 * h**power)
    assert order.value == pytest.approx(power, rel=1e-12) and order.high - order.low < 1e-12
    curved = convergence_order(h, 3 * h**power * (1 + 10 * h))
    assert curved.high - curved.low > 0.05  # no one power


def test_the_interval_of_three_errors_by_hand() -> None:
    """Logarithms 0, 1, 3 at 0, 1, 2: slope 3/2, residual variance 1/6, standard error 1/sqrt 12, t of 1 freedom."""
    order = convergence_order(np.exp([0.0, 1.0, 2.0]), np.exp([0.0, 1.0, 3.0]))
    assert order.value == pytest.approx(1.5, rel=1e-12)
    assert order.high - order.value == pytest.approx(63.656741163 / np.sqrt(12.0), rel=1e-8)


@given(p=st.floats(0.3, 4.0), q=st.floats(0.5, 2.0), c=st.floats(-0.9, 20.0))
@settings(deadline=None, max_examples=60)
def test_the_interval_contains_the_limit_for_any_remainder(p: float, q: float, c: float) -> None:
    """`h^p (1 + c h^q)`: the limit is in the interval of a range called asymptotic, at most 0.1 away."""
    try:
        order = asymptotic_order(H, H**p * (1 + c * H**q))
    except NotAsymptotic:
        assert abs(c) * q * H[4] ** q > 0.02, "a remainder this small is refused without need"
        return
    assert order.low - 1e-9 <= p <= order.high + 1e-9 and abs(order.value - p) <= 0.1 and abs(order.drift) <= 0.05


def test_the_largest_steps_are_left_out() -> None:
    order = asymptotic_order(H[::-1], (H * (1 + 4 * H))[::-1])
    assert order.steps == tuple(H[-4:]) and len(order.local) == 7
    assert order.local[0] > order.local[-1] > 1 and order.low < 1 < order.value < order.high
    wider = asymptotic_order(H, H * (1 + 4 * H), drift=0.2)
    assert len(wider.steps) > 4 and wider.high - wider.low > order.high - order.low


def test_errors_without_an_order_raise_with_their_local_orders() -> None:
    with pytest.raises(NotAsymptotic, match=r"drifts by 0\.22, more than 0\.05 .* 1\.81, .*, 1\.06"):
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
def test_invalid_steps_and_errors_are_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
