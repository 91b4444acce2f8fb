"""The protocol of a target, and conversions that all targets share."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level

ArrayLike = Tensor | np.ndarray | Sequence[Any] | float
"""Numbers in any form that becomes a tensor."""


@runtime_checkable
class Target(Protocol):
    """A distribution of `x_0`, known exactly at every noise level as that of `x_t = level.scale x_0
    + level.sigma z`.

    Batches are `(batch, *shape)`, or any shape with as many elements a row; results have the shape
    of the argument. A target has one dtype and one device. The noise level `CLEAN` stands for the
    distribution of `x_0`, if it has a density.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one sample."""

    def score(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch *shape"]:
        """Return `grad log p_t(x)` as a new tensor, in the unit 1 / x."""

    def log_density(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch"]:
        """Return the normalised `log p_t(x)` of each row, in nats."""

    def sample(
        self, n: int, level: Level, generator: torch.Generator
    ) -> Float[Tensor, " n *shape"]:
        """Return `n` independent draws of `x_t`."""

    def marginal(self, level: Level) -> "Target":
        """Return the distribution of `x_t` as a target, whose noise level `CLEAN` is `level` of
        this target.
        """

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> "Target":
        """Return the target in another dtype, on another device."""


CLEAN = Level(0, sigma=0.0)
"""The noise level 0."""


def as_float(value: ArrayLike) -> Tensor:
    """Return a floating tensor unchanged, anything else (numbers, lists, arrays, integer
    tensors) as float64.
    """
    if isinstance(value, Tensor) and value.is_floating_point():
        return value
    return torch.as_tensor(value, dtype=torch.float64)


def rows(
    x: Float[Tensor, " batch *shape"], like: Float[Tensor, " *n d"]
) -> Float[Tensor, "batch d"]:
    """Return `x` with one flat row for each sample.

    Raises ValueError for another number of elements a row than `like` has, TypeError for another
    dtype or device.
    """
    d = like.shape[-1]
    if x.ndim < 2 or x.shape[1:].numel() != d:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; the target needs (batch, *shape), {d} elements a row"
        )
    if x.dtype != like.dtype or x.device != like.device:
        raise TypeError(
            f"x is {x.dtype} on {x.device}, the target {like.dtype} on {like.device}: "
            "convert the target with target.to(x.dtype, x.device)"
        )
    return x.reshape(len(x), d)


def normal(n: int, like: Float[Tensor, "*k d"], generator: torch.Generator) -> Float[Tensor, "n d"]:
    """Return `n` rows of standard normal draws with the width, dtype and device of `like`."""
    return torch.randn(n, like.shape[-1], generator=generator, dtype=like.dtype, device=like.device)
