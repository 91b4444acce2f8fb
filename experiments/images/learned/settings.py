"""Sizes of the runs with the suite's own network."""

from pydantic import BaseModel, NonNegativeInt, PositiveInt

from ams.samplers.presets import ADAPTIVE, LANGEVIN
from experiments.images.runs import BatchSetup
from verdicts.claims.sizes import Names, Sizes

BASELINE, PAPER, DOUBLED = LANGEVIN.name, ADAPTIVE.name, "Langevin, drift x2"
REVERSE, FLOW, BAOAB = "reverse diffusion", "Heun ODE", "annealed BAOAB, e = 1/2"


class Settings(BaseModel, frozen=True, extra="forbid"):
    """Every sampler in `samplers` runs at `budgets` (NFE) with the learned score.

    Runs are `batches` independent batches of `batch` samples, and end at the noise level `last_sigma`. The samplers
    in `compared` run with both scores at `compared_budgets`. The grid of samples is drawn at `grid_budget`.
    """

    budgets: Sizes = (20, 60, 120)
    batches: PositiveInt = 12
    batch: PositiveInt = 40
    samplers: Names = (BASELINE, DOUBLED, PAPER, "PC, Langevin", "PC, adaptive", REVERSE, FLOW, BAOAB)
    compared: Names = (BASELINE, DOUBLED, PAPER)
    compared_budgets: Sizes = (60,)
    last_sigma: float = 0.05
    grid_budget: PositiveInt = 60
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> BatchSetup:
        """Return what every batch shares."""
        return BatchSetup(self.batch, self.last_sigma, self.seed)
