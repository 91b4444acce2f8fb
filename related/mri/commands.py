"""Commands of `ams` for magnetic resonance images: the training of the networks, the tuning of
the samplers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class TrainMri:
    """Train a network of the reconstruction of brain slices, or write the examples that networks
    learn from.

    In this order, in one folder: prior, examples, then module, module-fold-1, module-fold-2,
    module-fold-3, unguided, guided, then module-quarter, module-quarter-fold-1 and so on. A network
    of folds guides the training of others.
    """

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """Which one."""
    out: Path = Path("results/training-mri")
    """The folder of the weights (NAME.safetensors), their recipe (NAME.json) and the kept state
    (NAME.state).
    """
    resume: bool = False
    """Go on from the kept state."""
    steps: int | None = None
    """Fewer or more steps than the committed weights had."""
    seed: int = 1
    """The seed of the initial weights and of every draw."""

    def __call__(self) -> int:
        """Do it."""
        from related.mri.train import train

        return train(self.name, self.out, self.resume, self.steps, self.seed)


@dataclass(frozen=True, kw_only=True)
class TuneMri:
    """Choose the samplers' hyperparameters for brain slices on the development subjects twice,
    with a trained prior.
    """

    prior: Path = Path("results/training-mri/prior.safetensors")
    """The prior's weights."""
    out: Path = Path("results/training-mri/tuned.json")
    """The file of the choices and of all errors."""

    def __call__(self) -> int:
        """Do it."""
        from related.mri.trained import prior_of
        from related.mri.tuning import tune

        return tune(prior_of(self.prior), self.out)
