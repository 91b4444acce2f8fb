"""How accurate densities on grids are: against closed forms, and against more nodes on mixtures.

`test_grid` holds the mean field's momentum coefficient to that of the exact law.
"""

import math

import numpy as np
import pytest
from scipy.stats import norm

from ams.laws.gaussian import GaussianLaw
from ams.laws.grid import GridAlgebra
from ams.laws.meanfield import frozen_density
from ams.laws.phase_space import AuxiliaryVariable, estimated, momentum_variable, stationary
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.laws.stationary import frozen, reached
from ams.metrics import line_kl, line_w2
from ams.samplers import baoab, constant, langevin, leimkuhler_matthews, momentum, momentum_rule
from ams.samplers.presets import LANGEVIN, SigmaRange
from ams.targets import CLEAN, Gaussian, GaussianMixture

MEAN, VARIANCE = 0.3, 0.25
TARGET, LAW = Gaussian([MEAN], VARIANCE), GaussianLaw([VARIANCE], MEAN)
STEP = 0.01
SIGMAS = SigmaRange(20.0, 0.02)
ANNEALED = list(LANGEVIN.build(SIGMAS, 100))


def two_modes(spread):
    return GaussianMixture([0.3, 0.7], [[-1.0], [1.0]], spread**2)


def error_to_normal(density, mean, variance):
    """Return the largest difference of a density to N(mean, variance)'s, over its maximum."""
    exact = norm.pdf(density.nodes, mean, math.sqrt(variance))
    return np.abs(density.values - exact).max() / exact.max()


def test_stationary_densities_are_the_closed_forms():
    averaged = stationary(TARGET, leimkuhler_matthews, STEP, AuxiliaryVariable("z")).density
    split = stationary(TARGET, baoab(0.4), STEP, AuxiliaryVariable("p", 14)).density
    plain = stationary(TARGET, langevin(), STEP).density
    exact = reached(LAW, langevin(), STEP).variance.item()
    assert error_to_normal(plain, MEAN, exact) < 1e-10
    assert error_to_normal(averaged, MEAN, VARIANCE) < 1e-10
    assert error_to_normal(split, MEAN, VARIANCE) < 1e-10


@pytest.mark.parametrize("beta", [0.4, 0.8])
def test_constant_momentum_has_its_stationary_density(beta):
    exact = LAW.moments(frozen(LAW, STEP, beta).x).variance.item()
    assert error_to_normal(frozen_density(TARGET, STEP, beta, 14).density, MEAN, exact) < 1e-10


def distances(resolution):
    """Return W2 and KL to mixtures of Langevin's densities, stationary and annealed."""
    grid, target = GridAlgebra(two_modes(0.1), resolution), two_modes(0.5)
    end = grid.density(grid.end(ANNEALED, grid.start_normal(0.0, SIGMAS.first))[0])
    still = stationary(target, langevin(), 0.005, resolution=resolution).density
    pairs = ((still, NodeAlgebra(target), CLEAN), (end, grid, ANNEALED[-1][1]))
    w2 = [line_w2(density, algebra.exact(level)) for density, algebra, level in pairs]
    return w2 + [line_kl(density, algebra.log_density(level)) for density, algebra, level in pairs]


def test_more_nodes_change_no_distance():
    np.testing.assert_allclose(distances(0.27), distances(0.4), rtol=0, atol=1e-8)


@pytest.mark.parametrize("beta", [0.4, 0.8])
def test_more_nodes_change_constant_momentum_by_less_than_was_estimated(beta):
    """From 10 nodes of the momentum to 12, and nearer in position: W2 by 1e-6 at most."""
    size, mixture = 0.005, two_modes(0.5)
    target, step = NodeAlgebra(mixture), momentum(momentum_rule(constant(beta)))
    near = target.exact(CLEAN, (1 + beta) ** 2)
    coarse, error = estimated(mixture, step, size, momentum_variable(mixture, size, beta, 10), near)
    finer = stationary(mixture, step, size, momentum_variable(mixture, size, beta, 12), near, 0.33)
    there = finer.density.refined(4).primitive().rate(coarse.density.nodes)
    change = np.abs(there - coarse.density.values).max() / coarse.density.values.max()
    assert change < error
    w2 = [line_w2(law.density, target.exact(CLEAN)) for law in (coarse, finer)]
    assert w2[0] == pytest.approx(w2[1], abs=1e-6)
