"""RunOptions of convergence: exact powers, remainders of known size, noise of known size, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ams.statistics import NotAsymptotic, asymptotic_order, convergence_order, plan_count_test
from tests.monte_carlo import MonteCarlo

H = 0.2 / 2.0 ** np.arange(8)


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0])
def test_the_order_of_an_exact_power_is_found(order: float) -> None:
    h = 0.1 / 2.0 ** np.arange(6)
    found = convergence_order(h, 3 * h**order)
    assert found.value == pytest.approx(order, rel=1e-12) and found.high - found.low < 1e-12
    curved = convergence_order(h, 3 * h**order * (1 + 10 * h))
    assert curved.high - curved.low > 0.05  # no one power


def test_the_interval_of_three_errors_by_hand() -> None:
    """Logarithms 0, 1, 3 at 0, 1, 2: slope 3/2, residual variance 1/6, standard error 1/sqrt 12, t of 1 freedom."""
    found = convergence_order(np.exp([0.0, 1.0, 2.0]), np.exp([0.0, 1.0, 3.0]))
    assert found.value == pytest.approx(1.5, rel=1e-12)
    assert found.high - found.value == pytest.approx(12.706204736 / np.sqrt(12.0), rel=1e-8)


@pytest.mark.monte_carlo(share=0.01)
def test_the_interval_of_an_order_covers_as_often_as_it_says(monte_carlo: MonteCarlo) -> None:
    """Regressions on five errors with 10 % noise."""
    rng, h = monte_carlo.numpy(), 0.1 / 2.0 ** np.arange(5)
    test = monte_carlo.note(plan_count_test(2500, 0.95, effect=0.045, share=monte_carlo.share))
    fits = [convergence_order(h, h * np.exp(0.1 * rng.standard_normal(5))) for _ in range(2500)]
    assert not test.rejects(sum(fit.low <= 1.0 <= fit.high for fit in fits))


@given(p=st.floats(0.3, 4.0), q=st.floats(0.5, 2.0), c=st.floats(-0.9, 20.0))
@settings(deadline=None, max_examples=200)
def test_the_interval_holds_the_limit_whatever_the_remainder(p: float, q: float, c: float) -> None:
    """`h^p (1 + c h^q)`: the limit is in the interval of a range called asymptotic, at most 0.1 away."""
    try:
        found = asymptotic_order(H, H**p * (1 + c * H**q))
    except NotAsymptotic:
        assert abs(c) * q * H[4] ** q > 0.02, "a remainder this small is refused without need"
        return
    assert found.low - 1e-9 <= p <= found.high + 1e-9
    assert abs(found.value - p) <= 0.1 and abs(found.drift) <= 0.05


def test_the_largest_steps_are_dropped_and_the_rest_are_named() -> None:
    found = asymptotic_order(H[::-1], (H * (1 + 4 * H))[::-1])
    assert found.steps == tuple(H[-4:]) and len(found.local) == 7
    assert found.local[0] > found.local[-1] > 1 and found.low < 1 < found.value < found.high
    wider = asymptotic_order(H, H * (1 + 4 * H), drift=0.2)
    assert len(wider.steps) > 4 and wider.high - wider.low > found.high - found.low


def test_errors_without_an_order_are_refused_with_their_local_orders() -> None:
    with pytest.raises(NotAsymptotic, match=r"drifts by 0\.22, more than 0\.05 .* 1\.81, .*, 1\.06"):
        asymptotic_order(H, H * (1 + 30 * H))
    with pytest.raises(NotAsymptotic, match="no 4 steps"):
        asymptotic_order(H, np.exp(-1 / H))
    with pytest.raises(NotAsymptotic, match="no 6 steps"):
        asymptotic_order(H, H * (1 + 4 * H), fewest=6)


@pytest.mark.monte_carlo(share=0.01)
def test_replicates_give_an_interval_that_covers_as_often_as_it_says(monte_carlo: MonteCarlo) -> None:
    """Six rows with 5 % noise, without the part for the drift."""
    rng, h, covered, trials = monte_carlo.numpy(), H[2:], 0, 2500
    test = monte_carlo.note(plan_count_test(trials, 0.95, effect=0.045, share=monte_carlo.share))
    for _ in range(trials):
        found = asymptotic_order(h, h * np.exp(0.05 * rng.standard_normal((6, 6))), drift=10.0)
        ahead = -1.5 * found.drift
        covered += found.low - min(ahead, 0.0) <= 1.0 <= found.high - max(ahead, 0.0)
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
def test_what_permits_no_order_is_refused(call, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
