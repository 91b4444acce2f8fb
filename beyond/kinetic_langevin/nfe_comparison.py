"""K8: the evaluations that samplers need on random Gaussians with exact scores, to KL / d = 1e-4.

A target has 16 directions, variances log-uniform between 1e-4 and 1, and a mean of norm up to 1 in
a random place. All targets run as one exact law, a step at a time. The samplers take one step per
noise level, as published, on geometric noise levels. EDM's own noise levels (rho = 7) need more
evaluations of every sampler on a family of another seed.

A ratio is the geometric mean over targets of a ratio of evaluations, with Student's interval of its
logarithm's mean: the targets are independent draws from the family. Where a sampler never reaches
the threshold, the largest budget stands for its evaluations, so a ratio in its disfavour is a lower
bound.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws.batched_gaussian import BatchedGaussian
from ams.laws.gaussian import GaussianLaw
from ams.samplers import Program
from ams.samplers.presets import DEFAULT, SPECS, BuildProgram, SigmaRange
from ams.statistics import CONFIDENCE
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams_suite.measures import geometric_mean_ratio
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, cell

SEED = 270517
"""Of the third family that was drawn: it was first run after every setting and bound was fixed."""
DIRECTIONS = 16
SIGMAS = SigmaRange(50.0, 0.01)
"""The noise levels between which a run leads."""
COMPARED = (
    "annealed BAOAB, e = 0",
    "DPM-Solver++",
    "SDE-DPM-Solver++",
    "Heun ODE",
    "EDM stochastic",
    "ancestral",
)
THRESHOLD = 1e-4
"""Of KL / d (nats), to which evaluations are counted."""
LEAST = 1e-6
"""The KL / d (nats) below which no larger budget is tried."""


class Family(BatchedGaussian):
    """Exact laws of one program on several Gaussian targets with as many directions each."""

    def __init__(
        self, variance: Float[Tensor, "targets d"], mean: Float[Tensor, "targets d"]
    ) -> None:
        """Join the targets."""
        GaussianLaw.__init__(self, variance.flatten(), mean.flatten())
        self.single, self.runs = GaussianLaw(variance[0], mean[0]), len(variance)

    def divergence(
        self, program: Program, sigmas: SigmaRange = SIGMAS
    ) -> Float[np.ndarray, " targets"]:
        """Return KL(run || target at the last noise level) / d of each target (nats), from N(0,
        sigmas.first^2 I).

        It is infinite where the run diverged.
        """
        state, _ = self.end(program, self.start(0.0, sigmas.first**2))
        end = self.of_each_run(state.x)
        exact = self.variance.reshape(self.runs, -1) + sigmas.last**2
        excess = (end.variance - exact) / exact
        shift = (end.mean - self.mean.reshape(self.runs, -1)).square() / exact
        kl = (excess - excess.log1p() + shift).sum(1) / (2 * exact.shape[1])
        return kl.nan_to_num(nan=math.inf).numpy()


def family(targets: int, seed: int = SEED) -> Family:
    """Draw the first targets of a seed."""
    generator = np.random.default_rng(seed)
    drawn = [_target(generator) for _ in range(targets)]
    variance, mean = (torch.as_tensor(np.array(part)) for part in zip(*drawn, strict=True))
    return Family(variance, mean)


def _target(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a target's variances and mean."""
    variance = np.exp(generator.uniform(math.log(1e-4), 0.0, DIRECTIONS))
    direction = generator.normal(size=DIRECTIONS)
    return variance, direction * generator.uniform() / np.linalg.norm(direction)


@cell
def curve(sampler: str, targets: int, largest: int) -> Array:
    """KL / d of a sampler's runs (nats), of shape (budgets, targets); see `errors_at_budgets`."""
    program = SPECS[sampler].program
    assert program is not None
    return errors_at_budgets(program, family(targets), largest)


def errors_at_budgets(program: BuildProgram, targets: Family, largest: int) -> Array:
    """Return KL / d at the budgets up to `largest`, a row each, a column for each target.

    It ends where every target has reached `LEAST`, or has an error that twice the evaluations
    hardly change.
    """
    rows = list[np.ndarray]()
    for budget in budgets(largest):
        rows.append(targets.divergence(program(SIGMAS, budget, DEFAULT)))
        settled = len(rows) > 2 and np.isfinite(rows[-1]).all()
        still = settled and np.allclose(rows[-3:-1], rows[-1], rtol=1e-3, atol=0.0)
        if still or (np.min(rows, axis=0) <= LEAST).all():
            break
    return np.array(rows)


def budgets(largest: int) -> list[int]:
    """Return 5, 7, 10, 14, ...: geometric, two in an octave, up to `largest`."""
    return first_budgets(math.floor(2 * math.log2(largest / 5) + 1e-9) + 1)


def first_budgets(count: int) -> list[int]:
    """Return the first `count` budgets."""
    return [round(5 * 2 ** (k / 2)) for k in range(count)]


def nfe_of_targets(errors: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Return the evaluations at which each target's errors, a column, first are `threshold`;
    infinite where never.
    """
    points = first_budgets(len(errors))
    return np.array(
        [
            nfe_to_threshold(zip(points, column, strict=True), threshold)
            for column in errors.T.tolist()
        ]
    )


def evaluations(settings: Settings, sampler: str) -> np.ndarray:
    """Return the evaluations that a sampler needs on each target; infinite where it never gets
    there.
    """
    return nfe_of_targets(curve(sampler, settings.targets, settings.budget))


def nfe_ratio(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's evaluations over another's, the geometric mean over targets with its
    interval.
    """
    counts = {name: evaluations(settings, name) for name in (sampler, other)}
    ours, theirs = (np.minimum(counts[name], settings.budget) for name in (sampler, other))
    never = {
        f"targets that {name} never reaches": int(np.isinf(count).sum())
        for name, count in counts.items()
    }
    return geometric_mean_ratio(ours, theirs, CONFIDENCE, SEED, **never)
