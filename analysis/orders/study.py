r"""What the group computes once: how far samplers' stationary distributions on the line are from
what they tend to.

Target: the mixture .3/.7 at -1/+1 with sd .5, where the modes overlap (apart, W2 would see a weight
error to order 1/2). Each distribution is the one that the sampler's own step leaves unchanged
(modules `ams.laws.phase_space` and `ams.laws.meanfield`).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from ams.grid_function import GridFunction
from ams.laws.meanfield import frozen_density, mean_field, small_step_limit
from ams.laws.phase_space import AuxiliaryVariable, stationary
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.metrics import half_line, line_kl, line_w2
from ams.samplers import adaptive, langevin, leimkuhler_matthews, momentum_rule
from ams.targets import CLEAN
from analysis.orders.settings import Settings
from analysis.targets import of_power, two_modes
from verdicts.studies import Array, Cell, cell

RULE = momentum_rule(adaptive(1e-9))
"""The adaptive rule, whose clip never acts."""
RESOLUTION = 0.5
"""Spacing of nodes, in deviations of the kernel: these densities are far smoother than their
kernels.
"""
Point: TypeAlias = tuple[str, float, int, float]
"""The arguments of `distances`: sampler, step, nodes, parameter."""
SHOWN = ("Langevin", "Leimkuhler-Matthews", "constant momentum", "adaptive momentum")
SHOWN_BETA, LARGER = 0.8, 3
"""Constant momentum's coefficient in figures, and how many larger steps they show before those
of the orders.
"""
_CURVATURE = 4.0  # of either mode, sd .5: the precision by which a step is small
STEP, NODES = 0.005, 8
"""The step, and the nodes of the momentum in the mean field."""
RESOLUTIONS = (RESOLUTION, 0.35)


class Distances(NamedTuple):
    """Of a stationary distribution: W2 and KL (nats) to its own limit, and W2 to the target."""

    w2: float
    kl: float
    target_w2: float


@cell
def distances(sampler: str, size: float, nodes: int, parameter: float) -> Distances:
    """A sampler's distances at base step `size`, by so many nodes of what it carries beside the
    position.

    `parameter` is constant momentum's b.
    """
    target, power = two_modes(), 1.0
    if sampler == "Langevin":
        law = stationary(target, langevin(), size)
    elif sampler == "Leimkuhler-Matthews":
        law = stationary(
            target, leimkuhler_matthews, size, AuxiliaryVariable("z", nodes), resolution=RESOLUTION
        )
    elif sampler == "constant momentum":
        near, power = small_step_limit(target, parameter), (1 + parameter) ** 2
        law = frozen_density(target, size, parameter, nodes, resolution=RESOLUTION, near=near)
    else:
        beta, law = mean_field(target, RULE, size, nodes, resolution=RESOLUTION)
        power = (1 + beta) ** 2
    return measured(law.density, power)


def measured(density: GridFunction, power: float) -> Distances:
    """Return the distances of a density whose own limit is the normalised `power` of the target."""
    kl = line_kl(density, NodeAlgebra(two_modes()).log_density(CLEAN, power))
    to_target = line_w2(density, of_power(1.0))
    return Distances(
        to_target if power == 1.0 else line_w2(density, of_power(power)), kl, to_target
    )


class MeanFieldDensity(NamedTuple):
    """Adaptive momentum in its mean field: the momentum coefficient, the mass left of 0, the
    density at nodes.
    """

    beta: float
    left: float
    nodes: Array
    values: Array


@cell
def adaptive_density(size: float, nodes: int, resolution: float) -> MeanFieldDensity:
    """Adaptive momentum's mean field on the mixture at base step `size`, at a spacing of nodes."""
    beta, law = mean_field(two_modes(), RULE, size, nodes, resolution=resolution)
    return MeanFieldDensity(beta, half_line(law.density), law.density.nodes, law.density.values)


def local_orders(steps: Sequence[float], errors: Sequence[float]) -> list[float]:
    """Return the orders between neighbouring steps."""
    return (np.diff(np.log(errors)) / np.diff(np.log(steps))).tolist()


def mean_field_density(resolution: float = RESOLUTION) -> MeanFieldDensity:
    """Return adaptive momentum's mean field at a = 0.005, at a spacing of nodes."""
    return adaptive_density(STEP, NODES, resolution)


def halvings(
    settings: Settings, sampler: str, beta: float = SHOWN_BETA, larger: int = 0
) -> list[Point]:
    """Return a sampler at halved steps, the largest first, with `larger` ones before; `beta` is
    constant momentum's.
    """
    constant = settings.excess / (_CURVATURE * 2 * beta * (1 + beta) / (1 - beta))
    top, nodes, parameter = {
        "Langevin": (settings.langevin, 1, 0.0),
        "Leimkuhler-Matthews": (settings.averaged, settings.averaged_nodes, 0.0),
        "constant momentum": (constant, settings.constant_nodes, beta),
        "adaptive momentum": (settings.adaptive, settings.adaptive_nodes, 0.0),
    }[sampler]
    return [(sampler, top / 2**k, nodes, parameter) for k in range(-larger, settings.halvings)]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and figures read."""
    points = [point for sampler in SHOWN for point in halvings(settings, sampler, larger=LARGER)]
    points += [
        point for beta in settings.betas for point in halvings(settings, "constant momentum", beta)
    ]
    yield from (distances.cell(*point) for point in points)
    yield from (adaptive_density.cell(STEP, NODES, h) for h in RESOLUTIONS)
