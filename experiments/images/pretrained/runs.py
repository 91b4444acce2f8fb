"""Runs on the pretrained network, one cell each: batches of samples, and what the network is asked beside them."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws import GaussianLaw
from ams.samplers import NonFiniteState, Particles, State, last, noise_sources, run
from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from ams.schedules import process_levels
from experiments.images.comparison import alike
from experiments.images.features.extractors import digit_features
from experiments.images.loss import denoising_losses, gaussian, levels_at, midpoints
from experiments.images.networks.unet_ve import ExponentialVE
from experiments.images.pretrained import inputs, samplers
from experiments.images.pretrained.inputs import DATA, DEFAULTS, Quality, blank, noise_level
from experiments.images.pretrained.settings import Setup
from experiments.images.runs import denoised, generator, run as sampled, started
from verdicts.studies import Array, Kept, cell

SHOWN = 14
"""Samples of a first batch that are kept for a grid of pictures."""
LOST = Quality(1e9, 1e9, 1e9)
"""Of a run whose state did not stay finite."""
TUTORIAL_END = 1e-3
"""The time at which the tutorial's samplers end; the network was trained down to 1e-5."""
OWN = 8
"""Samples that stay when the rest of their batch is exchanged."""
SMALLEST = 1e-8
"""Stands for a variance of 0."""


class Batch(NamedTuple):
    """One batch: score evaluations, quality, features of the denoised samples (none where the run diverged).

    `shown` holds the first denoised samples of a first batch as grey values up to 255.
    """

    evaluations: int
    quality: Quality
    features: Array
    shown: Array


@cell(data=DATA, kept=Kept("pretrained.batch", test=alike))
def batch(setup: Setup, sampler: str, budget: int, hyperparameters: Hyperparameters, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the sampler.

    The control with a constant drift factor takes the adaptive corrector's own mean, of its first batch.
    """
    if sampler == samplers.CONSTANT_FACTOR.name:
        factors = [factor for _, factor in rule_along_run(setup, samplers.ADAPTIVE_CORRECTOR, budget, hyperparameters)]
        hyperparameters = hyperparameters._replace(drift_scale=sum(factors) / len(factors))
    problem, draws, none = inputs.problem(setup), generator(setup.seed, number), np.empty(0)
    try:
        x, evaluations = sampled(problem, samplers.BY_NAME[sampler], budget, hyperparameters, setup.size, draws)
    except NonFiniteState:
        return Batch(budget, LOST, none, none)
    clean = denoised(problem, x)
    quality = inputs.judge(setup.reference, setup.last_sigma)(x, clean)
    shown = (255 * clean[:SHOWN].clamp(0, 1)).round().byte().numpy() if number == 1 else none
    return Batch(evaluations, quality, digit_features(inputs.CLASSIFIER)(clean).numpy(), shown)


@cell(data=DATA)
def rule_along_run(
    setup: Setup, sampler: str, budget: int, hyperparameters: Hyperparameters
) -> list[tuple[float, float]]:
    """Run the first batch, and return beta and `A / a` of each step that has a rule."""
    problem, draws, spec = inputs.problem(setup), generator(setup.seed, 1), samplers.BY_NAME[sampler]
    start, noise = State(started(problem, setup.size, draws)), noise_sources.generated(draws)
    states = run(spec.build(problem.sigmas, budget, hyperparameters), start, problem.score, noise, spec.coupling())
    rules = (info.coefficients for _, info in states if info.coefficients)
    return [(rule.beta, rule.drift / rule.step) for rule in rules]


@cell(data=("mnist-test",))
def held_out_quality(setup: Setup, count: int) -> list[Quality]:
    """Judge batches of held-out images, with the last noise level's noise, denoised by nothing."""
    judge, draws = inputs.judge(setup.reference, setup.last_sigma), generator(setup.seed, 0)
    batches = inputs.held_out(setup, count)
    return [judge(x + setup.last_sigma * torch.randn(x.shape, generator=draws), x) for x in batches]


@cell(data=DATA)
def denoising_loss(setup: Setup, images: int, times: int) -> Array:
    """Take the denoising loss of each image, its mean over times: midpoints of equal intervals of (0, 1]."""
    x, score = inputs.test_images()[:images], inputs.score(setup)
    z = gaussian(setup.seed, tuple(x.shape))
    losses = [denoising_losses(score, x, z, level) for level in levels_at(midpoints(times))]
    return torch.stack(losses).mean(0).numpy()


@cell(data=DATA)
def tutorial_residuals(setup: Setup, steps: int, count: int) -> list[float]:
    """Run the tutorial's own predictor-corrector to its last mean, and measure each sample's noise on blank pixels.

    Equal steps in time: Langevin's corrector at the authors' snr, then Euler-Maruyama of the reverse SDE.
    """
    process, draws, algebra = ExponentialVE(), generator(setup.seed, 3), Particles()
    levels = process_levels(process, steps, TUTORIAL_END)
    program = samplers.tutorial(process, levels, DEFAULTS.snr)
    start = State(levels[0].sigma * torch.randn((count, *inputs.SHAPE), generator=draws))
    noise = noise_sources.generated(draws, algebra.empty_like)
    _, info = last(run(program, start, inputs.score(setup), noise, algebra))
    pixels = blank(inputs.test_images())
    return [noise_level(x[None], pixels) for x in info.mean()]


class Exchange(NamedTuple):
    """How far samples move, their own start and noise unchanged, when the rest of their batch is exchanged.

    Root mean square and largest pixel by which they differ with other samples beside them; largest pixel with none.
    """

    root_mean_square: float
    largest: float
    largest_alone: float


@cell(data=DATA)
def exchange(setup: Setup, sampler: str, budget: int, others: int) -> Exchange:
    """Run samples beside `others` more, beside as many different ones, and alone; each draws noise of its own."""
    problem, spec = inputs.problem(setup), samplers.BY_NAME[sampler]
    program = list(spec.build(problem.sigmas, budget, DEFAULTS))

    def beside(first: int, count: int) -> Tensor:
        numbers = (*range(OWN), *range(first, first + count))
        generators = [one for n in numbers for one in noise_sources.seeded_per_sample(setup.seed, n, 1)]
        draws = noise_sources.generated_per_sample(generators)
        start = State(problem.sigmas.first * draws(torch.empty(len(numbers), *inputs.SHAPE)))
        return last(run(program, start, problem.score, draws, spec.coupling()))[0].x[:OWN].clone()

    one, other, alone = beside(100, others), beside(500, others), beside(0, 0)
    apart, root = (one - other).abs().max().item(), (one - other).square().mean().sqrt().item()
    return Exchange(root, apart, (one - alone).abs().max().item())


@cell(data=("mnist-test",))
def predicted_betas(sampler: str, last_sigma: float, budget: int) -> tuple[tuple[float, ...], ...]:
    """Predict the momentum coefficient of each step that has a rule, without sampling, on a Gaussian and on a point.

    The Gaussian has the images' mean and covariance.
    At large noise images are as good as a Gaussian of their covariance; at small noise, as good as points, each a mode
    of its own. On both targets the mean field of a run's steps is exact, and so is beta.
    """
    variance, mean = spectrum(inputs.test_images())
    laws = GaussianLaw(variance, mean), GaussianLaw([SMALLEST], 0.0, [float(len(mean))])
    sigmas = SigmaRange(inputs.FIRST_SIGMA, last_sigma)
    return tuple(mean_field_betas(law, sampler, sigmas, budget) for law in laws)


def mean_field_betas(law: GaussianLaw, sampler: str, sigmas: SigmaRange, budget: int) -> tuple[float, ...]:
    """Return the momentum coefficient of each step that has a rule, on a Gaussian target."""
    program = SPECS[sampler].build(sigmas, budget, DEFAULTS)
    infos = (info for _, info in law.run(program, law.start(0.0, sigmas.first**2)))
    return tuple(float(info.coefficients.beta) for info in infos if info.coefficients)


def spectrum(images: Float[Tensor, "n h w"]) -> tuple[Float[Tensor, " pixels"], Float[Tensor, " pixels"]]:
    """Return the eigenvalues of the images' covariance and the mean along its eigenvectors, float64."""
    flat = images.flatten(1).double()
    variance, vectors = torch.linalg.eigh(torch.cov(flat.T))
    return variance.clamp_min(SMALLEST), flat.mean(0) @ vectors
