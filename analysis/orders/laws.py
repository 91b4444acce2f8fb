r"""Stationary laws down a ladder of steps, and how far they are from what they tend to: no Monte Carlo.

Target: the mixture .3/.7 at -1/+1 with sd .5, where the modes overlap (apart, W2 would see a weight error to order
1/2). Each law is the one that the sampler's own step leaves alone (modules `ams.laws.phase_space` and
`ams.laws.meanfield`).
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.meanfield import MeanField, frozen_density, mean_field, small_step_limit
from ams.laws.phase_space import AuxiliaryVariable, stationary
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.laws.stationary import Stationary, solved
from ams.metrics import half_line, line_kl, line_w2
from ams.samplers import adaptive, langevin, leimkuhler_matthews, momentum_rule
from ams.samplers.kinetic import baoab
from ams.targets import CLEAN
from analysis.orders.settings import Settings
from analysis.targets import two_modes

RULE = momentum_rule(adaptive(1e-9))
_CURVATURE = 4.0  # of either mode, sd .5: the precision by which a step is small
_RESOLUTION = 0.5  # of nodes, in deviations of the kernel: these laws are far smoother than their kernels


class Ladder(NamedTuple):
    """Distances down a ladder of steps, the largest step first: to the law's own limit, and to the target."""

    steps: list[float]
    w2: list[float]
    kl: list[float]
    target_w2: list[float]


def rungs(top: float, settings: Settings) -> list[float]:
    """Return `top` and its halves."""
    return [top / 2**k for k in range(settings.rungs)]


def measured(steps: list[float], laws: list[GridFunction], powers: list[float]) -> Ladder:
    """Return the ladder of W2 and KL from each law to its power of the target, and of W2 to the target itself."""
    algebra = NodeAlgebra(two_modes())
    limits = [algebra.exact(CLEAN, power) for power in powers]
    logs = [algebra.log_density(CLEAN, power) for power in powers]
    return Ladder(
        steps,
        [line_w2(law, limit) for law, limit in zip(laws, limits, strict=True)],
        [line_kl(law, log) for law, log in zip(laws, logs, strict=True)],
        [line_w2(law, algebra.exact(CLEAN)) for law in laws],
    )


@cache
def langevin_ladder(settings: Settings) -> Ladder:
    """Return Langevin's distances to the target."""
    steps = rungs(settings.langevin, settings)
    return measured(steps, [stationary(two_modes(), langevin(), a).density for a in steps], [1.0] * len(steps))


@cache
def averaged_ladder(settings: Settings) -> Ladder:
    """Return Leimkuhler-Matthews' distances to the target."""
    steps, memory = rungs(settings.averaged, settings), AuxiliaryVariable("z", settings.averaged_nodes)
    found = [stationary(two_modes(), leimkuhler_matthews, a, memory, resolution=_RESOLUTION).density for a in steps]
    return measured(steps, found, [1.0] * len(steps))


@cache
def kinetic_ladder(settings: Settings) -> Ladder:
    """Return BAOAB's distances to the target at one friction: what is kept of the velocity tends to 1 with the step."""
    steps, memory = rungs(settings.kinetic, settings), AuxiliaryVariable("p", settings.kinetic_nodes)
    kept = [math.exp(-settings.friction * math.sqrt(2 * a)) for a in steps]
    pairs = zip(steps, kept, strict=True)
    found = [stationary(two_modes(), baoab(e), a, memory, resolution=_RESOLUTION).density for a, e in pairs]
    return measured(steps, found, [1.0] * len(steps))


@cache
def constant_ladder(settings: Settings, beta: float) -> Ladder:
    """Return constant momentum's distances to `pi^c`, `c = (1 + b)^2`, from the step at which G4's excess is small."""
    steps = rungs(settings.excess / (_CURVATURE * 2 * beta * (1 + beta) / (1 - beta)), settings)
    target, nodes, near = two_modes(), settings.constant_nodes, small_step_limit(two_modes(), beta)
    found = [frozen_density(target, a, beta, nodes, resolution=_RESOLUTION, near=near).density for a in steps]
    return measured(steps, found, [(1 + beta) ** 2] * len(steps))


@cache
def coarse_order(beta: float) -> float:
    """Return the local order of constant momentum's W2 to `pi^c` between a = 0.005 and 0.0025."""
    steps = [0.005, 0.0025]
    found = [frozen_density(two_modes(), a, beta, nodes=14).density for a in steps]
    return local_orders(steps, measured(steps, found, [(1 + beta) ** 2] * 2).w2)[0]


@cache
def adaptive_law(size: float, nodes: int, resolution: float = _RESOLUTION) -> MeanField:
    """Return adaptive momentum's damping and law in the mean field, on the mixture."""
    return mean_field(two_modes(), RULE, size, nodes, resolution=resolution)


@cache
def adaptive_ladder(settings: Settings) -> Ladder:
    """Return adaptive momentum's distances to `pi^c(a)`, at the damping that each step's own law returns."""
    steps = rungs(settings.adaptive, settings)
    found = [adaptive_law(a, settings.adaptive_nodes) for a in steps]
    return measured(steps, [f.stationary.density for f in found], [(1 + f.beta) ** 2 for f in found])


def gaussian_law(size: float) -> Stationary:
    """Return adaptive momentum's law on `N(0, 1)`: mean field, solved."""
    return solved(GaussianLaw([1.0]), RULE, size, 1 - 1e-9)


def of_power(power: float) -> GridFunction:
    """Return the mixture's normalised power."""
    return NodeAlgebra(two_modes()).exact(CLEAN, power)


def mass_left(law: GridFunction) -> float:
    """Return the probability left of 0: the minority mode's."""
    return half_line(law)


def local_orders(steps: list[float], errors: list[float]) -> list[float]:
    """Return the orders between neighbouring steps."""
    return (np.diff(np.log(errors)) / np.diff(np.log(steps))).tolist()
