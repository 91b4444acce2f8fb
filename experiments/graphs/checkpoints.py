"""The GDSS authors' checkpoints, read strictly: every tensor has its place, and none is missing or
left over.

A file holds a configuration, and for each of the two networks a dictionary of tensors and (but for
molecules) the averaged weights, in the same order. The three convolutions of each channel of an
attention, published as `layers.2.attn.5.gnn_k.weight`, are one tensor here,
`layers.2.attention.convolution.weight`, of (channels, inputs, queries | keys | values). Of a last
layer only the tensors whose output is read have a place.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from ams.data import weights
from experiments.graphs.networks import (
    DUST,
    AdjacencyNetwork,
    Attention,
    AttentiveFeaturesNetwork,
    FeaturesNetwork,
    Shape,
)

Tensors: TypeAlias = dict[str, Tensor]
_STACKS = {
    "multi_channel.linears.": "nodes.layers.",
    "mlp.linears.": "pairs.layers.",
    "final.linears.": "final.layers.",
}


class Networks(NamedTuple):
    """Both networks of a data set; called as `network(x, pairs, layout)`."""

    features: nn.Module
    adjacency: nn.Module


@lru_cache(maxsize=4)
def networks(name: str, averaged: bool) -> Networks:
    """Return the networks of a registered checkpoint (`gdss-...`), with the averaged weights where
    asked for.

    Raises as `ams.data.weights`, which compares checksums.
    """
    return networks_of(weights(name), averaged)


def networks_of(content: Any, averaged: bool) -> Networks:
    """Return the networks in a checkpoint's contents.

    Raises KeyError, RuntimeError or ValueError for a tensor that is missing, left over or of
    another shape.
    """
    x, adjacency = (_renamed(tensors_of(content, part, averaged)) for part in ("x", "adj"))
    shape = _shape(content["params_adj"], "num_layers")
    pairs = _attentive(adjacency, shape.layers, "attention.convolution", "qk", "pairs.")
    features = _features(x, _shape(content["params_x"], "depth"), content["params_x"]["model_type"])
    return Networks(features, _filled(AdjacencyNetwork(shape), pairs))


def tensors_of(content: Mapping[str, Any], part: str, averaged: bool) -> Tensors:
    """Return a network's tensors by their published names, without the prefix `module.` that
    some files have.
    """
    plain = content[f"{part}_state_dict"]
    values = content[f"ema_{part}"]["shadow_params"] if averaged else plain.values()
    return {
        name.removeprefix("module."): tensor for name, tensor in zip(plain, values, strict=True)
    }


def _renamed(tensors: Tensors) -> Tensors:
    """Return the tensors by our names for linear layers."""
    for theirs, ours in _STACKS.items():
        tensors = {name.replace(theirs, ours): tensor for name, tensor in tensors.items()}
    return tensors


def _shape(parameters: Mapping[str, Any], layers: str) -> Shape:
    """Return the sizes in a network's configuration."""
    optional = {"linears": "num_linears", "between": "c_hid", "last": "c_final"}
    stated = {
        ours: int(parameters[theirs]) for ours, theirs in optional.items() if theirs in parameters
    }
    return Shape(
        int(parameters["max_feat_num"]), int(parameters["nhid"]), int(parameters[layers]), **stated
    )


def _features(tensors: Tensors, shape: Shape, kind: str) -> nn.Module:
    """Return the features' network, of attention or of plain convolutions."""
    if kind == "ScoreNetworkX_GMH":
        return _filled(
            AttentiveFeaturesNetwork(shape),
            _attentive(tensors, shape.layers, "values", "v", "nodes."),
        )
    axes = {"weight": (None,), "bias": (None, None)}  # of one channel
    ours = {
        name: t if name.startswith("final") else t[axes[name.split(".")[-1]]]
        for name, t in tensors.items()
    }
    return _filled(FeaturesNetwork(shape), ours)


def _attentive(tensors: Tensors, layers: int, convolution: str, parts: str, stack: str) -> Tensors:
    """Return the tensors of a network of attention.

    The output of the last layer is that of `stack` alone. Its attention has only `parts`, named
    `convolution`.
    """
    last = f"layers.{layers - 1}."
    ours = {
        name.removeprefix(last): tensor
        for name, tensor in tensors.items()
        if ".attn." not in name and (name.startswith(last + stack) or not name.startswith(last))
    }
    for i in range(layers - 1):
        ours |= _joined(tensors, f"layers.{i}.", f"layers.{i}.attention.convolution", "qkv")
    return ours | _joined(tensors, last, convolution, parts)


def _joined(tensors: Tensors, layer: str, convolution: str, parts: str) -> Tensors:
    """Return the `parts` (queries, keys, values) of a layer's convolutions, of every channel, as
    one convolution.
    """
    channels = 1 + max(
        int(name.split(".")[3]) for name in tensors if name.startswith(f"{layer}attn.")
    )
    weight, bias = (
        torch.stack(
            [
                torch.cat([tensors[f"{layer}attn.{i}.gnn_{part}.{kind}"] for part in parts], -1)
                for i in range(channels)
            ]
        )
        for kind in ("weight", "bias")
    )
    return {f"{convolution}.weight": weight, f"{convolution}.bias": bias[:, None]}


def _filled(network: nn.Module, tensors: Tensors) -> nn.Module:
    """Return the network with these tensors, in evaluation mode and without gradients."""
    network.load_state_dict({name: without_dust(tensor) for name, tensor in tensors.items()})
    for part in network.modules():
        if isinstance(part, Attention):
            part.prune()
    return network.eval().requires_grad_(False)


def without_dust(tensor: Tensor) -> Tensor:
    """Return the tensor with entries below `DUST` at zero: weight decay has left many there.

    A product of subnormal numbers takes as long as a hundred others.
    """
    return torch.where(tensor.abs() < DUST, 0.0, tensor)
