r"""How good the network is: its denoising loss on images that it has not seen, at each noise level.

    L(sigma) = E |sigma s(x_0 + sigma z) + z|^2 / d ,

1 for no score at all; beside it, on the same images and noise, that of the exact score of the images that it learned
from, which it would have if it had memorised them, and that of one Gaussian fitted to them.
"""

from ams.samplers import Score
from experiments.images.colour_network import quality
from experiments.images.loss import KNOWN, losses_per_pixel
from experiments.images.networks.colour import colour_score
from verdicts.studies import Array, cell

LEVELS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Noise levels at which images can be told apart."""
NETWORK, EXACT, GAUSSIAN = "network", "exact", "gaussian"
CASES = (NETWORK, EXACT, GAUSSIAN)
SEED = 2


@cell(data=(*quality.DATA[:1], quality.LEARNED))
def per_image(case: str, count: int) -> Array:
    """The loss (noise level, image) a pixel and channel of one of `CASES`, on the last `count` test images."""
    return losses_per_pixel(_score(case), quality.test_images()[-count:], LEVELS, 1, SEED)


def _score(case: str) -> Score:
    return KNOWN[case](quality.learned().train).score if case in KNOWN else colour_score(quality.NETWORK).score
