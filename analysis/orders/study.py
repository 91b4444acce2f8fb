"""What the group computes once, for checks, figures and tables."""

from collections.abc import Iterator
from typing import TypeAlias

from analysis.orders import accuracy, distances, mode_loss
from analysis.orders.settings import Settings
from verdicts.studies import Cell

Point: TypeAlias = tuple[str, float, int, float]
"""The arguments of `distances.distances`: sampler, step, nodes, parameter."""
SHOWN = ("Langevin", "Leimkuhler-Matthews", "constant momentum", "adaptive momentum")
SHOWN_BETA, LARGER = 0.8, 3
"""Constant momentum's coefficient in figures, and how many larger steps they show before those of the orders."""
_CURVATURE = 4.0  # of either mode, sd .5: the precision by which a step is small


def halvings(settings: Settings, sampler: str, beta: float = SHOWN_BETA, larger: int = 0) -> list[Point]:
    """Return a sampler at halved steps, the largest first, with `larger` ones before; `beta` is constant momentum's."""
    constant = settings.excess / (_CURVATURE * 2 * beta * (1 + beta) / (1 - beta))
    top, nodes, parameter = {
        "Langevin": (settings.langevin, 1, 0.0),
        "Leimkuhler-Matthews": (settings.averaged, settings.averaged_nodes, 0.0),
        "BAOAB": (settings.kinetic, settings.kinetic_nodes, settings.friction),
        "constant momentum": (constant, settings.constant_nodes, beta),
        "adaptive momentum": (settings.adaptive, settings.adaptive_nodes, 0.0),
    }[sampler]
    return [(sampler, top / 2**k, nodes, parameter) for k in range(-larger, settings.halvings)]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read; those of B6a, K5f and B5b for more than two `betas`."""
    points = [point for sampler in SHOWN for point in halvings(settings, sampler, larger=LARGER)]
    points += [point for beta in settings.betas for point in halvings(settings, "constant momentum", beta)]
    if len(settings.betas) > 2:
        points += halvings(settings, "BAOAB")
        yield from (distances.coarse_order.cell(beta) for beta in settings.betas)
        sizes = (settings.particles, settings.particle_steps, settings.seed)
        yield from (mode_loss.particle_mass.cell(coupled, *sizes) for coupled in (True, False))
    yield from (distances.distances.cell(*point) for point in points)
    yield from (distances.adaptive_density.cell(mode_loss.STEP, mode_loss.NODES, h) for h in mode_loss.RESOLUTIONS)
    yield accuracy.stationary_errors.cell(accuracy.SIZE)
    yield from (accuracy.position_distances.cell(resolution) for resolution in accuracy.RESOLUTIONS)
    yield from (accuracy.refinement.cell(beta) for beta in accuracy.BETAS)
