"""Steps on nodes: mean and standard deviation of a kernel from one run of the sampler's own step."""

import math

import numpy as np
import pytest
from scipy import stats

from ams.laws.quadrature_algebra import Blurred, NodeAlgebra, folded, kernel_on_grid
from ams.samplers import State, langevin, leimkuhler_matthews
from ams.targets import CLEAN, Gaussian, GaussianMixture


def test_a_step_yields_mean_and_scale_of_its_kernel():
    algebra, x = NodeAlgebra(Gaussian([0.5], 2.0)), np.linspace(-3, 3, 7)
    after = algebra.image(langevin(), State(Blurred(x)), 0.1).x
    assert after.values == pytest.approx(x - 0.1 * (x - 0.5) / 2.0, abs=1e-15)
    assert after.spread == pytest.approx(math.sqrt(0.2))
    assert algebra.finite(after) and not algebra.finite(Blurred(x * np.nan)) and not algebra.finite(Blurred(x, np.inf))


def test_steps_without_a_kernel_are_refused():
    algebra, x = NodeAlgebra(Gaussian([0.0])), np.zeros(3)
    with pytest.raises(ValueError, match="on the line"):
        NodeAlgebra(Gaussian([0.0, 1.0]))
    with pytest.raises(ValueError, match="before the step's draw"):
        algebra.score(Blurred(x, 1.0), CLEAN)
    with pytest.raises(ValueError, match="one draw"):
        algebra.image(leimkuhler_matthews, State(Blurred(x)), 0.1)
    with pytest.raises(ValueError, match="constant coefficients"):
        algebra.norm(Blurred(x))
    with pytest.raises(ValueError, match="needs noise"):
        kernel_on_grid(Blurred(x), 0.0, 0.1)


def test_powers_are_normalised():
    algebra = NodeAlgebra(GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], 0.25))
    curve = algebra.exact(CLEAN, 2.5)
    assert curve.integral() == pytest.approx(1.0, abs=1e-13)
    log_density = algebra.log_density(CLEAN, 2.5)
    assert np.exp(log_density(curve.nodes)) == pytest.approx(curve.values, abs=1e-13)
    whole = algebra.exact(CLEAN)
    assert np.exp(algebra.log_density(CLEAN)(whole.nodes)) == pytest.approx(whole.values, abs=1e-13)


def test_a_kernel_on_a_grid_is_complete():
    node, z, density = kernel_on_grid(Blurred(np.array([0.03, 1.7]), -0.5), -2.0, 0.2)
    assert density.sum(1) * 0.2 == pytest.approx([1.0, 1.0], abs=1e-14)
    places = -2.0 + 0.2 * node
    assert (places * density).sum(1) * 0.2 == pytest.approx([0.03, 1.7], abs=1e-14)
    assert np.array([[0.03], [1.7]]) - 0.5 * z == pytest.approx(places, abs=1e-13)


def test_folded_normal():
    for mean, spread in ((0.7, 0.5), (0.0, 2.0), (5.0, 0.3)):
        exact = stats.foldnorm(mean / spread, scale=spread).mean()
        assert folded(np.array([mean, -mean]), spread) == pytest.approx([exact, exact], rel=1e-14)
