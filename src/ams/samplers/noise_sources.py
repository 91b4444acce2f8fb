"""Sources of a sampler's Gaussian noise: generators, one for a batch or one for each sample, and
recorded draws.

Each function returns a `Noise`: `noise(x)` is the next standard Gaussian draw with the shape, dtype
and device of `x`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from ams.samplers.base import Noise

Allocate: TypeAlias = Callable[[Tensor], Tensor]


class NoiseExhausted(ValueError):
    """A recorded list of draws that ends before the run or does not fit its shapes."""


def generated(generator: torch.Generator, empty: Allocate = torch.empty_like) -> Noise:
    """Return noise from one generator for the batch. `empty` allocates it:
    `Particles.empty_like` reuses buffers.
    """
    return lambda x: empty(x).normal_(generator=generator)


def generated_per_sample(
    generators: Sequence[torch.Generator], empty: Callable[[Tensor], Tensor] = torch.empty_like
) -> Noise:
    """Return noise from one generator for each sample, which does not depend on how samples are
    split into batches.

    The noise raises ValueError if the number of generators differs from the batch size.
    """

    def noise(x: Tensor) -> Tensor:
        if len(generators) != len(x):
            raise ValueError(
                f"{len(generators)} generators for a batch of {len(x)}: one a sample is needed"
            )
        out = empty(x)
        for row, generator in zip(out, generators, strict=True):
            row.normal_(generator=generator)
        return out

    return noise


def generated_per_batch(
    generators: Sequence[torch.Generator], empty: Allocate = torch.empty_like
) -> Noise:
    """Return noise for batches of one size in one tensor, from one generator for each: each
    draws as it would alone.
    """

    def noise(x: Tensor) -> Tensor:
        out = empty(x)
        for batch, generator in zip(out.chunk(len(generators)), generators, strict=True):
            batch.normal_(generator=generator)
        return out

    return noise


def seeded_per_sample(seed: int, first: int, count: int) -> list[torch.Generator]:
    """Return generators for the samples `first, ..., first + count - 1`, each fixed by `seed` and
    the sample's number.

    `numpy.random.SeedSequence` mixes both, so that neighbouring seeds and numbers give independent
    streams.
    """
    states = (
        np.random.SeedSequence([seed, first + i]).generate_state(1, np.uint64) for i in range(count)
    )
    return [torch.Generator().manual_seed(int(state[0] >> np.uint64(1))) for state in states]


def replayed(draws: Iterable[Tensor]) -> Noise:
    """Return the recorded draws in order. The noise raises NoiseExhausted when they end or a
    shape differs.
    """
    remaining = enumerate(draws)

    def noise(x: Tensor) -> Tensor:
        number, draw = next(remaining, (None, None))
        if draw is None:
            raise NoiseExhausted("the recorded noise ended before the run did")
        if draw.shape != x.shape:
            raise NoiseExhausted(
                f"recorded draw {number} has shape {tuple(draw.shape)}, the state {tuple(x.shape)}"
            )
        return draw

    return noise
