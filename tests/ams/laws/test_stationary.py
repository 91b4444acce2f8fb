"""Stationary distributions against G3 and A2 at random parameters, solved for and reached by running."""

import numpy as np
import pytest
from scipy.optimize import brentq

from ams.laws import GaussianLaw
from ams.laws.stationary import frozen, reached, solved
from ams.samplers import (
    adaptive,
    constant,
    langevin,
    leimkuhler_matthews,
    momentum,
    momentum_rule,
    unit_factor,
    without_averaging,
)

POINTS, DELTA = 20, 1e-6
RULE = momentum_rule(adaptive(DELTA))


def g3(u: float, b: float, lam: float) -> tuple[float, float, float]:
    """Return G3's Var x, Var m and Cov(x_t, m_{t-1})."""
    c, left = (1 + b) ** 2, 2 - u * (1 - b**2)
    of_x = 2 * (1 - b + 2 * u * b * (1 + b)) / ((1 - b) * c * left)
    return of_x / lam, 2 * lam / (c * left), 2 * (u * (1 + b) - 1) / (c * left)


def a2(u: float) -> float:
    """Return A2's beta, the root of its two equations for u in (0, 1/2)."""

    def excess(b: float) -> float:
        rho = (1 + b) * np.sqrt(2 * u * (1 + u * b * (1 + b)))
        return ((1 - rho) / (1 + rho)) ** 2 - b

    return brentq(excess, 0.0, 1.0, xtol=1e-15, rtol=1e-14)


def random_points(seed: int, count: int, least: float = 1e-3) -> zip:
    """Return `(u, b, lam)`: b in [0, 0.97], u from `least` to 0.98 of the stable range, lam over six decades."""
    generator = np.random.default_rng(seed)
    b = generator.uniform(0.0, 0.97, count)
    share = np.exp(generator.uniform(np.log(least), np.log(0.98), count))
    return zip(share * 2 / (1 - b**2), b, 10 ** generator.uniform(-3, 3, count), strict=True)


def test_g3_is_solved_for() -> None:
    for u, b, lam in random_points(seed=1, count=POINTS):
        law = GaussianLaw([1 / lam], [0.7])
        state = frozen(law, u / lam, b)
        found = law.moments(state.x), law.moments(state.m)
        of_x, of_m, both = g3(u, b, lam)
        assert found[0].variance.item() == pytest.approx(of_x, rel=1e-10)
        assert found[1].variance.item() == pytest.approx(of_m, rel=1e-10)
        # Tolerance of the covariance, which passes through zero: relative to the standard deviations' product.
        assert law.covariance(state.x, state.m).item() == pytest.approx(both, abs=1e-10 * (of_x * of_m) ** 0.5)
        assert found[0].mean.item() == pytest.approx(0.7, rel=1e-10)


def test_the_remainder_of_a_slow_run_is_right() -> None:
    """At u = 4e-3 the change over 16 steps is an eighth of the distance to the limit."""
    found = reached(GaussianLaw([1.0]), langevin(), 4e-3, start_variance=2.0, tolerance=1e-4, watch=16)
    distance = found.variance.item() - 1 / (1 - 4e-3 / 2)
    assert 0.0 < distance < 1e-4
    assert found.remainder == pytest.approx(distance, rel=0.01)


@pytest.mark.parametrize("u", [0.2, 0.45])
def test_a2_is_reached(u: float) -> None:
    for start in (0.1, 10.0):
        found = reached(GaussianLaw([1.0], multiplicity=3), momentum(RULE), u, start_variance=start)
        assert found.beta == pytest.approx(a2(u), rel=1e-10)
        assert found.variance.item() == pytest.approx(g3(u, a2(u), 1.0)[0], rel=1e-10)


def test_reached_and_solved_agree_on_an_anisotropic_target() -> None:
    law = GaussianLaw([1.0, 0.25, 0.04], multiplicity=[2.0, 3.0, 5.0])
    run, direct = reached(law, momentum(RULE), 0.03), solved(law, RULE, 0.03, 1 - DELTA)
    assert run.beta == pytest.approx(direct.beta, rel=1e-10)
    assert run.variance.tolist() == pytest.approx(direct.variance.tolist(), rel=1e-10)


def test_steps_without_a_rule_or_a_momentum() -> None:
    exact = reached(GaussianLaw([2.0, 0.5]), leimkuhler_matthews, 0.3)
    assert exact.variance.tolist() == pytest.approx([2.0, 0.5], rel=1e-12)
    assert exact.beta == 0.0 and exact.momentum.tolist() == [0.0, 0.0]
    plain = reached(GaussianLaw([2.0, 0.5]), langevin(), 0.3, start_variance=[1.0, 4.0])
    assert plain.variance.tolist() == pytest.approx([2.0 / (1 - 0.075), 0.5 / (1 - 0.3)], rel=1e-12)


def test_a_rule_with_another_factor_is_solved_with_it() -> None:
    """Without the factor `(1 + b)^2` beta differs, and the run has this beta too."""
    rule, law = momentum_rule(adaptive(DELTA), factor=unit_factor), GaussianLaw([1.0])
    run, direct = reached(law, momentum(rule), 0.05), solved(law, rule, 0.05, 1 - DELTA, unit_factor)
    assert direct.beta == pytest.approx(run.beta, rel=1e-10) and direct.beta != pytest.approx(a2(0.05), rel=1e-3)
    assert direct.variance.item() == pytest.approx(run.variance.item(), rel=1e-10)


def test_an_exact_end_of_the_range_is_taken() -> None:
    law, fixed = GaussianLaw([1.0]), momentum_rule(constant(0.25))
    assert solved(law, fixed, 0.1, 0.25).beta == 0.25 and solved(law, without_averaging(fixed), 0.1, 0.5).beta == 0.0


def test_no_beta_that_the_rule_reproduces() -> None:
    with pytest.raises(ValueError, match=r"reproduces no beta in \[0, 0.3\] at step size 0.001"):
        solved(GaussianLaw([1.0]), RULE, 1e-3, 0.3)


@pytest.mark.parametrize(("u", "b"), [(2.0, 0.0), (2.7, 0.5), (11.0, 0.9)])
def test_an_unstable_step_has_no_stationary_distribution(u: float, b: float) -> None:
    """G1: stable exactly for `u < 2 / (1 - b^2)`; the values here lie beyond, by at most 5 %."""
    with pytest.raises(ValueError, match="no stationary distribution: spectral radius"):
        frozen(GaussianLaw([1.0, 5.0]), u, b)
    assert frozen(GaussianLaw([1.0]), 0.94 * u, b) is not None


def test_too_few_steps_are_an_error() -> None:
    with pytest.raises(ArithmeticError, match=r"no stationary state after 128 steps at step size 0.001: last change"):
        reached(GaussianLaw([1.0]), langevin(), 1e-3, start_variance=5.0, most=128)
