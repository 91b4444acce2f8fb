r"""How good the learned score is: its denoising loss on digits that it has not seen, level by level.

    L(sigma) = E |sigma s(x_0 + sigma z) + z|^2 / d ,

1 for no score at all. Beside it, on the same images and noise, that of the exact score of the digits which were learned
from, which the network would have if it had memorised them; and that of one Gaussian fitted to them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers import Score
from ams.schedules import Level
from ams.statistics import Interval, mean_interval
from ams.targets import Empirical, Gaussian
from experiments.images.loss import denoising_losses
from experiments.images.networks.small import digits_score
from experiments.images.tasks import split_digits

LEVELS = (0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.3, 2.0)
"""Sigmas: from below the digits' grey step to where digits are all but gone."""


TELLING = 0.3
"""The largest level at which single digits are told apart: beyond, a copy's score too sees little but their law."""
CASES = ("learned", "exact", "gaussian", "seen")
"""The learned score, the exact and the Gaussian's on digits held out; the learned score on digits that it has seen."""
_REPEATS = 4


@cache
def per_image(case: str) -> tuple[Float[Tensor, " n"], ...]:
    """Return the loss of each image at every level, the mean over four draws of noise, a pixel."""
    split = split_digits()
    x = split.train.x[: len(split.test.x)] if case == "seen" else split.test.x
    scores: dict[str, Callable[[], Score]] = {
        "exact": lambda: Empirical(split.train.x).score,
        "gaussian": lambda: Gaussian(split.train.x.mean(0), split.train.x.flatten(1).mT.cov()).score,
    }
    score = scores.get(case, lambda: digits_score().score)()
    z = torch.randn((_REPEATS, *x.shape), generator=torch.Generator().manual_seed(2))
    levels = (Level(number, sigma=sigma) for number, sigma in enumerate(LEVELS))
    pixels = x[0].numel()
    return tuple(
        torch.stack([denoising_losses(score, x, noise, level) for noise in z]).mean(0) / pixels for level in levels
    )


def means(case: str) -> list[float]:
    """Return the mean loss at every level."""
    return [float(loss.mean()) for loss in per_image(case)]


def worst_ratio(other: str, confidence: float) -> Interval:
    """Return `L / L'` of the learned score over another's, at the level up to 0.3 where its upper end is largest.

    The interval is Student's of the paired differences over digits held out, in units of the other's mean.
    """
    found = []
    for sigma, ours, theirs in zip(LEVELS, per_image("learned"), per_image(other), strict=True):
        if sigma > TELLING:
            break
        difference = mean_interval((ours - theirs).numpy(), confidence)
        mean = float(theirs.mean())
        value, low, high = (1 + end / mean for end in difference[:3])
        found.append(Interval(value, low, high, difference.n))
    return max(found, key=lambda interval: interval.high)
