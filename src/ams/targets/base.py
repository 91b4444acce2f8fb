"""What a target is, and the two conversions that every target shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level

ArrayLike = Tensor | np.ndarray | Sequence[Any] | float


class Target(Protocol):
    """A law of `x_0` known exactly at every noise level, `x_t = level.scale x_0 + level.sigma z`, `z ~ N(0, I)`.

    Batches are `(batch, *shape)`: any shape with as many elements a row as `shape` has; what comes back has the
    shape of what was given. A target has one dtype and one device; `to` gives the same law in others. The law at
    the data's own end is asked for by `CLEAN`, where it has a density.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one sample."""
        ...

    def score(self, x: Float[Tensor, " batch *shape"], level: Level) -> Float[Tensor, " batch *shape"]:
        """Return `grad log p_t(x)`, a new tensor; unit: one over that of `x`."""
        ...

    def log_density(self, x: Float[Tensor, " batch *shape"], level: Level) -> Float[Tensor, " batch"]:
        """Return `log p_t(x)`, normalised, a value a row (nats)."""
        ...

    def sample(self, n: int, level: Level, generator: torch.Generator) -> Float[Tensor, " n *shape"]:
        """Return `n` independent draws of `x_t`."""
        ...

    def marginal(self, level: Level) -> Self:
        """Return the law of `x_t` as a target: asked at `CLEAN`, it answers as this one does at `level`."""
        ...

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> Self:
        """Return the same law in another dtype, on another device."""
        ...


CLEAN = Level(0, sigma=0.0)


def as_float(value: ArrayLike) -> Tensor:
    """Return a floating tensor unchanged, anything else (numbers, lists, arrays, integer tensors) as float64."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value
    return torch.as_tensor(value, dtype=torch.float64)


def rows(x: Float[Tensor, " batch *shape"], like: Float[Tensor, " *n d"]) -> Float[Tensor, "batch d"]:
    """Return `x` with one row a sample, after checking that it has the width, dtype and device of `like`.

    Raises ValueError for a wrong number of elements a row, TypeError for another dtype or device.
    """
    d = like.shape[-1]
    if x.ndim < 2 or x.shape[1:].numel() != d:
        raise ValueError(f"x has shape {tuple(x.shape)}; the target needs (batch, *shape), {d} elements a row")
    if x.dtype != like.dtype or x.device != like.device:
        raise TypeError(
            f"x is {x.dtype} on {x.device}, the target {like.dtype} on {like.device}: "
            "convert the target by target.to(x.dtype, x.device)"
        )
    return x.reshape(len(x), d)


def normal(n: int, like: Float[Tensor, "*k d"], generator: torch.Generator) -> Float[Tensor, "n d"]:
    """Return `n` rows of standard normal draws in the width, dtype and device of `like`."""
    return torch.randn(n, like.shape[-1], generator=generator, dtype=like.dtype, device=like.device)
