"""Enclosures of the W2 distance and of KL of Gaussians with a common eigenbasis, as in `ams.metrics.gaussian`."""

from collections.abc import Sequence

from flint import arb

from ams.enclosures.balls import Ball
from ams.enclosures.law import BallLaw

Balls = Sequence[Ball]


def w2(law: BallLaw, mean: Balls, variance: Balls) -> Ball:
    """Return the W2 distance to the target, `sqrt(sum_i n_i ((m_i - m'_i)^2 + (sqrt v_i - sqrt v'_i)^2))`."""
    total = arb(0)
    for m, v, tm, tv, n in zip(mean, variance, law.mean, law.variance, law.multiplicity, strict=True):
        total += n * ((m.value - tm) ** 2 + (v.value.sqrt() - tv.sqrt()) ** 2)
    return Ball(total.sqrt())


def kl(law: BallLaw, mean: Balls, variance: Balls) -> Ball:
    """Return KL(N(mean, variance) || target), `sum_i n_i (r_i - 1 - log r_i + (m_i - m'_i)^2/v'_i)/2`, `r = v/v'`."""
    total = arb(0)
    for m, v, tm, tv, n in zip(mean, variance, law.mean, law.variance, law.multiplicity, strict=True):
        ratio = v.value / tv
        total += n * (ratio - 1 - ratio.log() + (m.value - tm) ** 2 / tv)
    return Ball(total / 2)
