"""L1: the laws on grids against closed forms on a Gaussian, and against themselves on more nodes on the mixture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from pydantic import JsonValue

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.grid import GridAlgebra
from ams.laws.meanfield import frozen_density, mean_field
from ams.laws.phase_space import AuxiliaryVariable, StationaryDensity, estimated, momentum_variable, stationary
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.laws.stationary import frozen, reached, solved
from ams.metrics import line_kl, line_w2
from ams.samplers import annealed, constant, langevin, leimkuhler_matthews, momentum, momentum_rule
from ams.samplers.kinetic import baoab
from ams.schedules import annealed_levels, geometric_sigmas, ncsnv2_step
from ams.targets import CLEAN, Gaussian
from analysis.orders.laws import RULE
from analysis.orders.settings import Settings
from analysis.targets import two_modes
from verdicts import Measurement, check

_MEAN, _VARIANCE = 0.3, 0.25
_KEPT = 0.4
_BETAS = (0.4, 0.8)


def normal(x: np.ndarray, mean: float, variance: float) -> np.ndarray:
    """Return the normal density."""
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def gap(found: GridFunction, mean: float, variance: float) -> float:
    """Return the largest difference of a density to the normal one, over the latter's maximum."""
    exact = normal(found.nodes, mean, variance)
    return float(np.abs(found.values - exact).max() / exact.max())


def stationary_laws(size: float) -> Iterator[tuple[str, GridFunction, float]]:
    """Yield stationary laws on `N(0.3, 0.25)` at step `size`, each with the variance that the exact law has."""
    target, law = Gaussian([_MEAN], _VARIANCE), GaussianLaw([_VARIANCE], _MEAN)
    yield "Langevin", stationary(target, langevin(), size).density, reached(law, langevin(), size).variance.item()
    averaged = stationary(target, leimkuhler_matthews, size, AuxiliaryVariable("z"))
    yield "Leimkuhler-Matthews", averaged.density, _VARIANCE
    yield "BAOAB", stationary(target, baoab(_KEPT), size, AuxiliaryVariable("p", 14)).density, _VARIANCE
    for beta in _BETAS:
        exact = law.moments(frozen(law, size, beta).x).variance.item()
        yield f"constant momentum, b = {beta:g}", frozen_density(target, size, beta, 14).density, exact


@check("L1.gaussian")
def stationary_laws_on_a_gaussian(settings: Settings) -> Measurement:
    """Return the largest error of a stationary density over its maximum, at a = 0.01 (u = 0.04)."""
    gaps = {name: gap(found, _MEAN, variance) for name, found, variance in stationary_laws(0.01)}
    return Measurement(value=max(gaps.values()), n=len(gaps), detail=dict(gaps))


@check("L1.annealed")
def annealed_law_on_a_gaussian(settings: Settings) -> Measurement:
    """Return the same for an annealed run from sigma = 20 to 0.02, 100 evaluations, against the exact law's moments."""
    sigmas = geometric_sigmas(20.0, 0.02, 20)
    levels = annealed_levels(sigmas, ncsnv2_step(sigmas, 5))
    grid, law = GridAlgebra(Gaussian([_MEAN], _VARIANCE)), GaussianLaw([_VARIANCE], _MEAN)
    program = annealed(langevin(), levels, 5)
    found = grid.density(grid.end(program, grid.start(levels[0]))[0])
    exact = law.moments(law.end(program, law.start(_MEAN, _VARIANCE + levels[0].sigma ** 2))[0].x)
    return Measurement(value=gap(found, exact.mean.item(), exact.variance.item()))


def position_distances(resolution: float) -> np.ndarray:
    """Return W2 and KL of Langevin's laws on mixtures, stationary at a = 0.005 and annealed, at a spacing of nodes."""
    grid = GridAlgebra(two_modes(0.1), resolution)
    sigmas = geometric_sigmas(20.0, 0.02, 20)
    levels = annealed_levels(sigmas, ncsnv2_step(sigmas, 5))
    end = grid.density(grid.end(annealed(langevin(), levels, 5), grid.start_normal(0.0, 20.0))[0])
    steady = stationary(two_modes(), langevin(), 0.005, resolution=resolution).density
    still = NodeAlgebra(two_modes())
    return np.array(
        [
            line_w2(steady, still.exact(CLEAN)),
            line_kl(steady, still.log_density(CLEAN)),
            line_w2(end, grid.exact(levels[-1])),
            line_kl(end, grid.log_density(levels[-1])),
        ]
    )


@check("L1.position")
def position_law_is_refined(settings: Settings) -> Measurement:
    """Return the largest change of those four distances from a spacing of 0.4 to one of 0.27 deviations."""
    coarse, fine = position_distances(0.4), position_distances(0.27)
    return Measurement(value=float(np.abs(coarse - fine).max()), n=4, detail={"distances": fine.tolist()})


@cache
def momentum_laws(beta: float) -> tuple[StationaryDensity, float, StationaryDensity]:
    """Return constant momentum's law on the mixture at a = 0.005, its estimated error, and the law on more nodes."""
    size, near = 0.005, NodeAlgebra(two_modes()).exact(CLEAN, (1 + beta) ** 2)
    step = momentum(momentum_rule(constant(beta)))
    found, error = estimated(two_modes(), step, size, momentum_variable(two_modes(), size, beta, 10), near)
    finer = stationary(two_modes(), step, size, momentum_variable(two_modes(), size, beta, 12), near, 0.33)
    return found, error, finer


@check("L1.phase")
def phase_law_is_refined(settings: Settings) -> Measurement:
    """Return the largest change of constant momentum's W2 to the target from 10 nodes of m to 12, and nearer in x."""
    exact = NodeAlgebra(two_modes()).exact(CLEAN)
    pairs = [(found, finer) for found, _, finer in map(momentum_laws, _BETAS)]
    changes = [abs(line_w2(found.density, exact) - line_w2(finer.density, exact)) for found, finer in pairs]
    return Measurement(value=max(changes), n=len(changes))


@check("L1.estimate")
def estimate_bounds_the_error(settings: Settings) -> Measurement:
    """Return the largest ratio of the density's change on more nodes to the error estimated from fewer."""
    ratios = [between(found.density, finer.density) / error for found, error, finer in map(momentum_laws, _BETAS)]
    errors: list[JsonValue] = [momentum_laws(beta)[1] for beta in _BETAS]
    return Measurement(value=max(ratios), n=len(ratios), detail={"estimates": errors})


def between(one: GridFunction, finer: GridFunction) -> float:
    """Return the largest difference of two densities over the maximum, at the nodes of the first."""
    there = finer.refined(4).primitive().rate(one.nodes)
    return float(np.abs(there - one.values).max() / one.values.max())


@check("L1.mean_field")
def mean_field_on_a_gaussian(settings: Settings) -> Measurement:
    """Return the largest error of adaptive momentum's damping on `N(0.3, 0.25)`, against the exact law's."""
    target, law = Gaussian([_MEAN], _VARIANCE), GaussianLaw([_VARIANCE], _MEAN)
    gaps = [abs(mean_field(target, RULE, a).beta - solved(law, RULE, a, 1 - 1e-9).beta) for a in (0.005, 0.02)]
    return Measurement(value=max(gaps), n=len(gaps))
