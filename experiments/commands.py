"""Commands that experiments add to `ams`: a class each, whose fields are the options.

Networks of images and of graphs: their training, their denoising loss, hyperparameters, correctors,
files.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from experiments.graphs.train_config import TrainConfig

MNIST_TUNED = (
    "annealed Langevin",
    "adaptive momentum",
    "PC, Langevin",
    "PC, adaptive",
    "ancestral",
    "Langevin, drift x2",
)
"""The samplers that the pretrained network's group tunes."""


@dataclass(frozen=True, kw_only=True)
class DenoisingLoss:
    """Print the denoising loss of a VE score network on MNIST test images, pixels in [0, 1]."""

    weights: Annotated[Positional[str], arg(metavar="WEIGHTS")]
    """The file of weights, or the name of a registered one (mnist-ve)."""
    t: str = ""
    """Times T1,T2,... in (0, 1] (default: ten midpoints)."""
    images: int = 1000
    """How many of the test images, from the first on."""
    seed: int = 0
    """The seed of the noise, which is the same at every time."""
    json: bool = False
    """Print `t` and `loss` as JSON."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.images.loss import TIMES, report, times

        return report(
            self.weights,
            times(self.t) if self.t else list(TIMES),
            self.images,
            self.seed,
            self.json,
        )


@dataclass(frozen=True, kw_only=True)
class TrainImages:
    """Train one of the suite's networks: {digits,cifar16,cifar32}-score,
    {digits,mnist}-classifier.
    """

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """Which one."""
    out: Path = Path("results/training")
    """The folder of the weights (NAME.safetensors), the kept state (NAME.state) and the figure of
    the loss.
    """
    resume: bool = False
    """Go on from the kept state."""
    device: str = "cpu"
    """cpu, or cuda."""
    steps: int | None = None
    """Fewer or more steps than the committed weights had."""
    seed: int = 1
    """The seed of the initial weights and of every draw."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.train import train_images

        return train_images(self.name, self.out, self.resume, self.device, self.steps, self.seed)


@dataclass(frozen=True, kw_only=True)
class PaperFiles:
    """Say which networks and images of the paper's experiments are here, and write the settings
    that run them.
    """

    folder: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Where they are (default: the folder AMS_DATA)."""
    out: Path = Path("results/paper-files.toml")
    """The file of settings; one that is there stays."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.images.colour.files import paper_files

        return paper_files(self.folder, self.out)


@dataclass(frozen=True, kw_only=True)
class TuneColour:
    """Choose the hyperparameters of correctors of colour images, twice, on images that the network
    did not see.
    """

    samplers: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ("PC, Langevin", "PC, adaptive")
    """The correctors, by name."""
    budgets: tuple[int, ...] = (50, 100)
    """Score evaluations: 50, 100."""
    out: Path = Path("results/training/tuned.json")
    """The file of the choices and of all kernel distances; what it holds of other correctors stays.
    """

    def __call__(self) -> int:
        """Do it."""
        from experiments.images.colour_network.tuning import tune

        return tune(self.samplers, self.budgets, self.out)


@dataclass(frozen=True, kw_only=True)
class TuneMnist:
    """Choose the hyperparameters of samplers on the pretrained MNIST network, twice, on batches
    that judge nothing.
    """

    samplers: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = MNIST_TUNED
    """The samplers, by name."""
    budgets: tuple[int, ...] = (25, 50, 100)
    """Score evaluations."""
    out: Path = Path("results/training/tuned-mnist.json")
    """The file of all that was tried; what it holds of other runs stays."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.images.pretrained.settings import Settings
        from experiments.images.pretrained.tuning import tune

        return tune(self.samplers, self.budgets, Settings().setup, self.out)


@dataclass(frozen=True, kw_only=True)
class TrainGraphs:
    """Train both networks on graphs of our own generator: about 7 minutes on one core, by
    default.
    """

    out: Path
    """The file to write, NAME.safetensors; a record comes beside it."""
    resume: bool = False
    """Go on with the run that was interrupted, from NAME.state."""
    config: OmitArgPrefixes[TrainConfig] = field(default_factory=TrainConfig)

    def __call__(self) -> int:
        """Do it."""
        from experiments.train import train_graphs

        return train_graphs(self.config, self.out, self.resume)


@dataclass(frozen=True, kw_only=True)
class CorrectGraphs:
    """Compare correctors on one set at one budget, with the GDSS authors' checkpoint: squared MMDs
    with intervals.
    """

    name: Positional[Literal["community_small", "ego_small", "ENZYMES", "grid", "QM9", "ZINC250k"]]
    """The set."""
    evaluations: Positional[int]
    """Score evaluations of every sampler; a predictor with a corrector takes two a step."""
    graphs: int = 20
    """Graphs or molecules of each sampler, at least 4."""
    seed: int = 2405
    """Fixes start and noise, the same for every sampler."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.graphs.correctors.figures import correct

        return correct(self.name, self.evaluations, self.graphs, self.seed)
