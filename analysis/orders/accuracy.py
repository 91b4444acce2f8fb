"""L1: densities on grids against closed forms on a Gaussian, and against themselves on more nodes on the mixture."""

import math
from typing import NamedTuple

import numpy as np

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.grid import GridAlgebra
from ams.laws.meanfield import frozen_density, mean_field
from ams.laws.phase_space import AuxiliaryVariable, estimated, momentum_variable, stationary
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.laws.stationary import frozen, reached, solved
from ams.metrics import line_kl, line_w2
from ams.samplers import adaptive, baoab, constant, langevin, leimkuhler_matthews, momentum, momentum_rule
from ams.samplers.presets import LANGEVIN, SigmaRange
from ams.targets import CLEAN, Gaussian
from ams_suite.measures import largest, named_extreme
from analysis.orders.settings import Settings
from analysis.targets import two_modes
from verdicts import Measurement
from verdicts.studies import Array, cell

RULE = momentum_rule(adaptive(1e-9))
SIZE, BETAS, RESOLUTIONS = 0.01, (0.4, 0.8), (0.4, 0.27)
_MEAN, _VARIANCE = 0.3, 0.25
_SIGMAS = SigmaRange(20.0, 0.02)


def relative_error(density: GridFunction, mean: float, variance: float) -> float:
    """Return the largest difference of a density to N(mean, variance)'s, over the latter's maximum."""
    exponent = -((density.nodes - mean) ** 2) / (2 * variance)
    exact = np.exp(exponent) / math.sqrt(2 * math.pi * variance)
    return float(np.abs(density.values - exact).max() / exact.max())


@cell
def stationary_errors(size: float) -> dict[str, float]:
    """The largest error of each stationary density on `N(0.3, 0.25)` at step `size`, over its maximum."""
    target, law = Gaussian([_MEAN], _VARIANCE), GaussianLaw([_VARIANCE], _MEAN)
    averaged, split = AuxiliaryVariable("z"), AuxiliaryVariable("p", 14)
    cases = {
        "Langevin": (stationary(target, langevin(), size), reached(law, langevin(), size).variance.item()),
        "Leimkuhler-Matthews": (stationary(target, leimkuhler_matthews, size, averaged), _VARIANCE),
        "BAOAB": (stationary(target, baoab(0.4), size, split), _VARIANCE),
    }
    for beta in BETAS:
        exact = law.moments(frozen(law, size, beta).x).variance.item()
        cases[f"constant momentum, b = {beta:g}"] = (frozen_density(target, size, beta, 14), exact)
    return {name: relative_error(estimate.density, _MEAN, variance) for name, (estimate, variance) in cases.items()}


def largest_error_of_stationary_densities(settings: Settings) -> Measurement:
    """Measure the largest error of a stationary density over its maximum, on a Gaussian at a = 0.01 (u = 0.04)."""
    return named_extreme(stationary_errors(SIZE))


def error_of_annealed_density(settings: Settings) -> Measurement:
    """Measure the largest error of annealed Langevin's density over its maximum, on a Gaussian, 100 evaluations."""
    program, law = list(LANGEVIN.build(_SIGMAS, 100)), GaussianLaw([_VARIANCE], _MEAN)
    grid = GridAlgebra(Gaussian([_MEAN], _VARIANCE))
    density = grid.density(grid.end(program, grid.start(program[0][1]))[0])
    exact = law.moments(law.end(program, law.start(_MEAN, _VARIANCE + _SIGMAS.first**2))[0].x)
    return Measurement(value=relative_error(density, exact.mean.item(), exact.variance.item()))


@cell
def position_distances(resolution: float) -> Array:
    """W2 and KL of Langevin's densities on mixtures, stationary at a = 0.005 and annealed, at a spacing of nodes."""
    grid, program, target = GridAlgebra(two_modes(0.1), resolution), list(LANGEVIN.build(_SIGMAS, 100)), two_modes()
    end = grid.density(grid.end(program, grid.start_normal(0.0, _SIGMAS.first))[0])
    still = stationary(target, langevin(), 0.005, resolution=resolution).density
    pairs = ((still, NodeAlgebra(target), CLEAN), (end, grid, program[-1][1]))
    w2 = [line_w2(density, algebra.exact(level)) for density, algebra, level in pairs]
    return np.array(w2 + [line_kl(density, algebra.log_density(level)) for density, algebra, level in pairs])


def largest_change_of_distances_on_finer_nodes(settings: Settings) -> Measurement:
    """Measure the largest change of Langevin's W2 and KL from a spacing of nodes of 0.4 to 0.27 deviations."""
    coarse, fine = map(position_distances, RESOLUTIONS)
    return largest(np.abs(coarse - fine), distances=fine.tolist())


class Refinement(NamedTuple):
    """Constant momentum's density: its error as estimated, and its and W2's change on more nodes."""

    estimate: float
    density: float
    w2: float


@cell
def refinement(beta: float) -> Refinement:
    """What more nodes change for constant momentum on the mixture at a = 0.005: 12 of m for 10, and nearer in x."""
    target, size = NodeAlgebra(two_modes()), 0.005
    step, near = momentum(momentum_rule(constant(beta))), target.exact(CLEAN, (1 + beta) ** 2)
    law, error = estimated(two_modes(), step, size, momentum_variable(two_modes(), size, beta, 10), near)
    finer = stationary(two_modes(), step, size, momentum_variable(two_modes(), size, beta, 12), near, 0.33)
    w2 = [line_w2(each.density, target.exact(CLEAN)) for each in (law, finer)]
    return Refinement(error, between(law.density, finer.density), abs(w2[0] - w2[1]))


def between(one: GridFunction, finer: GridFunction) -> float:
    """Return the largest difference of two densities over the maximum, at the nodes of the first."""
    there = finer.refined(4).primitive().rate(one.nodes)
    return float(np.abs(there - one.values).max() / one.values.max())


def largest_change_of_w2_on_more_nodes(settings: Settings) -> Measurement:
    """Measure the largest change of constant momentum's W2 to the target from 10 nodes of m to 12, and nearer in x."""
    return largest([refinement(beta).w2 for beta in BETAS])


def largest_change_of_density_over_estimate(settings: Settings) -> Measurement:
    """Measure the largest ratio of a density's change on more nodes to its error as estimated from fewer."""
    refinements = [refinement(beta) for beta in BETAS]
    ratios = [each.density / each.estimate for each in refinements]
    return largest(ratios, estimates=[each.estimate for each in refinements])


def largest_error_of_mean_field_coefficient(settings: Settings) -> Measurement:
    """Measure the largest error of adaptive momentum's coefficient on a Gaussian, against the exact law's."""
    target, law = Gaussian([_MEAN], _VARIANCE), GaussianLaw([_VARIANCE], _MEAN)
    return largest([abs(mean_field(target, RULE, a).beta - solved(law, RULE, a, 1 - 1e-9).beta) for a in (0.005, 0.02)])
