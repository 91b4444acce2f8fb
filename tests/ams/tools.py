"""Shared parts of tests: seeded draws, trajectories, exact moments, tolerances, files that may
be missing.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor

from ams.errors import DataUnavailable
from ams.laws import GaussianLaw, Moments
from ams.samplers import Particles, Program, Score, State, run
from ams.samplers.noise_sources import replayed

T = TypeVar("T")


def draws(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return seeded standard normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def trajectory(
    program: Program,
    start: Tensor | State,
    score: Score,
    noise: Sequence[Tensor] | Tensor = (),
    algebra: Callable[[], Particles] = Particles,
) -> list[Tensor]:
    """Return the positions after each step of a run with recorded noise."""
    state = start if isinstance(start, State) else State(start)
    return [after.x.clone() for after, _ in run(program, state, score, replayed(noise), algebra())]


def moments_at_end(law: GaussianLaw, program: Program, start: State) -> Moments:
    """Return the moments of the position at the end of a run of the exact law."""
    return law.moments(law.end(program, start)[0].x)


def g3(u: float, b: float, lam: float) -> tuple[float, float, float]:
    """Return constant momentum's Var x, Var m and Cov(x_t, m_{t-1}), as G3 states them, at
    precision `lam`.
    """
    c, left = (1 + b) ** 2, 2 - u * (1 - b**2)
    of_x = 2 * (1 - b + 2 * u * b * (1 + b)) / ((1 - b) * c * left)
    return of_x / lam, 2 * lam / (c * left), 2 * (u * (1 + b) - 1) / (c * left)


def assert_equal(
    one: Sequence[Tensor] | Tensor,
    other: Sequence[Tensor] | Tensor,
    tolerance: float = 1e-12,
    absolute: float = 1e-12,
) -> None:
    """Demand equal tensors, or sequences of them, within a relative or absolute tolerance."""
    torch.testing.assert_close(
        list(one) if not isinstance(one, Tensor) else one,
        list(other) if not isinstance(other, Tensor) else other,
        rtol=tolerance,
        atol=absolute,
    )


def rounding(operations: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> float:
    """Bound the difference of two results of `operations` sums and products in a row, of numbers up
    to `scale`.

    Each operation rounds by at most u = eps / 2 of its result. In the worst case both are off by
    `operations u`. Where rounding errors have mean zero, both are off by at most `8
    sqrt(operations) u` but for a probability of `2 operations e^-32` (Higham and Mary, 2019).
    Vector width, blocks, threads, fused products change the order alone.
    """
    return min(operations, 8 * math.sqrt(operations)) * torch.finfo(dtype).eps * scale


def found_or_skipped(find: Callable[..., T], *arguments: Any) -> T:
    """Return what `find` finds without a download; skip the test where that is not here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMS_OFFLINE", "1")
        try:
            return find(*arguments)
        except DataUnavailable as absence:
            pytest.skip(str(absence))
