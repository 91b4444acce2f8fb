"""Samplers on images: who runs, and one batch of samples from a common start.

A *subject* is a score with its first and last noise level: exact or a network's, all else is alike. Batch `number` of
a seed starts alike for every sampler and draws the same noise in the same order, so differences between samplers are
paired; the batch is the independent unit, since the released rule couples its samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from ams.samplers.catalogue import PROGRAMS, Hyperparameters, Maker, SigmaRange
from jaxtyping import Float
from torch import Tensor

from ams.samplers import Particles, PerSample, Score, flow_rk45, sample
from ams.schedules import Level

RELEASED = Hyperparameters(extra=1.0)
"""Every knob as released."""
SOLVER = "RK45 ODE"
"""The probability flow by an adaptive solver: no budget, but a tolerance."""


class Entrant(NamedTuple):
    """A sampler: its program, and what `<.>` averages over."""

    program: Maker
    algebra: Callable[[], Particles] = Particles


ENTRANTS = {name: Entrant(program) for name, program in PROGRAMS.items()} | {
    f"{name}, per sample": Entrant(PROGRAMS[name], PerSample) for name in ("adaptive momentum", "PC, adaptive")
}


class Subject(NamedTuple):
    """What is sampled: its score, the shape of a sample, the noise at both ends of a run."""

    score: Score
    shape: tuple[int, ...]
    ends: SigmaRange


class Outcome(NamedTuple):
    """Samples at the last noise level, and the score evaluations that they took."""

    x: Float[Tensor, " batch *shape"]
    evaluations: int


def generator(seed: int, number: int) -> torch.Generator:
    """Return the generator of a batch: seed and number fix its stream."""
    state = np.random.SeedSequence([seed, number % 2**32]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def started(subject: Subject, size: int, draws: torch.Generator) -> Float[Tensor, " batch *shape"]:
    """Return the start: pure noise of the first level, float32."""
    return subject.ends.first * torch.randn((size, *subject.shape), generator=draws)


def run(
    subject: Subject, entrant: Entrant, budget: int, choice: Hyperparameters, size: int, draws: torch.Generator
) -> Outcome:
    """Run one batch within `budget` evaluations. Raises as the samplers do."""
    program = entrant.program(subject.ends, budget, choice)
    state, _, spent = sample(program, started(subject, size, draws), subject.score, draws, entrant.algebra())
    return Outcome(state.x.clone(), spent)


def solved(subject: Subject, tolerance: float, size: int, draws: torch.Generator) -> Outcome:
    """Integrate the probability flow of one batch to a tolerance, relative and absolute."""
    return Outcome(*flow_rk45(started(subject, size, draws), subject.score, *subject.ends, tolerance, tolerance))


def denoised(subject: Subject, x: Float[Tensor, " batch *shape"]) -> Float[Tensor, " batch *shape"]:
    """Return `x + sigma_L^2 s(x)`: the last denoising, one evaluation that no budget counts."""
    last = subject.ends.last
    return x + last**2 * subject.score(x, Level(0, sigma=last))
