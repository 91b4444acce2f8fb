r"""Random Gaussian targets and damages of their scores: a family with a seed, so that what is tuned and what is
compared never meet.

A target has `d` directions, variances log-uniform between `smallest` and 1, and a mean of norm up to 1 in a random
direction. A damage multiplies the score of direction `i` by `1 + gain_i` at noise levels on one side of `sigma_c`:

    high    sigma > sigma_c = sqrt(largest variance / r), r log-uniform in [1, 10]: when the noise falls below it the
            scores are right, but the slow directions, of variance above sigma_c^2, arrive with a wrong law
    low     sigma < sigma_c = sqrt(smallest variance): the last levels draw with a wrong score
    start   none, but the run begins at `sigma_1 = 1` from N(0, I), as though the data had no extent

All targets of a family run as one exact law, a step at a time; norms, where a rule asks for them, stay each target's
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ams.laws.gaussian import GaussianLaw, Row
from ams.laws.stacked import StackedLaw
from ams.noise import Level
from ams.samplers import Program


class Damage(NamedTuple):
    """A score's error: the factor `1 + gain`, a value a direction, at `sigma > turn` (`high`) or below it."""

    gain: Tensor
    turn: Tensor
    high: bool = True


class Family(StackedLaw):
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
        gain, turn, high = self.damage
        hit = (level.sigma > turn) if high else (level.sigma < turn)
        return s * torch.where(hit, 1.0 + gain, 1.0)[:, None]

    def divergence(self, program: Program, first: float, last: float) -> Tensor:
        """Return KL(law || target at `last`) / d of each target, in nats, from N(0, first^2 I)."""
        state, _ = self.end(program, self.start(0.0, first**2))
        found, d = self.of_each_run(state.x), len(self.single.variance)
        wanted = self.variance.reshape(self.runs, d) + last**2
        u = (found.variance - wanted) / wanted
        shift = (found.mean - self.mean.reshape(self.runs, d)).square() / wanted
        return (u - u.log1p() + shift).sum(1) / (2 * d)
