r"""The networks that learn from pairs: the denoising module, and the unrolled network with guidance
or without.

*Denoising module*: `DGI = PGI + U(PGI, sigma^2 s(PGI), b - N PGI)`, s the prior's score at the
noise level `AT`, U a U-Net.

*Unrolled network*: from zero-filled data five cascades of one shared U-Net R, each with exact data
consistency (as in MoDL, Aggarwal et al., arXiv 1712.02862),

    x <- argmin_u |y - A u|^2 + w_k |u - z|^2 ,   z = x + R(x, guide) ,

with five learned weights w_k. The guide is the denoised guidance image; without guidance it is the
zero-filled image: both networks have as many parameters.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ams.samplers import Score
from ams.schedules import Level
from experiments.images.networks.unet import UNet
from related.mri.forward import Scan, consistent, residual
from related.mri.networks import Sizes

CASCADES = 5
AT = 0.05
"""The noise level at which the denoising module is told the score."""
MODULE = Sizes(inputs=3, widths=(16, 32), blocks=1, noise=0)
CASCADE = Sizes(inputs=2, widths=(16, 48), blocks=1, noise=0)


class DenoisingModule(nn.Module):
    """The denoised guidance image, from three images: the preliminary one, the prior's step at
    it, its residual.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = UNet(MODULE)

    def forward(self, given: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n h w"]:
        """Return the denoised guidance image."""
        return given[:, 0] + self.network(given, None)[:, 0]


def seen(pgi: Float[Tensor, "n h w"], prior: Score, scan: Scan) -> Float[Tensor, "n 3 h w"]:
    """Return what the denoising module is given; one evaluation of the score."""
    step = AT**2 * prior(pgi, Level(0, sigma=AT))
    return torch.stack([pgi, step, residual(pgi, scan)], 1)


class Unrolled(nn.Module):
    """The reconstruction of a scan; `guide` is an image that is near it."""

    def __init__(self) -> None:
        super().__init__()
        self.network = UNet(CASCADE)
        self.weights = nn.Parameter(torch.full((CASCADES,), math.log(0.05)))

    def forward(self, scan: Scan, guide: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
        """Return the image after the last cascade."""
        x = scan.b
        for weight in self.weights.exp():
            z = x + self.network(torch.stack([x, guide], 1), None)[:, 0]
            x = consistent(z, scan, weight)
        return x
