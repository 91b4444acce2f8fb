"""Sizes of the group."""

from typing import NamedTuple

from pydantic import NonNegativeInt, PositiveInt

from experiments.images.pretrained.samplers import MAIN, OTHERS, TUNED
from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class Setup(NamedTuple):
    """What all runs share: the network by its registered name, on a CUDA device where it is
    `accelerated` and there is one; the last noise level; the number of reference images; the
    samples of a batch; the seed.
    """

    weights: str
    accelerated: bool
    last_sigma: float
    reference: int
    size: int
    seed: int


class Settings(Frozen):
    """Sizes; `weights` names the network, `accelerated` lets it run on a CUDA device.

    `samplers` run at `budgets` (NFE) on `batches` batches of `batch`; `others`, the controls and
    annealed Langevin with twice the drift at `side`. Claims compare at `early`, `side` and `late`,
    which are among the budgets.

    Samplers in `tried` run with their chosen hyperparameters at each of `tuned` (NFE), on `batches`
    fresh batches: no choice and no earlier look was made on them.

    `reference`: the first test images, the first `compared` of them in features.
    """

    weights: str = "mnist-ve"
    accelerated: bool = False
    budgets: Sizes = (20, 50, 100, 200)
    batches: PositiveInt = 8
    batch: PositiveInt = 32
    samplers: tuple[str, ...] = MAIN
    others: tuple[str, ...] = OTHERS
    early: PositiveInt = 20
    side: PositiveInt = 50
    late: PositiveInt = 100
    tried: tuple[str, ...] = TUNED
    tuned: Sizes = (25, 50, 100)
    last_sigma: float = 0.05
    reference: PositiveInt = 4000
    compared: PositiveInt = 1000
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> Setup:
        """Return what all runs share."""
        return Setup(
            self.weights, self.accelerated, self.last_sigma, self.reference, self.batch, self.seed
        )
