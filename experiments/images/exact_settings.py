"""Sizes of runs on the exact score of a data set, which the groups `digits` and `mnist` share."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from ams.samplers.presets import ADAPTIVE, COMPARED, LANGEVIN
from experiments.images.runs import BatchSetup
from verdicts.claims.sizes import Names, Numbers, Sizes

BASELINE, PAPER, DOUBLED = LANGEVIN.name, ADAPTIVE.name, "Langevin, drift x2"


class ExactSettings(BaseModel):
    """Every sampler in `samplers` runs at `budgets` (NFE), those in `lasting` at `long` too.

    Runs are `batches` independent batches of `batch` samples, and end at the noise level `last_sigma`. Evaluations are
    counted to each of `thresholds` (KL per pixel, nats). The grid of samples is drawn at `grid_budget` evaluations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: Sizes = (20, 60, 150)
    long: tuple[PositiveInt, ...] = ()
    lasting: tuple[str, ...] = (BASELINE, PAPER, DOUBLED, "reverse diffusion")
    batches: PositiveInt = 4
    batch: PositiveInt = 128
    samplers: Names = COMPARED
    last_sigma: float = 0.05
    thresholds: Numbers = (0.1, 0.03, 0.01, 0.003, 0.001)
    grid_budget: PositiveInt = 60
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> BatchSetup:
        """Return what every batch shares."""
        return BatchSetup(self.batch, self.last_sigma, self.seed)

    def budgets_of(self, sampler: str) -> tuple[int, ...]:
        """Return a sampler's budgets, each once."""
        return tuple(dict.fromkeys(self.budgets + (self.long if sampler in self.lasting else ())))
