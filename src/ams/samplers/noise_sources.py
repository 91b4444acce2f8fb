"""Injected noise: where a sampler's Gaussian draws come from, in order.

Each function returns a `Noise`: `noise(x)` is the next standard Gaussian draw with the shape, type and device of `x`.
`empty` allocates (the particle algebra's `empty_like` reuses buffers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from ams.samplers.base import Noise

Allocate: TypeAlias = Callable[[Tensor], Tensor]


class NoiseExhausted(ValueError):
    """A recorded list of draws that is too short, or whose shapes do not fit the run."""


def generated(generator: torch.Generator, empty: Allocate = torch.empty_like) -> Noise:
    """Draws from one generator for the whole batch."""
    return lambda x: empty(x).normal_(generator=generator)


def generated_per_sample(generators: Sequence[torch.Generator], empty: Allocate = torch.empty_like) -> Noise:
    """Draws with one generator a sample: what a sample sees does not depend on how the batch was split.

    Raises ValueError where the number of generators is not the batch's.
    """

    def noise(x: Tensor) -> Tensor:
        if len(generators) != len(x):
            raise ValueError(f"{len(generators)} generators for a batch of {len(x)}: one a sample is needed")
        out = empty(x)
        for row, generator in zip(out, generators, strict=True):
            row.normal_(generator=generator)
        return out

    return noise


def seeded_per_sample(seed: int, first: int, count: int) -> list[torch.Generator]:
    """Return generators for samples `first ... first + count - 1`: `seed` and the number fix each stream.

    The pair is mixed by `numpy.random.SeedSequence`, so neighbouring seeds and numbers give independent streams.
    """
    states = (np.random.SeedSequence([seed, first + i]).generate_state(1, np.uint64) for i in range(count))
    return [torch.Generator().manual_seed(int(state[0] >> np.uint64(1))) for state in states]


def replayed(draws: Iterable[Tensor]) -> Noise:
    """Draws from a recorded list, in its order. Raises NoiseExhausted when it ends or a shape differs."""
    remaining = enumerate(draws)

    def noise(x: Tensor) -> Tensor:
        number, draw = next(remaining, (None, None))
        if draw is None:
            raise NoiseExhausted("the recorded noise ended before the run did")
        if draw.shape != x.shape:
            raise NoiseExhausted(f"recorded draw {number} has shape {tuple(draw.shape)}, the state {tuple(x.shape)}")
        return draw

    return noise
