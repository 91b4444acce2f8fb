r"""Random Gaussian targets and errors of their scores: families with a seed each, one to tune on and one to judge by.

A target has `d` directions, variances log-uniform between `smallest` and 1, and a mean of norm up to 1 in a random
direction. A direction's score is multiplied by `1 + gain`, and its denoised point moved by `shift` standard deviations,
both at random, at the noise levels on one side of a `turn`:

    exact   no error
    high    gains, above turn = sqrt(largest variance / r), r log-uniform in `slow`: below it the scores are right, but
            the slow directions, of variance above turn^2, arrive with a wrong distribution that must be corrected
    shift   shifts instead of gains, above the turn that `high` has (no hyperparameter was chosen on these)
    start   no error, but the run begins at a low noise from N(0, sigma^2 I), as though the data had no extent
    low     gains, below turn = sqrt(smallest variance): the last noise levels draw with a wrong score

All targets of a problem run as one exact law, a step at a time; norms, where a rule asks for them, stay each target's.
"""

import math
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws.batched_gaussian import BatchedGaussian
from ams.laws.gaussian import GaussianLaw, Row
from ams.samplers import Program
from ams.samplers.presets import SigmaRange
from ams.schedules import Level


class Kind(StrEnum):
    """What is wrong with the scores, or with the start."""

    EXACT = "exact"
    HIGH = "high"
    SHIFT = "shift"
    START = "start"
    LOW = "low"


class Problem(NamedTuple):
    """A seeded family of `targets` targets with score errors of relative size `error`, run between two noise levels."""

    kind: Kind
    seed: int
    targets: int
    directions: int
    smallest: float
    slow: tuple[float, float]
    error: float
    sigmas: SigmaRange


class ScoreError(NamedTuple):
    """Values per direction: the score is `(1 + gain) s` or `s + shift / sigma^2` above noise `turn`, or below it (`low`)."""

    turn: Tensor
    gain: Tensor | None = None
    shift: Tensor | None = None
    low: bool = False


class Family(BatchedGaussian):
    """Exact laws of one program on several Gaussian targets with as many directions each."""

    def __init__(
        self,
        variance: Float[Tensor, "targets directions"],
        mean: Float[Tensor, "targets directions"],
        error: ScoreError | None = None,
    ) -> None:
        """Join the targets; `error` has a value for each direction of each target, in order."""
        GaussianLaw.__init__(self, variance.flatten(), mean.flatten())
        self.single, self.runs, self.error = GaussianLaw(variance[0], mean[0]), len(variance), error

    def score(self, x: Row, level: Level) -> Row:
        """Return the score at a noise level, wrong where the error says so."""
        s = super().score(x, level)
        if self.error is None:
            return s
        turn, gain, shift, low = self.error
        hit = level.sigma < turn if low else level.sigma > turn
        if gain is not None:
            s *= (1.0 + hit * gain)[:, None]
        if shift is not None:
            s[:, 0] += hit * shift / level.sigma**2
        return s

    def mean_curvature(self, level: Level) -> Float[Tensor, " directions"]:
        """Return the mean over directions of each target's precision at a noise level, as a column."""
        precision = 1.0 / (self.variance + level.sigma**2)
        return self.column(precision.reshape(self.runs, -1).mean(1).tolist())

    def divergence(self, program: Program, sigmas: SigmaRange) -> Float[np.ndarray, " targets"]:
        """Return KL(run || target at the last noise level) / d of each target (nats), from N(0, sigmas.first^2 I).

        Infinite where the run diverged.
        """
        state, _ = self.end(program, self.start(0.0, sigmas.first**2))
        end = self.of_each_run(state.x)
        exact = self.variance.reshape(self.runs, -1) + sigmas.last**2
        excess = (end.variance - exact) / exact
        shift = (end.mean - self.mean.reshape(self.runs, -1)).square() / exact
        divergence = (excess - excess.log1p() + shift).sum(1) / (2 * exact.shape[1])
        return divergence.nan_to_num(nan=math.inf).numpy()


def family(problem: Problem) -> Family:
    """Draw a problem's targets and their score errors; the targets of a seed are alike for every kind."""
    generator = np.random.default_rng(problem.seed)
    targets = [_target(generator, problem) for _ in range(problem.targets)]
    variance, mean = (torch.as_tensor(np.array(part)) for part in zip(*targets, strict=True))
    return Family(variance, mean, _error(problem, variance))


def _target(generator: np.random.Generator, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return a target's variances and mean."""
    variance = np.exp(generator.uniform(math.log(problem.smallest), 0.0, problem.directions))
    direction = generator.normal(size=problem.directions)
    return variance, direction * generator.uniform() / np.linalg.norm(direction)


def _error(problem: Problem, variance: Float[Tensor, "targets directions"]) -> ScoreError | None:
    if problem.kind in (Kind.EXACT, Kind.START):
        return None
    generator = np.random.default_rng([problem.seed, 1])
    sizes = torch.as_tensor(generator.uniform(-problem.error, problem.error, variance.numel()))
    ratios = torch.as_tensor(np.exp(generator.uniform(*np.log(problem.slow), len(variance))))
    low = problem.kind is Kind.LOW
    turn = (variance.amin(1) if low else variance.amax(1) / ratios).sqrt().repeat_interleave(problem.directions)
    if problem.kind is Kind.SHIFT:
        return ScoreError(turn, shift=sizes * variance.flatten().sqrt())
    return ScoreError(turn, gain=sizes, low=low)
