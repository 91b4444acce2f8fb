"""Networks that the suite's own command trained: how they were made, and the reader of their
safetensors file.
"""

from pathlib import Path
from typing import NamedTuple

from pydantic import field_serializer
from safetensors.torch import load
from torch import nn

from ams.errors import UserError
from experiments.graphs.checkpoints import Networks
from experiments.graphs.networks import AdjacencyNetwork, FeaturesNetwork, Shape
from experiments.graphs.train_config import TrainConfig
from experiments.weights import about
from verdicts.records.files import sha256_of
from verdicts.validation import Frozen

DEGREES = 10
"""Node features: one for each degree, the last for all larger degrees, as in the authors' code."""


class Origin(Frozen):
    """How networks were made: their training settings, sizes, and the sha256 of the graphs they
    were trained on.
    """

    recipe: TrainConfig
    features: Shape
    adjacency: Shape
    data: str

    @staticmethod
    def of(recipe: TrainConfig, data: str) -> "Origin":
        """Return the origin of a run with these settings on graphs of this sha256."""
        features = Shape(DEGREES, recipe.width, recipe.convolutions)
        return Origin(
            recipe=recipe,
            features=features,
            adjacency=features._replace(layers=recipe.layers),
            data=data,
        )

    @field_serializer("features", "adjacency")
    def _by_name(self, shape: Shape) -> dict[str, int]:
        return shape._asdict()

    def modules(self) -> nn.ModuleDict:
        """Return both networks, `features` and `adjacency`, with random weights of torch's own
        generator.
        """
        return nn.ModuleDict(
            {
                "features": FeaturesNetwork(self.features),
                "adjacency": AdjacencyNetwork(self.adjacency),
            }
        )


def networks_in(modules: nn.Module) -> Networks:
    """Return the networks of `Origin.modules` as samplers use them."""
    parts = dict(modules.named_children())
    return Networks(parts["features"], parts["adjacency"])


class Trained(NamedTuple):
    """Networks, in evaluation mode and without gradients, and how they were made."""

    networks: Networks
    origin: Origin


def read_trained(path: Path, sha256: str) -> Trained:
    """Return the networks in a file that `train` wrote. Raises UserError, one line, for a file
    of another sha256.
    """
    content = path.read_bytes()
    if (own := sha256_of(content)) != sha256:
        raise UserError(f"{path}: sha256 {own}, expected {sha256}: put the committed file back")
    origin = Origin.model_validate(about(path)["origin"])
    modules = origin.modules()
    modules.load_state_dict(load(content))
    return Trained(networks_in(modules.eval().requires_grad_(False)), origin)
