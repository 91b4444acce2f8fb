"""Batches of samples on the pretrained network: one cell each, at the defaults and tuned."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.samplers import NonFiniteState, State, run
from ams.samplers.base import Scalar
from ams.samplers.loop import WATCH
from ams.samplers.noise_sources import generated
from ams.samplers.presets import Hyperparameters, SamplerSpec
from experiments.images.pretrained import controls, inputs
from experiments.images.pretrained.inputs import DATA, Setup
from experiments.images.pretrained.quality import Quality
from experiments.images.pretrained.settings import ADAPTIVE_CORRECTOR
from experiments.images.runs import Problem, denoised, generator, started
from verdicts.studies import Array, cell

SHOWN = 14
"""Samples of a first batch that are kept for a grid of pictures."""
FIRST_TRIAL = 10_000
"""The number of the first trial batch: trials share nothing with the batches that judge."""
LOST = Quality(1e9, 1e9, 1e9)
"""Of a run whose state did not stay finite."""


class Batch(NamedTuple):
    """One batch of samples: score evaluations, quality, features of the denoised samples (none where the run diverged).

    `shown` holds the first denoised samples of a first batch as grey values up to 255. `betas` are the momentum
    coefficients of the steps that have a rule, `factor` is the mean of their drift `A` over the base step `a`.
    """

    evaluations: int
    quality: Quality
    features: Array
    shown: Array
    betas: Array
    factor: float


@cell(data=DATA)
def batch(setup: Setup, sampler: str, budget: int, hyperparameters: Hyperparameters, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the sampler.

    The control with a constant drift factor takes the adaptive corrector's own mean, of its first batch.
    """
    if sampler == controls.CONSTANT_FACTOR.name:
        factor = batch(setup, ADAPTIVE_CORRECTOR, budget, hyperparameters, 1).factor
        hyperparameters = hyperparameters._replace(drift_scale=factor)
    problem, draws = inputs.problem(setup), generator(setup.seed, number)
    none = np.empty(0)
    try:
        x, evaluations, rules = sampled(
            problem, controls.SAMPLERS[sampler], budget, hyperparameters, setup.size, draws
        )
    except NonFiniteState:
        return Batch(budget, LOST, none, none, none, np.nan)
    clean = denoised(problem, x)
    quality = inputs.judge(setup.reference, setup.last_sigma)(x, clean)
    shown = (255 * clean[:SHOWN].clamp(0, 1)).round().byte().numpy() if number == 1 else none
    betas, factors = zip(*rules, strict=True) if rules else ((), (np.nan,))
    features = inputs.extractor()(clean).numpy()
    return Batch(evaluations, quality, features, shown, np.array(betas), sum(factors) / len(factors))


def sampled(
    problem: Problem,
    spec: SamplerSpec,
    budget: int,
    hyperparameters: Hyperparameters,
    size: int,
    draws: torch.Generator,
) -> tuple[Tensor, int, list[tuple[float, float]]]:
    """Return the samples of one run, its score evaluations, and `(beta, A / a)` of each step that has a rule.

    Raises NonFiniteState where it diverges.
    """
    algebra, evaluations, rules = spec.coupling(), 0, []
    state, noise = State(started(problem, size, draws)), generated(draws, algebra.empty_like)
    program = spec.build(problem.sigmas, budget, hyperparameters)
    for state, info in run(program, state, problem.score, noise, algebra, WATCH):  # noqa: B020 (the last one is kept)
        evaluations += info.evaluations
        if info.coefficients is not None:
            beta, step, drift = info.coefficients[:3]
            rules.append((_number(beta), _number(algebra.divide(drift, step))))
    return state.x.clone(), evaluations, rules


def _number(scalar: Scalar) -> float:
    """Return a coefficient as a number: the mean over the samples where each has its own."""
    return float(scalar.double().mean()) if isinstance(scalar, Tensor) else float(scalar)


def tuned_setting(
    setup: Setup, sampler: str, budget: int, tried: tuple[Hyperparameters, ...], trials: int
) -> Hyperparameters:
    """Return the setting of least mean energy distance over `trials` trial batches; the first of equals."""

    def error(setting: Hyperparameters) -> float:
        numbers = range(FIRST_TRIAL, FIRST_TRIAL + trials)
        return sum(batch(setup, sampler, budget, setting, number).quality.energy for number in numbers)

    return min(tried, key=error)


@cell(data=DATA)
def tuned_batch(
    setup: Setup, sampler: str, budget: int, tried: tuple[Hyperparameters, ...], trials: int, number: int
) -> Batch:
    """One batch at the setting that trial batches choose."""
    return batch(setup, sampler, budget, tuned_setting(setup, sampler, budget, tried, trials), number)
