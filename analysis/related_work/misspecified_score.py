"""Scores with an error that is known: the exact law goes through it as through the true one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ams.laws import GaussianLaw
from ams.laws.gaussian import Row
from ams.samplers import Score
from ams.schedules import Level


def nothing(level: Level) -> float:
    """Return 0 at every level."""
    return 0.0


@dataclass(frozen=True)
class ScoreError:
    """The score `factor s + shift(level)`, values per direction or one; its error is `(factor - 1) s + shift`."""

    shift: Callable[[Level], Tensor | float] = nothing
    factor: Tensor | float = 1.0

    def score(self, law: GaussianLaw) -> Score:
        """Return the wrong score of a law's target, for coefficient rows."""

        def wrong(x: Row, level: Level) -> Row:
            s = torch.as_tensor(self.factor, dtype=torch.float64).reshape(-1, 1) * law.score(x, level)
            s[:, 0] += torch.as_tensor(self.shift(level), dtype=torch.float64)
            return s

        return wrong

    def power(self, law: GaussianLaw, level: Level) -> Tensor:
        """Return `E |e|^2` per direction under the target's own law at the level: `(factor - 1)^2 / v + shift^2`."""
        own = level.scale**2 * law.variance + level.sigma**2
        return (self.factor - 1.0) ** 2 / own + torch.as_tensor(self.shift(level), dtype=torch.float64) ** 2


def noise_bias(size: float, directions: int) -> ScoreError:
    """Return the error of a predicted noise off by a constant vector of norm `size`: `shift = size u / sigma`."""
    return ScoreError(lambda level: torch.full((directions,), size / level.sigma / directions**0.5))


def score_bias(size: float, directions: int) -> ScoreError:
    """Return the error of a score that is off by a constant vector of norm `size`: `shift = size u`."""
    return ScoreError(lambda level: torch.full((directions,), size / directions**0.5))


def too_large(size: float, directions: int) -> ScoreError:
    """Return the error of a score that is too large by the factor `1 + size`."""
    return ScoreError(factor=1.0 + size)


def stacked(errors: Sequence[ScoreError], directions: int) -> ScoreError:
    """Return the errors of several runs as that of one (`laws.stacked`), of `directions` directions each."""

    def spread(values: Sequence[Tensor | float]) -> Tensor:
        return torch.cat([torch.as_tensor(value, dtype=torch.float64).expand(directions) for value in values])

    return ScoreError(
        lambda level: spread([error.shift(level) for error in errors]), spread([e.factor for e in errors])
    )
