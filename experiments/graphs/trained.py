"""Networks that the suite's own command trained: how they were made, and a strict reader of their safetensors file."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_serializer
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from ams.data.safe_read import content_of
from ams.errors import UserError
from experiments.graphs.checkpoints import Networks, refuse_other_names
from experiments.graphs.networks import AdjacencyNetwork, FeaturesNetwork, Shape
from experiments.graphs.train_config import TrainConfig
from experiments.weights import about, digest
from verdicts.records.files import sha256_of
from verdicts.validation import from_validation

DEGREES = 10
"""Node features: one for each degree, the last for all larger degrees, as in the authors' code."""
LARGEST = 2 * 2**20
"""Bytes that a file may have."""


class Origin(BaseModel):
    """How networks were made: their training settings, sizes, and the sha256 of the graphs they were trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: TrainConfig
    features: Shape
    adjacency: Shape
    data: str

    @staticmethod
    def of(recipe: TrainConfig, data: str) -> "Origin":
        """Return the origin of a run with these settings on graphs of this sha256."""
        features = Shape(DEGREES, recipe.width, recipe.convolutions)
        return Origin(recipe=recipe, features=features, adjacency=features._replace(layers=recipe.layers), data=data)

    @field_serializer("features", "adjacency")
    def _by_name(self, shape: Shape) -> dict[str, int]:
        return shape._asdict()

    def modules(self) -> nn.ModuleDict:
        """Return both networks, `features` and `adjacency`, with random weights of torch's own generator."""
        return nn.ModuleDict(
            {"features": FeaturesNetwork(self.features), "adjacency": AdjacencyNetwork(self.adjacency)}
        )


def networks_in(modules: nn.Module) -> Networks:
    """Return the networks of `Origin.modules` as samplers use them."""
    parts = dict(modules.named_children())
    return Networks(parts["features"], parts["adjacency"])


class Trained(NamedTuple):
    """Networks, in evaluation mode and without gradients, and how they were made."""

    networks: Networks
    origin: Origin


def read_trained(path: Path, sha256: str | None = None) -> Trained:
    """Return the networks in a file that `train` wrote.

    Raises UserError, one line that names the file: where it cannot be read, or has another sha256 than asked for; for
    damage or another format; for an origin that does not fit, and tensors that are missing, left over, of another shape
    or type, not finite, or of another digest than the file states.
    """
    content = _content(path, sha256)
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise UserError(f"{path}: not a safetensors file ({error}); train another") from None
    described = about(path)
    try:
        origin = Origin.model_validate(described.get("origin"))
    except ValidationError as error:
        raise from_validation(error, str(path), described.get("origin"), "origin") from None
    modules = origin.modules()
    _match(modules.state_dict(), tensors, path)
    if digest(tensors) != described.get("tensors"):
        raise UserError(f"{path}: its tensors are not those that it states the digest of; train another")
    modules.load_state_dict(tensors)
    return Trained(networks_in(modules.eval().requires_grad_(False)), origin)


def _content(path: Path, sha256: str | None) -> bytes:
    """Return the file's bytes, at most `LARGEST`, of the sha256 asked for. Raises UserError."""
    content = content_of(path, LARGEST)
    if sha256 is not None and (own := sha256_of(content)) != sha256:
        raise UserError(f"{path}: sha256 {own}, expected {sha256}: put the committed file back")
    return content


def _match(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise UserError unless the tensors are those wanted, by name, shape and type, and finite."""
    refuse_other_names(str(path), tensors.keys() - wanted.keys(), wanted.keys() - tensors.keys())
    for name, expected in wanted.items():
        if (given := tensors[name]).shape != expected.shape or given.dtype != expected.dtype:
            raise UserError(f"{path}: {name} is {_described(given)}, expected {_described(expected)}")
        if not given.isfinite().all():
            raise UserError(f"{path}: {name} is not finite")


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
