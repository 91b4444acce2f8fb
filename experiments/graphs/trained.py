"""Networks that were trained here: where they come from, and the strict way in from a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_serializer
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from ams.data.safe_read import content_of
from ams.errors import UserError
from experiments.graphs.checkpoints import Networks
from experiments.graphs.networks import AdjacencyNetwork, FeaturesNetwork, Shape
from experiments.graphs.train_config import Recipe
from experiments.weights import about, digest
from verdicts.records.files import sha256_of
from verdicts.validation import from_validation

DEGREES = 10
"""Node features: one for each degree, the last for all beyond, as in the release."""
LARGEST = 2 * 2**20
"""Bytes that a file may have."""


class Origin(BaseModel):
    """Where networks come from: their recipe, sizes, and the sha256 of the graphs that they were trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    features: Shape
    adjacency: Shape
    data: str

    @staticmethod
    def of(recipe: Recipe, data: str) -> Origin:
        """Return the origin of a run of this recipe on graphs of this sha256."""
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
    """Return the networks of `Origin.modules`, as samplers take them."""
    parts = dict(modules.named_children())
    return Networks(parts["features"], parts["adjacency"])


class Trained(NamedTuple):
    """Networks, in evaluation mode and without gradients, and where they come from."""

    networks: Networks
    origin: Origin


def read_trained(path: Path, sha256: str | None = None) -> Trained:
    """Return the networks that a file of `train` holds.

    Raises UserError, one line that names the file: where it cannot be read, or has not the `sha256` asked for; for
    damage or another format; for an origin that is none, and tensors that are missing, left over, of another shape or
    type, not finite, or not those whose digest the file states.
    """
    content = _content(path, sha256)
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise UserError(f"{path}: not a safetensors file ({error}); train another") from None
    described = about(path)
    stated = described.get("tensors")
    try:
        origin = Origin.model_validate(described.get("origin"))
    except ValidationError as error:
        raise from_validation(error, str(path), described.get("origin"), "origin") from None
    modules = origin.modules()
    _match(modules.state_dict(), tensors, path)
    if digest(tensors) != stated:
        raise UserError(f"{path}: its tensors are not those that it states the digest of; train another")
    modules.load_state_dict(tensors)
    return Trained(networks_in(modules.eval().requires_grad_(False)), origin)


def _content(path: Path, sha256: str | None) -> bytes:
    """Return the file's bytes, at most `LARGEST`, of the sha256 asked for. Raises UserError."""
    content = content_of(path, LARGEST)
    if sha256 is not None and (found := sha256_of(content)) != sha256:
        raise UserError(f"{path}: sha256 {found}, expected {sha256}: put the committed file back")
    return content


def _match(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise UserError unless the tensors are those wanted, by name, shape and type, and finite."""
    for told, names in {"unknown": tensors.keys() - wanted.keys(), "missing": wanted.keys() - tensors.keys()}.items():
        if names:
            raise UserError(f"{path}: {told} tensors {', '.join(sorted(names)[:4])} ({len(names)} in all)")
    for name, held in wanted.items():
        if (found := tensors[name]).shape != held.shape or found.dtype != held.dtype:
            raise UserError(f"{path}: {name} is {_told(found)}, expected {_told(held)}")
        if not found.isfinite().all():
            raise UserError(f"{path}: {name} is not finite")


def _told(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
