"""Runs on the pretrained network, one cell each: batches of samples, and what the network is asked
beside them.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws import GaussianLaw
from ams.samplers import NonFiniteState, State, noise_sources, run
from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from experiments.images.comparison import GREY, ROUNDING
from experiments.images.features.extractors import digit_features
from experiments.images.pretrained import inputs, samplers
from experiments.images.pretrained.inputs import DATA, DEFAULTS, Quality
from experiments.images.pretrained.settings import Setup
from experiments.images.runs import denoised, generator, run as sampled, started
from verdicts.studies import Array, Kept, cell

FIRST_FRESH = 20_000
"""The number of the first batch that tuned samplers run on."""
FEATURED = 8
"""Batches, of those at the defaults and of fresh ones, whose samples are kept in features."""
SHOWN = 14
"""Samples of a first batch that are kept for a grid of pictures."""
LOST = Quality(1e9, 1e9, 1e9)
"""Of a run whose state did not stay finite."""
SMALLEST = 1e-8
"""Stands for a variance of 0."""


class Batch(NamedTuple):
    """One batch: score evaluations, quality, features of the denoised samples (none where the run
    diverged, nor beyond the `FEATURED` first batches).

    `shown` holds the first denoised samples of a first batch as grey values up to 255.
    """

    evaluations: int
    quality: Quality
    features: Array
    shown: Array


def seconds_of(budget: int, **others: object) -> float:
    """Return about how long a batch takes one core, in seconds."""
    return 0.02 * budget


@cell(data=DATA, kept=Kept("pretrained.batch", ROUNDING, {".3": GREY}, seconds=seconds_of))
def batch(
    setup: Setup, sampler: str, budget: int, hyperparameters: Hyperparameters, number: int
) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the
    sampler.

    The control with a constant drift factor takes the adaptive corrector's own mean, of its first
    batch.
    """
    if sampler == samplers.CONSTANT_FACTOR.name:
        factors = [
            factor
            for _, factor in rule_along_run(
                setup, samplers.ADAPTIVE_CORRECTOR, budget, hyperparameters
            )
        ]
        hyperparameters = hyperparameters._replace(drift_scale=sum(factors) / len(factors))
    problem, draws, none = inputs.problem(setup), generator(setup.seed, number), np.empty(0)
    try:
        x, evaluations = sampled(
            problem, samplers.BY_NAME[sampler], budget, hyperparameters, setup.size, draws
        )
    except NonFiniteState:
        return Batch(budget, LOST, none, none)
    clean = denoised(problem, x)
    quality = inputs.judge(setup.reference, setup.last_sigma)(x, clean)
    shown = (255 * clean[:SHOWN].clamp(0, 1)).round().byte().numpy() if number == 1 else none
    featured = number % FIRST_FRESH <= FEATURED
    features = digit_features(inputs.CLASSIFIER)(clean).numpy() if featured else none
    return Batch(evaluations, quality, features, shown)


@cell(data=DATA)
def rule_along_run(
    setup: Setup, sampler: str, budget: int, hyperparameters: Hyperparameters
) -> list[tuple[float, float]]:
    """Run the first batch, and return beta and `A / a` of each step that has a rule."""
    problem, draws, spec = (
        inputs.problem(setup),
        generator(setup.seed, 1),
        samplers.BY_NAME[sampler],
    )
    start, noise = State(started(problem, setup.size, draws)), noise_sources.generated(draws)
    states = run(
        spec.build(problem.sigmas, budget, hyperparameters),
        start,
        problem.score,
        noise,
        spec.coupling(),
    )
    rules = (info.coefficients for _, info in states if info.coefficients)
    return [(rule.beta, rule.drift / rule.step) for rule in rules]


@cell(data=("mnist-test",))
def held_out_quality(setup: Setup, count: int) -> list[Quality]:
    """Judge batches of held-out images, with the last noise level's noise, denoised by nothing."""
    judge, draws = inputs.judge(setup.reference, setup.last_sigma), generator(setup.seed, 0)
    batches = inputs.held_out(setup, count)
    return [judge(x + setup.last_sigma * torch.randn(x.shape, generator=draws), x) for x in batches]


@cell(data=("mnist-test",))
def predicted_betas(sampler: str, last_sigma: float, budget: int) -> tuple[tuple[float, ...], ...]:
    """Predict the momentum coefficient of each step that has a rule, without sampling, on a
    Gaussian and on a point.

    The Gaussian has the images' mean and covariance. At large noise images are as good as a
    Gaussian of their covariance; at small noise, as good as points, each a mode of its own. On both
    targets the mean field of a run's steps is exact, and so is beta.
    """
    variance, mean = spectrum(inputs.test_images())
    laws = GaussianLaw(variance, mean), GaussianLaw([SMALLEST], 0.0, [float(len(mean))])
    sigmas = SigmaRange(inputs.FIRST_SIGMA, last_sigma)
    return tuple(mean_field_betas(law, sampler, sigmas, budget) for law in laws)


def mean_field_betas(
    law: GaussianLaw, sampler: str, sigmas: SigmaRange, budget: int
) -> tuple[float, ...]:
    """Return the momentum coefficient of each step that has a rule, on a Gaussian target."""
    program = SPECS[sampler].build(sigmas, budget, DEFAULTS)
    infos = (info for _, info in law.run(program, law.start(0.0, sigmas.first**2)))
    return tuple(float(info.coefficients.beta) for info in infos if info.coefficients)


def spectrum(
    images: Float[Tensor, "n h w"],
) -> tuple[Float[Tensor, " pixels"], Float[Tensor, " pixels"]]:
    """Return the eigenvalues of the images' covariance and the mean along its eigenvectors,
    float64.
    """
    flat = images.flatten(1).double()
    variance, vectors = torch.linalg.eigh(torch.cov(flat.T))
    return variance.clamp_min(SMALLEST), flat.mean(0) @ vectors
