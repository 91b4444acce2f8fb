"""Sizes of the group, and what tuning tries of each sampler."""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import NonNegativeInt, PositiveInt

from ams.samplers.presets import AUTHORS, SPECS, Family, Hyperparameters
from experiments.images.networks.ffdnet import SMALLEST
from experiments.images.runs import BASELINE, DOUBLED, PAPER
from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen

SAMPLERS = (
    BASELINE,
    PAPER,
    "constant momentum",
    DOUBLED,
    "PC, Langevin",
    "PC, adaptive",
    "ancestral",
    "Euler ODE",
    "Heun ODE",
    "DPM-Solver++",
    "annealed BAOAB, e = 1/2",
)
CHOSEN = Path(__file__).parent / "chosen.json"
"""What tuning chose: by sampler and evaluations, of both parts of the trials, the number of the
choice among those `tried`.
"""
REPEATS = ("first", "second")
"""What the two repeats of tuning are called."""
SHOWN = (BASELINE, PAPER, DOUBLED, "ancestral")
"""The samplers whose images are shown."""


class Setup(NamedTuple):
    """What batches share: samples of each, and the seed."""

    size: int
    seed: int


class Choice(NamedTuple):
    """What tuning may choose: the last noise level, and the sampler's own hyperparameters."""

    last_sigma: float = SMALLEST
    hyperparameters: Hyperparameters = AUTHORS


LATE = 15 / 255
"""The other last noise level that tuning tries: there the last denoising has more to do."""
TRIED: dict[Family, tuple[Hyperparameters, ...]] = {
    Family.ANNEALED: tuple(
        AUTHORS._replace(factor=factor, repeats=repeats)
        for factor, repeats in ((0.25, 1), (0.5, 1), (0.25, 5))
    ),
    Family.PREDICTOR_CORRECTOR: tuple(AUTHORS._replace(snr=snr) for snr in (0.08, 0.16, 0.32)),
    Family.ONE_STEP: tuple(AUTHORS._replace(rho=rho) for rho in (0.0, 3.0, 7.0)),
}


def tried(sampler: str) -> tuple[Choice, ...]:
    """Return the six choices that tuning tries of a sampler."""
    own = TRIED[SPECS[sampler].family]
    return tuple(Choice(last, each) for last in (SMALLEST, LATE) for each in own)


@cache
def _chosen() -> dict[str, dict[str, list[int]]]:
    """Return what the file `CHOSEN` holds."""
    held: dict[str, dict[str, list[int]]] = json.loads(CHOSEN.read_text(encoding="utf-8"))
    return held


def chosen(sampler: str, budget: int, repeat: int) -> Choice:
    """Return what tuning chose of a sampler, for the first (0) or second (1) time: at the largest
    tuned budget that is no larger, else at the least.
    """
    by_budget = _chosen()[sampler]
    tuned = sorted(map(int, by_budget))
    nearest = max((each for each in tuned if each <= budget), default=tuned[0])
    return tried(sampler)[by_budget[str(nearest)][repeat]]


class Settings(Frozen):
    """`samplers` are tuned at each of `tuned` (score evaluations), twice, on `trials` batches of
    `batch` samples, and judged at each of `budgets` on `batches`.

    Those of `defaults` are judged with the authors' hyperparameters as well, and alone at those of
    `long`, where they are tuned on `long_trials`.
    """

    samplers: Names = SAMPLERS
    defaults: Names = (BASELINE, PAPER)
    tuned: Sizes = (20, 50)
    budgets: Sizes = (10, 20, 50, 100)
    long: Sizes = (200,)
    batch: PositiveInt = 32
    trials: PositiveInt = 4
    long_trials: PositiveInt = 2
    batches: PositiveInt = 16
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> Setup:
        """Return what batches share."""
        return Setup(self.batch, self.seed)
