"""Particles of three samplers on the mixture as the noise falls, a frame a noise level."""

from itertools import groupby

import numpy as np
import torch

from ams.samplers import Particles, State, run
from ams.samplers.noise_sources import generated
from ams.samplers.presets import ADAPTIVE, LANGEVIN, SPECS
from analysis.annealed.mixture import SIGMAS, target

SAMPLERS = (LANGEVIN.name, ADAPTIVE.name, "constant momentum")
BUDGET, BATCH = 100, 512
"""Evaluations of a run; its particles."""


def frames(sampler: str, seed: int) -> np.ndarray:
    """A run's particles after the last step at each noise level: a row a level, led by the
    level's sigma.
    """
    generator, algebra = torch.Generator().manual_seed(seed), Particles()
    start = State(SIGMAS.first * torch.randn(BATCH, 1, dtype=torch.float64, generator=generator))
    program = list(SPECS[sampler].build(SIGMAS, BUDGET))
    states = run(program, start, target().score, generated(generator, algebra.empty_like), algebra)
    kept = [
        (level.sigma, *state.x[:, 0].tolist())
        for (_, level), (state, _) in zip(program, states, strict=True)
    ]
    return np.array([list(steps)[-1] for _, steps in groupby(kept, key=lambda each: each[0])])
