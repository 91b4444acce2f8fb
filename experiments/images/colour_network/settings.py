"""Sizes of the group, and what plays which part in its claims."""

from typing import NamedTuple

from pydantic import BaseModel, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Names, Sizes

PLAIN, ADAPTIVE, ANCESTRAL, SOLVER = "PC, Langevin", "PC, adaptive", "ancestral", "SDE-DPM-Solver++"
EARLY, LATE = 50, 100
"""Score evaluations at which claims compare."""


class Setup(NamedTuple):
    """What every batch shares: samples of a batch, the last noise level, how many reference images, the seed."""

    size: int
    last_sigma: float
    reference: int
    seed: int


class Settings(BaseModel, frozen=True, extra="forbid"):
    """`samplers` run at `budgets` (score evaluations) on `batches` batches of `batch` samples.

    Samples are compared with the first `reference` test images, real images after these with the same. The denoising
    loss is taken on `images` others. `shown`: the evaluations after which samples are drawn, beside the claims' own.
    """

    budgets: Sizes = (EARLY, LATE)
    batches: PositiveInt = 8
    batch: PositiveInt = 12
    samplers: Names = (PLAIN, ADAPTIVE, ANCESTRAL, SOLVER)
    reference: PositiveInt = 300
    images: PositiveInt = 200
    shown: tuple[PositiveInt, ...] = ()
    last_sigma: float = 0.01
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> Setup:
        """Return what every batch shares."""
        return Setup(self.batch, self.last_sigma, self.reference, self.seed)
