"""The GDSS authors' checkpoints, read strictly: every tensor has its place, and none is missing or left over.

A file holds a configuration, and for each of the two networks a dictionary of tensors and (but for molecules) the
averaged weights, in the same order. The three convolutions of each channel of an attention, published as
`layers.2.attn.5.gnn_k.weight`, are one tensor here, `layers.2.attention.convolution.weight`, of (channels, inputs,
queries | keys | values). Tensors of a last layer whose output nothing reads are left out, by name.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from ams.data import weights
from ams.errors import UserError
from experiments.graphs.networks import AdjacencyNetwork, AttentiveFeaturesNetwork, FeaturesNetwork, Shape

Tensors: TypeAlias = dict[str, Tensor]
Filling: TypeAlias = tuple[nn.Module, Tensors, Tensors]


DUST = 1e-16
"""Weights below this are set to zero: with inputs of order 1 they change no output by more than its rounding.

Weight decay has left many channels there, and a product of subnormal numbers takes as long as a hundred others.
"""


class Networks(NamedTuple):
    """Both networks of a data set; called as `network(x, pairs, layout)`."""

    features: nn.Module
    adjacency: nn.Module


@lru_cache(maxsize=4)
def networks(name: str, averaged: bool) -> Networks:
    """Return the networks of a registered checkpoint (`gdss-...`), with the averaged weights where asked for.

    Raises as `ams.data.weights`, and UserError for contents that are not such networks.
    """
    return networks_of(weights(name), name, averaged)


def networks_of(held: Any, where: str, averaged: bool) -> Networks:
    """Return the networks in a checkpoint's contents. Raises UserError, one line that names `where`."""
    try:
        features, adjacency = (_tensors(held, part, averaged) for part in ("x", "adj"))
        shapes = [_shape(held["params_x"], "depth"), _shape(held["params_adj"], "num_layers")]
        attentive = held["params_x"]["model_type"] == "ScoreNetworkX_GMH"
        filled = _features(features, shapes[0], attentive), _adjacency(adjacency, shapes[1])
    except KeyError as error:
        raise UserError(f"{where}: not a checkpoint of GDSS: {error} is missing") from None
    except (TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise UserError(f"{where}: not a checkpoint of GDSS: {error}") from None
    parts = ("features", "adjacency")
    return Networks(*(_filled(*one, f"{where}, {part} network") for one, part in zip(filled, parts, strict=True)))


def _tensors(held: Mapping[str, Any], part: str, averaged: bool) -> Tensors:
    """Return a network's tensors by published name, without the prefix `module.` that some files have."""
    plain = {name.removeprefix("module."): tensor for name, tensor in held[f"{part}_state_dict"].items()}
    if not averaged:
        return plain
    average = held[f"ema_{part}"]["shadow_params"]
    if len(average) != len(plain):
        raise ValueError(f"{len(average)} averaged tensors for {len(plain)} of {part}_state_dict")
    return dict(zip(plain, average, strict=True))


def _shape(parameters: Mapping[str, Any], layers: str) -> Shape:
    """Return the sizes in a network's configuration."""
    optional = {"linears": "num_linears", "between": "c_hid", "last": "c_final"}
    stated = {ours: int(parameters[theirs]) for ours, theirs in optional.items() if theirs in parameters}
    return Shape(int(parameters["max_feat_num"]), int(parameters["nhid"]), int(parameters[layers]), **stated)


class _Source:
    """The published tensors that have no place yet. A missing one raises KeyError."""

    def __init__(self, tensors: Tensors) -> None:
        self.left = dict(tensors)

    def linears(self, theirs: str, ours: str) -> Tensors:
        """Return a stack of linear layers under our names."""
        count = sum(name.startswith(f"{theirs}.linears.") for name in self.left) // 2
        return {
            f"{ours}.layers.{i}.{kind}": self.left.pop(f"{theirs}.linears.{i}.{kind}")
            for i in range(max(count, 1))
            for kind in ("weight", "bias")
        }

    def convolution(self, theirs: str, ours: str) -> Tensors:
        """Return a convolution of one channel under our names."""
        return {
            f"{ours}.weight": self.left.pop(f"{theirs}.weight")[None],
            f"{ours}.bias": self.left.pop(f"{theirs}.bias")[None, None],
        }

    def attention(self, theirs: str, ours: str, parts: str) -> Tensors:
        """Return the convolutions `parts` of queries, keys and values, of every channel, as one convolution."""
        named = f"{theirs}.attn."
        channels = len({name.removeprefix(named).split(".")[0] for name in self.left if name.startswith(named)})
        taken = [[self.convolution(f"{named}{i}.gnn_{part}", "") for part in parts] for i in range(max(channels, 1))]
        return {
            f"{ours}{kind}": torch.cat([torch.cat([part[kind] for part in channel], dim=-1) for channel in taken])
            for kind in (".weight", ".bias")
        }


def _inner(source: _Source, shape: Shape) -> Tensors:
    """Return all layers of attention but the last."""
    ours: Tensors = {}
    for i in range(shape.layers - 1):
        name = f"layers.{i}"
        ours |= source.attention(name, f"{name}.attention.convolution", "qkv")
        ours |= source.linears(f"{name}.multi_channel", f"{name}.nodes")
        ours |= source.linears(f"{name}.mlp", f"{name}.pairs")
    return ours


def _adjacency(tensors: Tensors, shape: Shape) -> Filling:
    """Return the adjacency's network, its tensors, and what has no place; the last layer's values are not used."""
    source, last = _Source(tensors), f"layers.{shape.layers - 1}"
    ours = _inner(source, shape) | source.attention(last, "attention.convolution", "qk")
    ours |= source.linears(f"{last}.mlp", "pairs") | source.linears("final", "final")
    source.attention(last, "unused", "v")
    source.linears(f"{last}.multi_channel", "unused")
    return AdjacencyNetwork(shape), ours, source.left


def _features(tensors: Tensors, shape: Shape, attentive: bool) -> Filling:
    """Return the features' network, its tensors, and what has no place."""
    source = _Source(tensors)
    if attentive:
        last = f"layers.{shape.layers - 1}"
        ours = _inner(source, shape) | source.attention(last, "values", "v")
        ours |= source.linears(f"{last}.multi_channel", "nodes") | source.linears("final", "final")
        source.attention(last, "unused", "qk")
        source.linears(f"{last}.mlp", "unused")
        return AttentiveFeaturesNetwork(shape), ours, source.left
    ours = source.linears("final", "final")
    for i in range(shape.layers):
        ours |= source.convolution(f"layers.{i}", f"layers.{i}")
    return FeaturesNetwork(shape), ours, source.left


def _filled(network: nn.Module, tensors: Tensors, left: Tensors, where: str) -> nn.Module:
    """Return the network with these tensors, in evaluation mode and without gradients. Raises UserError."""
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    refuse_other_names(where, left.keys(), wanted.keys() - given.keys())
    if wrong := [f"{name} {given[name]}, expected {shape}" for name, shape in wanted.items() if given[name] != shape]:
        raise UserError(f"{where}: wrong shapes: {'; '.join(wrong[:3])} ({len(wrong)} in all)")
    network.load_state_dict({name: without_dust(tensor) for name, tensor in tensors.items()})
    return network.eval().requires_grad_(False)


def without_dust(tensor: Tensor) -> Tensor:
    """Return the tensor with entries below `DUST` at zero."""
    return torch.where(tensor.abs() < DUST, 0.0, tensor)


def refuse_other_names(where: str, unknown: Collection[str], missing: Collection[str]) -> None:
    """Raise UserError, one line that names `where`, if there are unknown or missing tensors."""
    for problem, names in {"unknown": unknown, "missing": missing}.items():
        if names:
            raise UserError(f"{where}: {problem} tensors {', '.join(sorted(names)[:4])} ({len(names)} in all)")
