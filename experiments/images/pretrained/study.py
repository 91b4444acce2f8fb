"""What the group computes once, and which batches its settings ask for."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import torch
from pydantic import JsonValue
from torch import Tensor

from ams.samplers import (
    Particles,
    State,
    affine,
    authors_euler_maruyama,
    langevin,
    last,
    predictor_corrector,
    run,
    snr_of_score,
)
from ams.samplers.noise_sources import generated, generated_per_sample, seeded_per_sample
from ams.samplers.presets import Hyperparameters
from ams.schedules import Level, process_levels
from experiments.images.features.pooled import Entry, judged
from experiments.images.features.rows import Conditions
from experiments.images.loss import denoising_losses, gaussian
from experiments.images.networks.unet_ve import ExponentialVE
from experiments.images.pretrained import batches, controls, inputs, mean_field
from experiments.images.pretrained.batches import Batch
from experiments.images.pretrained.inputs import DATA, DEFAULTS, Network, Setup
from experiments.images.pretrained.quality import Quality, blank, noise_level, noised
from experiments.images.pretrained.settings import (
    ADAPTIVE_CORRECTOR,
    CONFIDENCE,
    KINETIC,
    PAPER,
    SOLVER,
    Settings,
)
from experiments.images.runs import generator
from verdicts.studies import Array, Cell, cell

TUTORIAL_END = 1e-3
"""The time at which the tutorial's samplers end; the network was trained down to 1e-5."""
TRACED = (PAPER, ADAPTIVE_CORRECTOR)
"""The samplers whose momentum coefficient is shown along a run."""
OWN = 8
"""Samples that stay when the rest of their batch is exchanged."""


class Exchange(NamedTuple):
    """How far samples move, their own start and noise unchanged, when the rest of their batch is exchanged.

    Root mean square and largest pixel by which they differ with other samples beside them; largest with none.
    """

    root_mean_square: float
    largest: float
    largest_alone: float


@cell(data=("mnist-test",))
def held_out_quality(reference: int, last_sigma: float, size: int, count: int, seed: int) -> list[Quality]:
    """Quality of batches of held-out images, with the last noise level's noise, denoised by nothing."""
    judge, draws = inputs.judge(reference, last_sigma), generator(seed, 0)
    return [judge(noised(images, last_sigma, draws), images) for images in inputs.held_out(reference, size, count)]


@cell(data=DATA)
def denoising_loss(network: Network, images: int, times: int, seed: int) -> Array:
    """Denoising loss of each image, its mean over times: midpoints of equal intervals of (0, 1]."""
    x, process, score = inputs.test_images()[:images], ExponentialVE(), inputs.score(network)
    z = gaussian(seed, tuple(x.shape))
    midpoints = [(k + 0.5) / times for k in range(times)]
    levels = [Level(0, sigma=process.marginal(t)[1], t=t) for t in midpoints]
    return torch.stack([denoising_losses(score, x, z, level) for level in levels]).mean(0).numpy()


@cell(data=DATA)
def tutorial_residuals(network: Network, steps: int, samples: int, seed: int) -> list[float]:
    """Noise left on blank pixels of each sample of the tutorial's own predictor-corrector, its last mean.

    Equal steps in time: Langevin's corrector at the authors' snr, then Euler-Maruyama of the reverse SDE.
    """
    process, draws, algebra = ExponentialVE(), generator(seed, 3), Particles()
    levels = process_levels(process, steps, TUTORIAL_END)
    predictor, corrector = affine(authors_euler_maruyama(process, steps)), langevin(snr_of_score(DEFAULTS.snr))
    program = predictor_corrector(predictor, corrector, levels)
    start = State(levels[0].sigma * torch.randn((samples, *inputs.SHAPE), generator=draws))
    noise = generated(draws, algebra.empty_like)
    _, info = last(run(program, start, inputs.score(network), noise, algebra))
    pixels = blank(inputs.test_images())
    return [noise_level(x[None], pixels) for x in info.mean()]


@cell(data=DATA)
def exchange(setup: Setup, sampler: str, budget: int, others: int) -> Exchange:
    """Exchange the rest of a batch of eight samples and `others` more, each with a start and noise of its own."""
    problem, spec = inputs.problem(setup), controls.SAMPLERS[sampler]
    program = list(spec.build(setup.sigmas, budget, DEFAULTS))

    def own(rest: range) -> Tensor:
        numbers = (*range(OWN), *rest)
        draws = generated_per_sample([one for n in numbers for one in seeded_per_sample(setup.seed, n, 1)])
        start = State(setup.sigmas.first * draws(torch.empty(len(numbers), *inputs.SHAPE)))
        return last(run(program, start, problem.score, draws, spec.coupling()))[0].x[:OWN].clone()

    one, other, alone = (own(range(first, first + count)) for first, count in ((100, others), (500, others), (0, 0)))
    apart = one - other
    root = apart.square().mean().sqrt().item()
    return Exchange(root, apart.abs().max().item(), (one - alone).abs().max().item())


class Features(NamedTuple):
    """Sets of images judged as one in features: conditions, each number with its interval, shares of the classes."""

    conditions: Conditions
    numbers: dict[str, tuple[float, float, float, int]]
    shares: Array
    sets: int
