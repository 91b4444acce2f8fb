"""The floor under annealed runs: errors of the stationary distribution at the last noise level, against the step."""

import math

import numpy as np
import torch

from ams.laws import Moments
from ams.laws.stationary import solved
from ams.samplers import adaptive, momentum_rule
from analysis.annealed import gaussian
from analysis.annealed.settings import BASELINE, PAPER, Settings
from analysis.momentum.closed_forms import variance_ratio

SAMPLERS = (BASELINE, "constant momentum", PAPER)


def steps(settings: Settings) -> tuple[float, ...]:
    """Return forty steps u = a / sigma^2 over the range of those at which runs are shown."""
    ends = (math.log10(min(settings.sweep_steps)), math.log10(max(settings.sweep_steps)))
    return tuple(np.logspace(*ends, 40).tolist())


def errors(sampler: str, u: float) -> gaussian.Errors:
    """Return the errors of a sampler's stationary distribution at step `a = u sigma^2`.

    Langevin and constant momentum (0.9) by the closed form of claim G3, adaptive momentum by its solved mean field.
    """
    law = gaussian.at_last_level()
    if sampler == PAPER:
        variance = solved(law, momentum_rule(adaptive(1e-6)), u * gaussian.SIGMAS.last**2, 1 - 1e-6).variance
    else:
        relative = u * gaussian.SIGMAS.last**2 / law.variance.numpy()
        ratio = variance_ratio(relative, 0.0 if sampler == BASELINE else 0.9)
        variance = law.variance * torch.from_numpy(ratio)
    return gaussian.errors(Moments(law.mean, variance))
