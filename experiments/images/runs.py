"""One batch of images from a sampler: its start, its run, the last denoising.

Batch `number` of a seed starts alike for every sampler and draws the same noise in the same order,
so differences between samplers are paired. Adaptive momentum couples the samples of a batch, so
batches are the independent units.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from ams import samplers
from ams.rk45 import flow_rk45
from ams.samplers import Batches, Particles, Score, State, last, sample
from ams.samplers.loop import WATCH
from ams.samplers.noise_sources import generated_per_batch
from ams.samplers.presets import (
    ADAPTIVE,
    COMPARED,
    LANGEVIN,
    Hyperparameters,
    SamplerSpec,
    SigmaRange,
)
from ams.schedules import Level
from experiments.images.networks.score_adapter import NetworkScore
from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen

TOGETHER = 640
"""Samples that are run in one tensor at most: products of so many rows are twice as fast as
those of 32.
"""
BASELINE, PAPER, DOUBLED = LANGEVIN.name, ADAPTIVE.name, "Langevin, drift x2"


class Problem(NamedTuple):
    """What is sampled: its score (exact or a network's), the shape of a sample, the noise at
    both ends of a run.
    """

    score: Score
    shape: tuple[int, ...]
    sigmas: SigmaRange


def chosen_values(base: Hyperparameters, values: Mapping[str, float]) -> Hyperparameters:
    """Return hyperparameters with these values, as a file of choices has them: `repeats` a float
    too.
    """
    given: dict[str, Any] = {
        name: int(value) if name == "repeats" else value for name, value in values.items()
    }
    return base._replace(**given)


def of_network(network: NetworkScore, last_sigma: float) -> Problem:
    """Return a network's score, from the largest noise that it was trained at to `last_sigma`."""
    return Problem(network.score, network.shape, SigmaRange(network.largest, last_sigma))


class BatchSetup(NamedTuple):
    """What every batch of a group shares: its number of samples, the last noise level, the seed."""

    size: int
    last_sigma: float
    seed: int


def blocks(numbers: Iterable[int], setup: BatchSetup) -> list[tuple[int, ...]]:
    """Return the numbers of batches in parts of up to `TOGETHER` samples, each of which is
    computed together.
    """
    most = max(1, TOGETHER // setup.size)
    return [tuple(part) for _, part in groupby(numbers, key=lambda number: number // most)]


class RunSettings(Frozen):
    """Every sampler in `samplers` runs at `budgets` (NFE).

    Runs are `batches` independent batches of `batch` samples, and end at the noise level
    `last_sigma`.
    """

    budgets: Sizes = (20, 60, 150)
    batches: PositiveInt = 4
    batch: PositiveInt = 128
    samplers: Names = COMPARED
    last_sigma: float = 0.05
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> BatchSetup:
        """Return what every batch shares."""
        return BatchSetup(self.batch, self.last_sigma, self.seed)


class Samples(NamedTuple):
    """Samples at the last noise level, and the score evaluations that they took."""

    x: Float[Tensor, " batch *shape"]
    evaluations: int


def generator(seed: int, number: int) -> torch.Generator:
    """Return the generator of a batch: seed and number fix its stream."""
    state = np.random.SeedSequence([seed, number % 2**32]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def started(problem: Problem, size: int, draws: torch.Generator) -> Float[Tensor, " batch *shape"]:
    """Return the start of a run: pure noise of the first noise level, float32."""
    return problem.sigmas.first * torch.randn((size, *problem.shape), generator=draws)


def run(
    problem: Problem,
    sampler: SamplerSpec,
    budget: int,
    hyperparameters: Hyperparameters,
    size: int,
    draws: torch.Generator,
) -> Samples:
    """Run one batch within `budget` evaluations. Raises NonFiniteState where it diverges."""
    program = sampler.build(problem.sigmas, budget, hyperparameters)
    state, _, evaluations = sample(
        program, started(problem, size, draws), problem.score, draws, sampler.coupling()
    )
    return Samples(state.x.clone(), evaluations)


def run_together(
    problem: Problem,
    sampler: SamplerSpec,
    budget: int,
    hyperparameters: Hyperparameters,
    size: int,
    draws: Sequence[torch.Generator],
) -> list[Float[Tensor, " batch *shape"]]:
    """Return the end of a batch for each of `draws`, run in one tensor: but for rounding as `run`
    gives each.

    Raises NonFiniteState where one of them diverges.
    """
    algebra = Batches(size) if sampler.coupling is Particles else sampler.coupling()
    noise = generated_per_batch(draws, algebra.empty_like)
    start = State(torch.cat([started(problem, size, each) for each in draws]))
    program = sampler.build(problem.sigmas, budget, hyperparameters)
    state, _ = last(samplers.run(program, start, problem.score, noise, algebra, WATCH))
    return list(state.x.clone().split(size))


def solved(problem: Problem, tolerance: float, size: int, draws: torch.Generator) -> Samples:
    """Integrate the probability flow of one batch to a tolerance, relative and absolute."""
    return Samples(
        *flow_rk45(
            started(problem, size, draws), problem.score, *problem.sigmas, tolerance, tolerance
        )
    )


def on_device(score: Score, device: str) -> Score:
    """Return a score that is computed on a device for states that are elsewhere."""
    return lambda x, level: score(x.to(device), level).to(x.device)


def seen_noise(problem: Problem, x: Float[Tensor, " batch *shape"]) -> float:
    """Return `E |noise(x, sigma_L)|^2 / d`, `noise = -sigma score`: what a score sees at the
    last noise level.
    """
    last = problem.sigmas.last
    return float((last * problem.score(x, Level(0, sigma=last))).double().square().mean())


def denoised(problem: Problem, x: Float[Tensor, " batch *shape"]) -> Float[Tensor, " batch *shape"]:
    """Return `x + sigma_L^2 s(x)`: the last denoising, one evaluation that no budget counts."""
    last = problem.sigmas.last
    return x + last**2 * problem.score(x, Level(0, sigma=last))
