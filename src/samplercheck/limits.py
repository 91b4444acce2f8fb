"""The limit of runs with more and more steps, extrapolated by Aitken's formula, with its error.

What a check measures of runs, its *defect*, is a vector that vanishes with many steps for a right
sampler. Each entry is extrapolated from N, 2 N and 4 N steps, so that no order need be known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from samplercheck.answered_draws import NotMade

# 1 / (2^0.1 - 1): what an error of order 0.1 still falls by, in units of its last difference
SLOW = 14.0


class Limit(NamedTuple):
    """W2 to the exact marginal in the limit of many steps, with its error, in units of the
    data's scale.
    """

    value: float
    error: float

    @property
    def least(self) -> float:
        """Return the least value within the error."""
        return self.value - self.error

    @property
    def most(self) -> float:
        """Return the largest value within the error."""
        return self.value + self.error

    def text(self, allowed: float) -> str:
        """Return it in words, beside what is allowed."""
        return f"{self.value:.1e} +- {self.error:.0e}, at most {allowed:g} allowed"


def limit_of(steps: Sequence[int], defects: Sequence[Tensor]) -> Limit:
    """Return the norm of the defects, extrapolated from runs of N, 2 N and 4 N steps for the
    largest N of `steps`.

    Aitken's formula `e3 - (e3 - e2)^2 / (e3 - 2 e2 + e1)` needs no order; where differences do not
    fall, the last value stands. The error is the difference from what the next smaller N gives.
    Raises NotMade without two such N.
    """
    at = dict(zip(steps, defects, strict=True))
    extrapolated = [
        aitken(at[n], at[2 * n], at[4 * n]) for n in sorted(at) if 2 * n in at and 4 * n in at
    ]
    if len(extrapolated) < 2:
        raise NotMade(f"a limit needs runs of N, 2 N and 4 N steps for two N, got {list(steps)}")
    return last_of(extrapolated)


def last_of(extrapolated: Sequence[tuple[Tensor, Tensor]]) -> Limit:
    """Return the last of the extrapolated values as a limit.

    Its error is the difference from the one before, and how far what falls slowly may still fall.
    """
    (before, _), (value, left) = extrapolated[-2:]
    return Limit(float(value.norm()), float((value - before).norm() + left.norm()))


def aitken(first: Tensor, second: Tensor, third: Tensor) -> tuple[Tensor, Tensor]:
    """Return the extrapolation of three values, and by how much it may be too far from 0.

    Differences that do not fall by a quarter, as of an order below 0.4, say little of where they
    lead: `third` stands there. Where the last one leads towards 0, it may go on by `SLOW` times
    itself.
    """
    before, after = second - first, third - second
    falls = after.abs() < 0.75 * before.abs()
    rest = -after.square() / torch.where(falls, after - before, torch.ones_like(after))
    slow = torch.where(
        ~falls & (after * third < 0), torch.minimum(third.abs(), SLOW * after.abs()), 0.0
    )
    return torch.where(falls, third + rest, third), slow
