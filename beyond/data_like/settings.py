"""Sizes of the group, the samplers, and the hyperparameters that the development target chose."""

from itertools import product
from typing import NamedTuple

from pydantic import PositiveInt

from ams.samplers.presets import AUTHORS, Hyperparameters
from analysis.settings import Seeded
from experiments.images.runs import chosen_values
from verdicts.claims.sizes import Names, Sizes


class ScoreError(NamedTuple):
    """A kind of score error (`beyond.data_like.scores`), and its size `e` where that is chosen."""

    kind: str
    size: float = 0.0


BASELINE, PAPER = "annealed Langevin", "adaptive momentum"
SAMPLERS = (
    *(BASELINE, PAPER, "constant momentum", "PC, Langevin", "PC, adaptive", "reverse diffusion", "Heun ODE"),
    *("EDM stochastic", "DPM-Solver++", "SDE-DPM-Solver++", "UniPC-3", "annealed BAOAB, e = 1/2"),
)
CONTROL = "Langevin, drift x1.5"
"""What has a larger drift and no momentum."""
DEVELOPMENT, EQUAL = "development", "equal residuals"
"""The target on which hyperparameters are chosen; the synthetic one with one residual variance for all modes."""
HEADLINE, LONG = 50, 1000
"""The evaluations at which hyperparameters are chosen; those of long runs."""
GROUPS = 8
"""The groups of a run's samples, each left out in turn for intervals."""
ERRORS = (
    ScoreError("none"),
    ScoreError("affine", 0.2),
    ScoreError("features", 0.05),
    ScoreError("features", 0.2),
    ScoreError("forgotten"),
    ScoreError("fitted"),
)
"""The score errors that samplers are judged with."""


class Settings(Seeded):
    """Every sampler runs on `targets` at `budgets` (NFE) with every score error.

    A run has `samples` in `GROUPS` groups: 32 times as many at 50 evaluations, half as many above 100. Where claims
    compare long runs, with the exact score, they have sixteen times as many.
    """

    targets: Names = ("synthetic", "MNIST")
    budgets: Sizes = (20, 50, 100)
    samples: PositiveInt = 256

    def samples_at(self, budget: int, compared: bool = False) -> int:
        """Return the number of samples of a run of so many evaluations; `compared`: claims compare it at 1000."""
        if compared and budget == LONG:
            return self.samples * 16
        return self.samples * 32 if budget == HEADLINE else self.samples // (1 if budget <= 100 else 2)


_STEPS = ((5, 1.0), (3, 1.0), (1, 1.0), (1, 2.0), (1, 3.0), (1, 4.0))
_MOMENTA = ((5, 0.9, 1.0), (1, 0.9, 1.0), (1, 0.6, 1.0), (1, 0.4, 1.0), (1, 0.2, 1.0), (1, 0.6, 0.5))
_RATIOS = ((0.08,), (0.16,), (0.24,), (0.32,), (0.48,), (0.64,))
_GRIDS: dict[str, tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]] = {
    BASELINE: (("repeats", "factor"), _STEPS),
    PAPER: (("repeats", "factor"), _STEPS),
    "constant momentum": (("repeats", "beta", "factor"), _MOMENTA),
    "PC, Langevin": (("snr",), _RATIOS),
    "PC, adaptive": (("snr",), _RATIOS),
    "EDM stochastic": (("rho", "churn"), tuple(product((0.0, 3.0, 7.0), (5.0, 40.0)))),
}
_SCHEDULES = (("rho",), ((0.0,), (1.5,), (2.0,), (3.0,), (5.0,), (7.0,)))


def trials(sampler: str) -> list[Hyperparameters]:
    """Return the six hyperparameters of a sampler that are tried on the development target; others are the authors'."""
    names, rows = _GRIDS.get(sampler, _SCHEDULES)
    return [chosen_values(AUTHORS, dict(zip(names, row, strict=True))) for row in rows]


_BEST = (4, 3, 5, 3, 3, 0, 0, 0, 3, 5, 0, 0)
CHOSEN = {sampler: trials(sampler)[best] for sampler, best in zip(SAMPLERS, _BEST, strict=True)}
CHOSEN[CONTROL] = AUTHORS._replace(repeats=1)
"""What is judged: the trial of least error on the development target, with its exact score at 50 evaluations."""
