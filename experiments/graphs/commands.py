"""Commands that the graph groups add to `ams`: a class each, whose fields are the options."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tyro.conf import OmitArgPrefixes, Positional

from experiments.graphs.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class TrainGraphs:
    """Train both networks on graphs of our own generator: about 7 minutes on one core, by default."""

    out: Path
    """The file to write, NAME.safetensors; a record comes beside it."""
    resume: bool = False
    """Go on with the run that was interrupted, from NAME.state."""
    config: OmitArgPrefixes[TrainConfig] = field(default_factory=TrainConfig)

    def __call__(self) -> int:
        """Do it."""
        from experiments.graphs.train import train

        return train(self.config, self.out, self.resume)


@dataclass(frozen=True, kw_only=True)
class CorrectGraphs:
    """Compare correctors on one set at one budget, with the GDSS authors' checkpoint: squared MMDs with intervals."""

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
