"""Stationary distributions in phase space: closed forms, an independent kernel, refinement, errors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import norm

from ams.grid_function import tabulated
from ams.laws import GaussianLaw
from ams.laws.phase_space import AuxiliaryVariable, estimated, evolved, hermite, momentum_variable, stationary
from ams.laws.quadrature_algebra import Blurred, NodeAlgebra
from ams.metrics import line_w2
from ams.samplers import constant, langevin, leimkuhler_matthews, momentum, momentum_rule
from ams.samplers.kinetic import baoab, obabo, sghmc
from ams.schedules import Level
from ams.targets import CLEAN, Gaussian, GaussianMixture
from tests.ams.laws.test_stationary import g3

MIXTURE = GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], 0.25)


def variance(density):
    mean = density.integral(density.nodes)
    return density.integral((density.nodes - mean) ** 2)


@settings(deadline=None, max_examples=3)
@given(u=st.floats(0.02, 0.3), e=st.floats(0.0, 0.6))
def test_gaussian_variances_are_the_closed_forms(u, e):
    """K3: with precision 1, `1/(1 - u/2)` (Langevin, OBABO), 1 (BAOAB), `(1 + e)/(1 + e - u)` (SGHMC)."""
    target = Gaussian([0.4], 1.0)
    expected = {baoab(e): 1.0, obabo(e): 1 / (1 - u / 2), sghmc(e): (1 + e) / (1 + e - u)}
    for step, exact in expected.items():
        density = stationary(target, step, u, AuxiliaryVariable("p", 8)).density
        assert variance(density) == pytest.approx(exact, rel=1e-9)
    assert variance(stationary(target, langevin(), u).density) == pytest.approx(1 / (1 - u / 2), rel=1e-11)


def test_momentum_has_the_moments_of_g3():
    target, a, b = Gaussian([0.4], 0.25), 0.01, 0.5
    law = stationary(target, momentum(momentum_rule(constant(b))), a, momentum_variable(target, a, b))
    weights, (of_x, of_m, both) = law.masses * law.density.spacing, g3(4 * a, b, 4.0)
    assert variance(law.density) == pytest.approx(of_x, rel=1e-10)
    assert (weights * law.auxiliary**2).sum() == pytest.approx(of_m, rel=1e-10)
    covariance = (weights * law.auxiliary * (law.density.nodes[:, None] - 0.4)).sum()
    assert covariance == pytest.approx(both, rel=1e-10)


def averaged_kernel_density(target, a, nodes):
    """Leimkuhler-Matthews by a kernel of its own, in one variable.

    `y_n = x_n - sqrt(a/2) z_{n-1}` is independent of `z_{n-1}`, and `y_{n+1} + y_n = 2 x_n + a s(x_n) = G(x_n)`: a map
    without noise. So `y_n` is Markov with density `phi(x - y_n) / G'(x)` at `y_{n+1} = G(x) - y_n`.
    """
    algebra, w = NodeAlgebra(target), a / 2
    x = np.linspace(1.5 * nodes[0], 1.5 * nodes[-1], 200_001)
    g = 2 * x + a * algebra.score(Blurred(x), CLEAN).values
    slope = np.gradient(g, x)
    total = nodes[:, None] + nodes[None, :]
    at, rate = np.interp(total, g, x), np.interp(total, g, slope)
    kernel = np.exp(-((at - nodes[None, :]) ** 2) / (2 * w)) / math.sqrt(2 * math.pi * w) / rate
    spacing = nodes[1] - nodes[0]
    values, vectors = np.linalg.eig(kernel * spacing)
    y = np.abs(vectors[:, np.argmax(values.real)].real)
    y /= y.sum() * spacing
    smooth = np.exp(-((nodes[:, None] - nodes[None, :]) ** 2) / (2 * w)) / math.sqrt(2 * math.pi * w)
    return smooth @ y * spacing


def test_leimkuhler_matthews_agrees_with_a_kernel_of_its_own():
    a, nodes = 0.04, np.linspace(-4.5, 4.5, 301)
    own = averaged_kernel_density(MIXTURE, a, nodes)
    law = stationary(MIXTURE, leimkuhler_matthews, a, AuxiliaryVariable("z", 16)).density
    assert law.refined(4).primitive().rate(nodes) == pytest.approx(own, abs=2e-6)


def test_the_estimate_bounds_the_change_by_refinement():
    a, b = 0.01, 0.6
    step, near = momentum(momentum_rule(constant(b))), NodeAlgebra(MIXTURE).exact(CLEAN, 1.5)
    coarse, error = estimated(MIXTURE, step, a, momentum_variable(MIXTURE, a, b, 8), near)
    finer = stationary(MIXTURE, step, a, momentum_variable(MIXTURE, a, b, 12), near, 0.3)
    there = finer.density.refined(4).primitive().rate(coarse.density.nodes)
    change = np.abs(there - coarse.density.values).max() / there.max()
    assert change < error < 1e-4
    assert line_w2(coarse.density, finer.density) < 1e-6


def test_the_density_after_some_steps_has_the_exact_laws_moments():
    """BAOAB from a wide start on a Gaussian, its velocity drawn; by the exact law after 0, 1 and 3 steps."""
    target, law, a = Gaussian([0.4], 1.0), GaussianLaw([1.0], [0.4]), 0.6
    near = tabulated(lambda x: -(x**2) / 8)
    densities = evolved(target, baoab(0.2), a, AuxiliaryVariable("p"), lambda x: norm.pdf(x, 0, 1.5), near, (0, 1, 3))
    for count, density in zip((0, 1, 3), densities, strict=True):
        start = law.start(0.0, 1.5**2)
        states = [start, *(s for s, _ in law.run([(baoab(0.2), Level(0, 0.0, step=a))] * count, start))]
        moments = law.moments(states[-1].x)
        assert density.integral() == pytest.approx(1.0, abs=1e-9)
        assert density.integral(density.nodes) == pytest.approx(float(moments.mean), abs=1e-8)
        assert variance(density) == pytest.approx(float(moments.variance), rel=1e-8)


def test_the_density_after_many_steps_is_the_stationary_one():
    a, near = 0.16, tabulated(lambda x: -(x**2) / 4)
    (late,) = evolved(MIXTURE, baoab(0.0), a, AuxiliaryVariable("p"), norm.pdf, near, (400,))
    assert line_w2(late, stationary(MIXTURE, baoab(0.0), a, AuxiliaryVariable("p"), near).density) < 1e-6


def test_a_grid_that_cuts_the_density_is_refused():
    narrow = tabulated(lambda x: -50 * x**2)
    with pytest.raises(ArithmeticError, match="too narrow"):
        stationary(Gaussian([0.0]), langevin(), 0.1, near=narrow)


def test_hermite_polynomials_are_orthonormal():
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    values = hermite(nodes, 9)
    assert (values * weights / weights.sum()) @ values.T == pytest.approx(np.eye(9), abs=1e-12)
    assert hermite(nodes, 1).shape == (1, 12)
