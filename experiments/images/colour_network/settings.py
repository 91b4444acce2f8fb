"""Sizes of the group, and what plays which part in its claims."""

from typing import NamedTuple

from pydantic import NonNegativeInt, PositiveInt

from experiments.images.colour.settings import Settings as Published
from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen

PLAIN, ADAPTIVE, ANCESTRAL, SOLVER = "PC, Langevin", "PC, adaptive", "ancestral", "SDE-DPM-Solver++"
EARLY, LATE = 50, 100
"""Score evaluations at which claims compare."""


class Setup(NamedTuple):
    """What batches share: samples and reference images of each, the last noise level, the seed."""

    size: int
    reference: int
    last_sigma: float
    seed: int


class Settings(Frozen):
    """`samplers` run at `budgets` (score evaluations) on `batches` batches of `batch` samples.

    Each batch has `reference` test images of its own to be compared with, and as many others as it
    has samples, which are compared in the samples' place. `published` are the sizes of the table in
    the form of a published one, and its network.
    """

    budgets: Sizes = (EARLY, LATE)
    batches: PositiveInt = 8
    batch: PositiveInt = 12
    samplers: Names = (PLAIN, ADAPTIVE, ANCESTRAL, SOLVER)
    reference: PositiveInt = 60
    published: Published | None = None
    last_sigma: float = 0.01
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> Setup:
        """Return what batches share."""
        return Setup(self.batch, self.reference, self.last_sigma, self.seed)

    @property
    def numbers(self) -> range:
        """Return the batches' numbers."""
        return range(1, self.batches + 1)
