"""The score networks of GDSS in the published, padded formulation, to compare the packed networks
with.

Every graph of a batch is padded to the data set's largest: features (batch, N, F), adjacency
(batch, N, N), `real` (batch, N) marks the nodes. Attention goes channel by channel, each with its
own three convolutions; channels are the last axis of the stacks; masks follow every layer. Weights
are the published ones, by their published names. Source of the architecture: Jo, Lee, Hwang, arXiv
2202.02514, and the code published with it.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import elu, linear

Parameters = Mapping[str, Tensor]
HEADS = 4


def mask_rows(x: Tensor, real: Tensor) -> Tensor:
    """Return `x` (batch, N, F) with padded nodes at zero."""
    return x * real[:, :, None]


def mask_pairs(a: Tensor, real: Tensor) -> Tensor:
    """Return `a` (batch, ..., N, N) with pairs that have a padded node at zero."""
    shape = (len(real), *[1] * (a.ndim - 3), real.shape[1])
    row = real.reshape(shape)
    return a * row[..., :, None] * row[..., None, :]


def symmetric(draw: Tensor) -> Tensor:
    """Return the strict upper triangle of `draw` (batch, N, N) plus its transpose."""
    upper = draw.triu(1)
    return upper + upper.transpose(-1, -2)


def stack(x: Tensor, parameters: Parameters, prefix: str) -> Tensor:
    """Return `x` after linear layers along the last axis, with elu between them."""
    count = sum(name.startswith(f"{prefix}.linears.") for name in parameters) // 2
    for i in range(count):
        x = linear(
            x, parameters[f"{prefix}.linears.{i}.weight"], parameters[f"{prefix}.linears.{i}.bias"]
        )
        x = elu(x) if i + 1 < count else x
    return x


def convolution(x: Tensor, a: Tensor, parameters: Parameters, prefix: str) -> Tensor:
    """Return `D^-1/2 A D^-1/2 x W + b`, the diagonal of `A` set to 1."""
    looped = a.clone()
    looped.diagonal(dim1=-2, dim2=-1).fill_(1.0)
    root = looped.sum(-1).clamp(min=1.0).pow(-0.5)
    normalised = root[..., :, None] * looped * root[..., None, :]
    return normalised @ (x @ parameters[f"{prefix}.weight"]) + parameters[f"{prefix}.bias"]


def attention(x: Tensor, a: Tensor, parameters: Parameters, prefix: str) -> tuple[Tensor, Tensor]:
    """Return one channel's values and its attention, symmetrised and averaged over heads."""
    q, k, v = (convolution(x, a, parameters, f"{prefix}.gnn_{part}") for part in "qkv")
    width = q.shape[-1] // HEADS
    q, k = (torch.cat(part.split(width, -1)) for part in (q, k))
    scores = torch.tanh(q @ k.transpose(-1, -2) / math.sqrt(v.shape[-1]))
    mean = scores.reshape(HEADS, *a.shape).mean(0)
    return v, (mean + mean.transpose(-1, -2)) / 2


def attention_layer(
    x: Tensor, channels: Tensor, real: Tensor, parameters: Parameters, prefix: str
) -> tuple[Tensor, Tensor]:
    """Return new features and new channels (batch, channels, N, N)."""
    heads = [
        attention(x, channels[:, i], parameters, f"{prefix}.attn.{i}")
        for i in range(channels.shape[1])
    ]
    values = stack(torch.cat([v for v, _ in heads], dim=-1), parameters, f"{prefix}.multi_channel")
    both = torch.cat([torch.stack([m for _, m in heads], dim=1), channels], dim=1).permute(
        0, 2, 3, 1
    )
    mixed = stack(both, parameters, f"{prefix}.mlp").permute(0, 3, 1, 2)
    return torch.tanh(mask_rows(values, real)), mask_pairs(mixed + mixed.transpose(-1, -2), real)


def layers(parameters: Parameters) -> int:
    """Return the number of layers, from the parameters' names."""
    return 1 + max(int(name.split(".")[1]) for name in parameters if name.startswith("layers."))


def first_channels(a: Tensor, real: Tensor) -> Tensor:
    """Return `A` and `A A`."""
    return mask_pairs(torch.stack([a, a @ a], dim=1), real)


def features_network(x: Tensor, a: Tensor, real: Tensor, parameters: Parameters) -> Tensor:
    """Return the output of the features network, which has attention if its parameters' names
    have it.
    """
    channels, collected = first_channels(a, real), [x]
    attentive = any(".attn." in name for name in parameters)
    for i in range(layers(parameters)):
        if attentive:
            x, channels = attention_layer(x, channels, real, parameters, f"layers.{i}")
        else:
            x = convolution(x, a, parameters, f"layers.{i}")
        x = torch.tanh(x)
        collected.append(x)
    return mask_rows(stack(torch.cat(collected, dim=-1), parameters, "final"), real)


def adjacency_network(x: Tensor, a: Tensor, real: Tensor, parameters: Parameters) -> Tensor:
    """Return the output of the adjacency network, symmetric with zero diagonal."""
    channels = first_channels(a, real)
    collected = [channels]
    for i in range(layers(parameters)):
        x, channels = attention_layer(x, channels, real, parameters, f"layers.{i}")
        collected.append(channels)
    out = stack(torch.cat(collected, dim=1).permute(0, 2, 3, 1), parameters, "final")[..., 0]
    return mask_pairs(out * (1.0 - torch.eye(a.shape[-1])), real)
