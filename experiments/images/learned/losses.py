r"""How good the learned score is: its denoising loss on digits that it has not seen, at each noise level.

    L(sigma) = E |sigma s(x_0 + sigma z) + z|^2 / d ,

1 for no score at all. For comparison, on the same images and noise: the loss of the exact score of the digits that
were learned from, which the network would have if it had memorised them, and that of one Gaussian fitted to them.
"""

import numpy as np
from jaxtyping import Float

from ams.samplers import Score
from ams.statistics import Interval
from experiments.images import loss
from experiments.images.networks.small import digits_score
from experiments.images.tasks import split_digits
from verdicts.studies import Array, cell

LEVELS = (0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.3, 2.0)
"""Noise levels, from below the digits' grey step to where digits are all but gone."""
LARGEST_TELLING = 0.3
"""The largest noise level at which single digits can be distinguished; beyond it copies have a good score too."""
CASES = ("learned", "exact", "gaussian", "seen")
"""The learned, the exact and the Gaussian score on digits held out; the learned score on digits that it has seen."""
SEED, _REPEATS = 2, 4


@cell
def per_image(case: str) -> Array:
    """The loss (noise level, image) a pixel of one of `CASES`, the mean over four draws of noise."""
    split = split_digits()
    x = split.train.x[: len(split.test.x)] if case == "seen" else split.test.x
    return loss.losses_per_pixel(_score(case), x, LEVELS, _REPEATS, SEED)


def _score(case: str) -> Score:
    return loss.KNOWN[case](split_digits().train.x).score if case in loss.KNOWN else digits_score().score


def worst_ratio(
    ours: Float[np.ndarray, "levels n"], theirs: Float[np.ndarray, "levels n"], confidence: float
) -> Interval:
    """Return `loss.worst_ratio` over the telling noise levels."""
    telling = np.array(LEVELS) <= LARGEST_TELLING
    return loss.worst_ratio(ours[telling], theirs[telling], confidence)
