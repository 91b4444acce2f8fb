r"""Denoising score matching, as every network of the suite learns it.

    E (1 + v^2/s^2) |noise(x_0 + v z, v) - z|^2 / d

over data x_0 of d numbers, noise levels v and standard normal z: the weight makes a preconditioned
network's own output count alike at every noise level (Karras et al., arXiv 2206.00364), s the
standard deviation of the data's entries.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def denoising_loss(
    network: nn.Module,
    x: Float[Tensor, " n *shape"],
    v: Float[Tensor, " n"],
    spread: float,
    generator: torch.Generator,
    device: torch.device,
) -> Float[Tensor, " 1"]:
    """Return the loss of data `x` at noise levels `v`, z drawn from `generator`, which is on the
    CPU.
    """
    z = torch.randn(x.shape, generator=generator).to(device)
    levels = v.to(device)
    error = network(x.to(device) + levels.reshape(-1, *(1 for _ in x.shape[1:])) * z, levels) - z
    return ((1 + levels.square() / spread**2) * error.square().flatten(1).mean(1)).mean()[None]


def log_uniform(
    n: int, smallest: float, largest: float, generator: torch.Generator
) -> Float[Tensor, " n"]:
    """Return n noise levels, ln v uniform between the two."""
    part = torch.rand(n, generator=generator)
    return (math.log(smallest) + part * math.log(largest / smallest)).exp()


def log_normal(
    n: int,
    mean: float,
    deviation: float,
    smallest: float,
    largest: float,
    generator: torch.Generator,
) -> Float[Tensor, " n"]:
    """Return n noise levels, ln v normal, what lies beyond `smallest` or `largest` moved to it."""
    return (mean + deviation * torch.randn(n, generator=generator)).exp().clamp(smallest, largest)
