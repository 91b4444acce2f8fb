"""How much hangs on the size of the batch that a norm averages over: adaptive momentum's KL on both targets."""

import numpy as np
import torch

from ams.metrics import gaussian_kl
from ams.samplers import Program, State, run, spent
from ams.samplers.noise_sources import generated
from ams.samplers.presets import ADAPTIVE
from ams.statistics import Interval, jackknife_interval
from ams.targets import Gaussian
from analysis.annealed import gaussian, mixture
from analysis.annealed.mixture import Sizes
from analysis.annealed.particles import Batches
from analysis.targets import stiff_gaussian


def gaussian_kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> Interval:
    """Return KL of the Gaussian with the moments of adaptive momentum's particles, norms averaged over `coupled`.

    Samples whose momentum coefficients differ have no Gaussian distribution: its own KL is larger than that of its
    moments.
    """
    x = gaussian_particles(ADAPTIVE.build(gaussian.SIGMAS, budget), coupled, sizes)
    exact = gaussian.at_last_level().variance
    first, second = x.mean(1), (x**2).mean(1)

    def kl(batches: np.ndarray) -> float:
        mean, square = first[batches].mean(0), second[batches].mean(0)
        return gaussian_kl(mean, square - mean**2, 0.0, exact)

    everything = np.arange(len(x))
    return jackknife_interval(kl(everything), [kl(np.delete(everything, i)) for i in everything], mixture.CONFIDENCE)


def mixture_kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> Interval:
    """Return adaptive momentum's KL on the mixture by particles, norms averaged over `coupled` samples."""
    return mixture.by_particles(sizes, ADAPTIVE.build(mixture.SIGMAS, budget), coupled)[1].kl


def gaussian_particles(program: Program, coupled: int, sizes: Sizes) -> np.ndarray:
    """Return particles at a run's end on the Gaussian, less the target's mean: (batches, batch, d)."""
    law, generator, algebra = stiff_gaussian(), torch.Generator().manual_seed(sizes.seed), Batches(coupled)
    target = Gaussian(law.mean, law.variance)
    shape = sizes.batches * sizes.batch, len(law.mean)
    start = State(gaussian.SIGMAS.first * torch.randn(shape, dtype=torch.float64, generator=generator))
    noise = generated(generator, algebra.empty_like)
    state, _ = spent(run(program, start, target.score, noise, algebra), start)
    return (state.x - target.mean).reshape(sizes.batches, sizes.batch, -1).numpy()
