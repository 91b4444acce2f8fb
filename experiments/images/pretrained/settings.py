"""Sizes of the group."""

from typing import NamedTuple

from pydantic import NonNegativeInt, PositiveInt

from experiments.images.pretrained.samplers import MAIN, OTHERS, RIVALS, TUNED
from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class Setup(NamedTuple):
    """What all runs share: the network by its registered name, on a CUDA device where it is `accelerated` and there is
    one; the last noise level; the number of reference images; the samples of a batch; the seed."""

    weights: str
    accelerated: bool
    last_sigma: float
    reference: int
    size: int
    seed: int


class Settings(Frozen):
    """Sizes; `weights` names the network, `accelerated` lets it run on a CUDA device.

    `samplers` run at `budgets` (NFE) on `batches` batches of `batch`; `others` and the controls at `side`, the former
    on `few` of those batches; the two that I9 compares at `late`; `rivals` at `rival_budgets`, `early` and `late` among
    them, at those after `early` on `rival_batches` of those batches.

    Samplers in `tried` run with their chosen hyperparameters at each of `tuned` (NFE), on `batches` fresh batches: no
    choice and no earlier look was made on them. The adaptive corrector and the rivals of I12 run on `fresh` of these.

    The denoising loss is taken on `images` images at `times` midpoints. The tutorial's sampler takes `noisy` and
    `clean` steps on `tutorial` samples. `reference`: the first test images, the first `compared` of them in features.
    `exchanged`: the samples of a batch that are replaced to see how far the rest of it moves.
    """

    weights: str = "mnist-ve"
    accelerated: bool = False
    budgets: Sizes = (20, 50, 100, 200)
    batches: PositiveInt = 8
    batch: PositiveInt = 32
    samplers: tuple[str, ...] = MAIN
    others: tuple[str, ...] = OTHERS
    side: PositiveInt = 50
    few: PositiveInt = 3
    early: PositiveInt = 20
    late: PositiveInt = 100
    rivals: tuple[str, ...] = RIVALS
    rival_budgets: Sizes = (20, 50, 100)
    rival_batches: PositiveInt = 4
    tried: tuple[str, ...] = TUNED
    tuned: Sizes = (25, 50, 100)
    fresh: PositiveInt = 16
    last_sigma: float = 0.05
    reference: PositiveInt = 4000
    compared: PositiveInt = 1000
    images: PositiveInt = 300
    times: PositiveInt = 20
    noisy: PositiveInt = 50
    clean: PositiveInt = 500
    tutorial: PositiveInt = 16
    exchanged: PositiveInt = 24
    seed: NonNegativeInt = 2405

    @property
    def setup(self) -> Setup:
        """Return what all runs share."""
        return Setup(self.weights, self.accelerated, self.last_sigma, self.reference, self.batch, self.seed)
