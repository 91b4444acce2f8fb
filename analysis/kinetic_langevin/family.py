r"""Random Gaussian targets and damages of their scores: a family with a seed, so that what is tuned and what is judged
never meet.

A target has `d` directions, variances log-uniform between `smallest` and 1, and a mean of norm up to 1 in a random
direction. A direction's score is multiplied by `1 + gain`, and its denoised point moved by `shift` standard deviations,
both at random, at the noise levels on one side of a `turn`:

    exact   no damage
    high    gains, above turn = sqrt(largest variance / r), r log-uniform in `slow`: below it the scores are right, but
            the slow directions, of variance above turn^2, arrive with a wrong law and must be repaired
    shift   shifts instead of gains, above the same turn (no setting was chosen on these)
    start   no damage, but the run begins at `near` from N(0, near^2 I), as though the data had no extent
    low     gains, below turn = sqrt(smallest variance): the last levels draw with a wrong score

All targets of an arena run as one exact law, a step at a time; norms, where a rule asks for them, stay each target's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.laws.batched_gaussian import BatchedGaussian
from ams.laws.gaussian import GaussianLaw, Row
from ams.samplers import Program
from ams.schedules import Level
from analysis.kinetic_langevin.settings import Settings


class Kind(StrEnum):
    """What is wrong with the scores, or with the start."""

    EXACT = "exact"
    HIGH = "high"
    SHIFT = "shift"
    START = "start"
    LOW = "low"


class Damage(NamedTuple):
    """A score's error at `sigma > turn`, or below it (`low`): `(1 + gain) s + shift / sigma^2`, a value a direction."""

    gain: Tensor
    shift: Tensor
    turn: Tensor
    low: bool = False


class Family(BatchedGaussian):
    """Exact laws of one program on several Gaussian targets with as many directions each."""

    def __init__(self, laws: Sequence[GaussianLaw], damage: Damage | None = None) -> None:
        """Join `laws`, which are only read; `damage` has a value for each direction of each law, in order."""
        parts = [torch.cat([getattr(law, name) for law in laws]) for name in ("variance", "mean", "multiplicity")]
        GaussianLaw.__init__(self, *parts)
        self.single, self.runs, self.damage = laws[0], len(laws), damage

    def score(self, x: Row, level: Level) -> Row:
        """Return the score at that level, damaged where it is."""
        s = super().score(x, level)
        if self.damage is None:
            return s
        gain, shift, turn, low = self.damage
        hit = (level.sigma < turn if low else level.sigma > turn).double()
        s *= (1.0 + hit * gain)[:, None]
        s[:, 0] += hit * shift / level.sigma**2
        return s

    def divergence(self, program: Program, first: float, last: float) -> Tensor:
        """Return KL(law || target at noise `last`) / d of each target (nats), from N(0, first^2 I)."""
        state, _ = self.end(program, self.start(0.0, first**2))
        found, d = self.of_each_run(state.x), len(self.single.variance)
        wanted = self.variance.reshape(self.runs, d) + last**2
        miss = (found.variance - wanted) / wanted
        shift = (found.mean - self.mean.reshape(self.runs, d)).square() / wanted
        return (miss - miss.log1p() + shift).sum(1) / (2 * d)


class Arena(NamedTuple):
    """Targets with their damage, and the noise levels between which a run leads."""

    family: Family
    first: float
    last: float


def arena(settings: Settings, kind: Kind, seed: int) -> Arena:
    """Draw the family of that seed and damage it; the targets are the same for every kind."""
    generator = np.random.default_rng(seed)
    laws = [_target(generator, settings) for _ in range(settings.targets)]
    damage = _damage(np.random.default_rng([seed, 1]), settings, kind, laws)
    first = settings.near if kind is Kind.START else settings.first
    return Arena(Family(laws, damage), first, settings.last)


def _target(generator: np.random.Generator, settings: Settings) -> GaussianLaw:
    d = settings.directions
    variance = np.exp(generator.uniform(math.log(settings.smallest), 0.0, d))
    direction = generator.normal(size=d)
    return GaussianLaw(variance, direction * generator.uniform() / np.linalg.norm(direction))


def _damage(generator: np.random.Generator, settings: Settings, kind: Kind, laws: list[GaussianLaw]) -> Damage | None:
    if kind in (Kind.EXACT, Kind.START):
        return None
    d = settings.directions
    errors = torch.as_tensor(generator.uniform(-settings.gain, settings.gain, d * len(laws)))
    low, high = np.log(settings.slow)
    ratios = np.exp(generator.uniform(low, high, len(laws)))
    slow = [(law.variance.max().item() / ratio) ** 0.5 for law, ratio in zip(laws, ratios, strict=True)]
    fast = [law.variance.min().item() ** 0.5 for law in laws]
    turn = torch.tensor(fast if kind is Kind.LOW else slow, dtype=torch.float64).repeat_interleave(d)
    none, sizes = torch.zeros_like(errors), torch.cat([law.variance for law in laws]).sqrt()
    shifted = kind is Kind.SHIFT
    return Damage(none if shifted else errors, errors * sizes if shifted else none, turn, kind is Kind.LOW)
