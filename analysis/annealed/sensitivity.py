"""How much hangs on the batch that a norm averages over, and on the step at the last noise level: the floor of runs."""

import math

import numpy as np
import torch

from ams.laws import Moments
from ams.laws.stationary import solved
from ams.metrics import gaussian_kl
from ams.samplers import adaptive, momentum_rule
from ams.samplers.presets import ADAPTIVE
from ams.statistics import Interval, jackknife_interval
from ams.targets import Gaussian
from analysis.annealed import gaussian, mixture
from analysis.annealed.particles import Sizes, particles
from analysis.annealed.settings import BASELINE, PAPER, Settings
from analysis.momentum.closed_forms import variance_ratio
from analysis.targets import stiff_gaussian
from verdicts.studies import cell

SAMPLERS = (BASELINE, "constant momentum", PAPER)
"""Those whose errors are shown against the step."""


@cell
def kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> tuple[Interval, Interval]:
    """Adaptive momentum's KL on the Gaussian (from moments) and on the mixture, norms averaged over `coupled`."""
    on_mixture = mixture.by_particles(sizes, ADAPTIVE.build(mixture.SIGMAS, budget), coupled)[1].kl
    return gaussian_kl_of_batch(budget, coupled, sizes), on_mixture


def gaussian_kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> Interval:
    """Return KL of the Gaussian with the moments of adaptive momentum's particles, norms averaged over `coupled`.

    Samples whose momentum coefficients differ have no Gaussian distribution: its own KL is larger than that of its
    moments.
    """
    law, program = stiff_gaussian(), ADAPTIVE.build(gaussian.SIGMAS, budget)
    x, _ = particles(Gaussian(law.mean, law.variance), gaussian.SIGMAS.first, program, sizes, coupled)
    x -= law.mean.numpy()
    exact = gaussian.at_last_level().variance
    first, second = x.mean(1), (x**2).mean(1)

    def kl(batches: np.ndarray) -> float:
        mean, square = first[batches].mean(0), second[batches].mean(0)
        return gaussian_kl(mean, square - mean**2, 0.0, exact)

    everything = np.arange(len(x))
    return jackknife_interval(kl(everything), [kl(np.delete(everything, i)) for i in everything], mixture.CONFIDENCE)


def steps(settings: Settings) -> tuple[float, ...]:
    """Return forty steps u = a / sigma^2 over the range of those at which runs are shown."""
    ends = (math.log10(min(settings.sweep_steps)), math.log10(max(settings.sweep_steps)))
    return tuple(np.logspace(*ends, 40).tolist())


@cell
def stationary_errors(sampler: str, steps: tuple[float, ...]) -> list[gaussian.Errors]:
    """The errors of a sampler's stationary distribution at the last noise level, for each step `a = u sigma^2`.

    Langevin and constant momentum (0.9) by the closed form of claim G3, adaptive momentum by its solved mean field.
    """
    law = gaussian.at_last_level()

    def variance(u: float) -> torch.Tensor:
        size = u * gaussian.SIGMAS.last**2
        if sampler == PAPER:
            return solved(law, momentum_rule(adaptive(1e-6)), size, 1 - 1e-6).variance
        ratio = variance_ratio(size / law.variance.numpy(), 0.0 if sampler == BASELINE else 0.9)
        return law.variance * torch.from_numpy(ratio)

    return [gaussian.errors(Moments(law.mean, variance(u))) for u in steps]
