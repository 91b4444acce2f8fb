"""Scores with a known error: the exact law is computed with them as with the true score."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ams.laws import GaussianLaw, Moments
from ams.laws.gaussian import Row
from ams.samplers import Score
from ams.schedules import Level


def marginal(law: GaussianLaw, level: Level) -> Moments:
    """Return the target's own distribution at a noise level: `N(scale mean, scale^2 variance +
    sigma^2)`.
    """
    return Moments(level.scale * law.mean, level.scale**2 * law.variance + level.sigma**2)


@dataclass(frozen=True)
class ScoreError:
    """The score `factor s + shift(level)`, a shift per direction or one; its error is `(factor -
    1) s + shift`.
    """

    shift: Callable[[Level], Tensor | float] = lambda level: 0.0
    factor: float = 1.0

    def score(self, law: GaussianLaw) -> Score:
        """Return the wrong score of a target, for coefficient rows."""

        def wrong(x: Row, level: Level) -> Row:
            s = self.factor * law.score(x, level)
            s[:, 0] += torch.as_tensor(self.shift(level), dtype=torch.float64)
            return s

        return wrong

    def power(self, law: GaussianLaw, level: Level) -> Tensor:
        """Return `E |e|^2` per direction under the target's marginal: `(factor - 1)^2 / variance
        + shift^2`.
        """
        shift = torch.as_tensor(self.shift(level), dtype=torch.float64)
        return (self.factor - 1.0) ** 2 / marginal(law, level).variance + shift**2


def noise_bias(size: float, directions: int) -> ScoreError:
    """Return the error of a predicted noise off by a constant vector of norm `size`: `shift =
    size u / sigma`.
    """
    return ScoreError(lambda level: torch.full((directions,), size / level.sigma / directions**0.5))
