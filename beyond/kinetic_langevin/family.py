r"""Random Gaussian targets and errors of their scores: families with a seed each, one to tune on and one to test on.

A target has 16 directions, variances log-uniform between 1e-4 and 1, and a mean of norm up to 1 in a random place. A
direction's score is multiplied by `1 + gain`, or its denoised point moved by `shift` standard deviations, up to 0.2 at
random, at the noise levels on one side of a `turn`:

    exact   no error
    high    gains, above turn = sqrt(largest variance / r), r log-uniform in 10 to 100: below it the scores are right,
            but the slow directions, of variance above turn^2, arrive with a wrong distribution that must be corrected
    shift   shifts instead of gains, above the turn that `high` has (no hyperparameter was chosen on these)
    start   no error, but the run begins at noise 0.15 from N(0, 0.15^2 I), as though the data had no extent
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

DEVELOPMENT, HELD_OUT, THIRD = 1, 1905, 270517
"""The seeds of the family on which settings are chosen, of one whose results were known when the rivals' settings were
chosen, and of the one that judges: it was first run after all settings and bounds were fixed."""
DIRECTIONS = 16
Targets = Float[Tensor, "targets directions"]


class Kind(StrEnum):
    """What is wrong with the scores, or with the start."""

    EXACT = "exact"
    HIGH = "high"
    SHIFT = "shift"
    START = "start"
    LOW = "low"


class Problem(NamedTuple):
    """The first `targets` targets of a family, by its seed, with errors of a kind."""

    kind: Kind
    seed: int
    targets: int

    @property
    def sigmas(self) -> SigmaRange:
        """Return the noise levels between which a run leads."""
        return SigmaRange(0.15 if self.kind is Kind.START else 50.0, 0.01)


class ScoreError(NamedTuple):
    """Per direction: the score is `(1 + gain) s` or `s + shift / sigma^2` above noise `turn`, or below it (`low`)."""

    turn: Tensor
    gain: Tensor | None = None
    shift: Tensor | None = None
    low: bool = False


class Family(BatchedGaussian):
    """Exact laws of one program on several Gaussian targets with as many directions each."""

    def __init__(self, variance: Targets, mean: Targets, error: ScoreError | None = None) -> None:
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
        """Return `kl` as an array, infinite where the run diverged."""
        return self.kl(program, sigmas).nan_to_num(nan=math.inf).numpy()

    def kl(self, program: Program, sigmas: SigmaRange) -> Float[Tensor, " targets"]:
        """Return KL(run || target at the last noise level) / d of each target (nats), from N(0, sigmas.first^2 I)."""
        state, _ = self.end(program, self.start(0.0, sigmas.first**2))
        end = self.of_each_run(state.x)
        exact = self.variance.reshape(self.runs, -1) + sigmas.last**2
        excess = (end.variance - exact) / exact
        shift = (end.mean - self.mean.reshape(self.runs, -1)).square() / exact
        return (excess - excess.log1p() + shift).sum(1) / (2 * exact.shape[1])


def family(problem: Problem) -> Family:
    """Draw a problem's targets and their score errors; the targets of a seed are alike for every kind."""
    generator = np.random.default_rng(problem.seed)
    targets = [_target(generator) for _ in range(problem.targets)]
    variance, mean = (torch.as_tensor(np.array(part)) for part in zip(*targets, strict=True))
    return Family(variance, mean, _error(problem, variance))


def _target(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a target's variances and mean."""
    variance = np.exp(generator.uniform(math.log(1e-4), 0.0, DIRECTIONS))
    direction = generator.normal(size=DIRECTIONS)
    return variance, direction * generator.uniform() / np.linalg.norm(direction)


def _error(problem: Problem, variance: Targets) -> ScoreError | None:
    if problem.kind in (Kind.EXACT, Kind.START):
        return None
    generator = np.random.default_rng([problem.seed, 1])
    sizes = torch.as_tensor(generator.uniform(-0.2, 0.2, variance.numel()))
    ratios = torch.as_tensor(np.exp(generator.uniform(math.log(10.0), math.log(100.0), len(variance))))
    low = problem.kind is Kind.LOW
    turn = (variance.amin(1) if low else variance.amax(1) / ratios).sqrt().repeat_interleave(DIRECTIONS)
    if problem.kind is Kind.SHIFT:
        return ScoreError(turn, shift=sizes * variance.flatten().sqrt())
    return ScoreError(turn, gain=sizes, low=low)
