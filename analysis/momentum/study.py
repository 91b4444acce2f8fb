"""What the group computes once: the step derived on symbols, distributions that runs reach, a
density on a grid.
"""

from collections.abc import Iterator

import numpy as np
import torch

from ams.laws.gaussian import GaussianLaw
from ams.laws.phase_space import momentum_variable, stationary
from ams.laws.stationary import reached
from ams.laws.symbolic import b, m, symbolic_step, x
from ams.samplers import State, constant, momentum, momentum_rule, sample, with_corrected_noise
from ams.schedules import Level
from analysis.momentum.closed_forms import random_parameters, stability_bound
from analysis.momentum.settings import Settings
from analysis.proofs import Derivation, derived
from analysis.targets import two_modes
from verdicts.studies import Array, Cell, cell

MIXTURE_BETA = 0.5
DRAWN_STEP = 0.005
"""The step on the mixture that the figure shows: there the limit is not yet reached."""


@cell
def derivation(corrected: bool = False) -> Derivation:
    """Constant momentum on symbols, read off the sampler's own step; `corrected`: its noise
    scaled like its drift.
    """
    rule = momentum_rule(constant(b))
    return derived(
        symbolic_step(momentum(with_corrected_noise(rule) if corrected else rule), State(x, m)), m
    )


@cell
def reached_variances(points: int, seed: int) -> Array:
    """Precisions u, momentum coefficients b, and the variances that long runs at step 1 reach:
    three rows.

    Ten precisions share a run: its b is the first one's, each u the stated share of the stable
    range.
    """
    us, betas = random_parameters(points, seed)
    shares, columns = us / stability_bound(betas), []
    for i in range(0, points, 10):
        ten = shares[i : i + 10] * stability_bound(betas[i])
        law = reached(
            GaussianLaw(1 / ten),
            momentum(momentum_rule(constant(betas[i]))),
            1.0,
            start_variance=1.0,
        )
        columns.append([ten, np.full_like(ten, betas[i]), law.variance.numpy()])
    return np.concatenate(columns, axis=1)


@cell
def particle_variance(particles: int, seed: int) -> float:
    """The mean square of particles on N(0, 1) at u = 0.5, b = 0.5, after 60 steps from N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(particles, 1, dtype=torch.float64, generator=generator)
    program = [(momentum(momentum_rule(constant(0.5))), Level(0, sigma=0.0, step=0.5))] * 60
    state, _, _ = sample(program, start, lambda at, level: -at, generator)
    return state.x.square().mean().item()


@cell
def mixture_density(size: float) -> tuple[float, float, Array]:
    """Constant momentum's stationary density at step `size` on the mixture .3/.7, a
    `GridFunction`'s fields.
    """
    memory = momentum_variable(two_modes(), size, MIXTURE_BETA, nodes=8)
    density = stationary(
        two_modes(), momentum(momentum_rule(constant(MIXTURE_BETA))), size, memory
    ).density
    return density.first, density.spacing, density.values


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and the notebook read."""
    yield from (derivation.cell(corrected) for corrected in (False, True))
    yield reached_variances.cell(settings.points, settings.seed)
    yield particle_variance.cell(settings.particles, settings.seed)
    yield from (
        mixture_density.cell(size)
        for size in (settings.mixture_step, settings.mixture_step / 2, DRAWN_STEP)
    )
