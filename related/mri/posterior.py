r"""The score of images given k-space: the prior's denoised image, made consistent with the data.

With the prior's denoised image `D = x + sigma^2 s(x)` and a Gaussian of variance r^2 about it for
what is left unknown,

    r^2 = sigma^2 s_0^2 / (sigma^2 + s_0^2) ,   mu = NOISE^2 / r^2 ,
    D_y = argmin_u |y - A u|^2 + mu |u - D|^2 ,   score = (D_y - x) / sigma^2 ,

s_0 the spread of training pixels. How D depends on x is left out in the data's term, as in
decomposed diffusion sampling (Chung et al., arXiv 2303.05754). One evaluation of the network makes
one evaluation of the score.
"""

from jaxtyping import Float
from torch import Tensor

from ams.samplers import Score
from ams.schedules import Level
from related.mri.forward import NOISE, Scan, consistent
from related.mri.networks import SPREAD


def unknown_variance(sigma: float) -> float:
    """Return r^2, the variance that an image has about its denoised one."""
    return sigma**2 * SPREAD**2 / (sigma**2 + SPREAD**2)


def posterior_score(prior: Score, scan: Scan) -> Score:
    """Return the score given a scan of as many images as the state has."""

    def score(x: Float[Tensor, "n h w"], level: Level) -> Float[Tensor, "n h w"]:
        clean = prior(x, level).mul_(level.sigma**2).add_(x)
        given = consistent(clean, scan, NOISE**2 / unknown_variance(level.sigma))
        return given.sub_(x).div_(level.sigma**2)

    return score
