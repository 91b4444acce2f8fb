"""Sizes of the group, and what tuning tries of each sampler."""

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


class Settings(Frozen):
    """`samplers` are tuned at each of `tuned` (score evaluations), twice, on `trials` batches of
    `batch` samples.
    """

    samplers: Names = SAMPLERS
    tuned: Sizes = (20, 50, 200)
    batch: PositiveInt = 32
    trials: PositiveInt = 4
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> Setup:
        """Return what batches share."""
        return Setup(self.batch, self.seed)
