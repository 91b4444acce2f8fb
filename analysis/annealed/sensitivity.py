"""How much hangs on a setting: the corrector's snr, T, delta, and the size of the batch that a norm averages over."""

from __future__ import annotations

import numpy as np
import torch

from ams.metrics import gaussian_kl
from ams.samplers import Program, State, run
from ams.samplers.noise_sources import generated
from ams.statistics import Interval, jackknife_interval
from ams.targets import Gaussian
from analysis.annealed import gaussian
from analysis.annealed import mixture as line
from analysis.annealed.counting import ended
from analysis.annealed.nfe_to_threshold import PAPER
from analysis.annealed.particles import Batches
from analysis.annealed.samplers import DEFAULT, SAMPLERS, Hyperparameters
from analysis.annealed.settings import Settings


def over_snr(settings: Settings, sampler: str, budget: int) -> list[float]:
    """Return KL on the Gaussian of a predictor-corrector sampler, for each snr (exact law, nats)."""
    return _over([Hyperparameters(snr=snr) for snr in settings.sweep_snr], sampler, budget)


def over_repeats(settings: Settings, sampler: str, budget: int) -> list[float]:
    """Return KL on the Gaussian of an annealed sampler, for each T (exact law, nats)."""
    return _over([Hyperparameters(repeats=repeats) for repeats in settings.sweep_repeats], sampler, budget)


def over_delta(settings: Settings, budget: int) -> list[float]:
    """Return KL on the Gaussian of adaptive momentum, for each clip (exact law, nats)."""
    return _over([Hyperparameters(delta=delta) for delta in settings.sweep_delta], PAPER, budget)


def _over(choices: list[Hyperparameters], sampler: str, budget: int) -> list[float]:
    programs = [SAMPLERS[sampler].program(gaussian.ENDS, budget, choice) for choice in choices]
    return [found.errors.kl for found in gaussian.one_by_one(choices, programs)]


def over_batch(settings: Settings, budget: int) -> list[Interval]:
    """Return KL of the Gaussian with adaptive momentum's moments, for each batch size (particles, nats).

    Samples whose damping differs have a law that is no Gaussian: its own KL is larger than that of its moments.
    """
    program = SAMPLERS[PAPER].program(gaussian.ENDS, budget, DEFAULT)
    return [_of_moments(settings, particles(settings, program, size)) for size in settings.sweep_batch]


def line_over_batch(settings: Settings, budget: int) -> list[Interval]:
    """Return adaptive momentum's KL on the mixture, for each batch size (particles, nats)."""
    program = SAMPLERS[PAPER].program(line.ENDS, budget, DEFAULT)
    return [line.by_particles(settings, program, size)[1].kl for size in settings.sweep_batch]


def particles(settings: Settings, program: Program, coupled: int) -> np.ndarray:
    """Return particles at a run's end on the Gaussian, less the target's mean: (batches, batch, d)."""
    law, generator, algebra = gaussian.target(), torch.Generator().manual_seed(settings.seed), Batches(coupled)
    target = Gaussian(law.mean, law.variance)
    shape = settings.batches * settings.batch, len(law.mean)
    start = State(gaussian.ENDS.first * torch.randn(shape, dtype=torch.float64, generator=generator))
    noise = generated(generator, algebra.empty_like)
    state, _ = ended(run(program, start, target.score, noise, algebra), start)
    return (state.x - target.mean).reshape(settings.batches, settings.batch, -1).numpy()


def _of_moments(settings: Settings, x: np.ndarray) -> Interval:
    """Return `sum_i KL` of the directions' means and variances, with its bias of order 1/n removed."""
    exact = gaussian.target().variance + gaussian.ENDS.last**2
    first, second = x.mean(1), (x**2).mean(1)

    def kl(kept: np.ndarray) -> float:
        mean, square = first[kept].mean(0), second[kept].mean(0)
        return gaussian_kl(mean, square - mean**2, 0.0, exact)

    everything = np.arange(len(x))
    return jackknife_interval(kl(everything), [kl(np.delete(everything, i)) for i in everything], line.CONFIDENCE)
