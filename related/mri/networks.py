"""The networks of the reconstruction: the suite's U-Net, as a score prior of slices and as a
network of images.

It works on blocks of 2 x 2 pixels as channels: at half the resolution a convolution costs a
quarter.
"""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from experiments.images.networks import unet
from experiments.images.networks.score_adapter import NetworkScore

SMALLEST, LARGEST = 0.01, 5.0
"""The range of v in which the score network is trained: from half the noise of k-space to beyond
a slice's spread.
"""
MEAN, SPREAD = 0.10, 0.16
"""Of the pixels of the training slices, rounded."""
Sizes = partial(unet.Sizes, patch=2)
"""Sizes of a network of slices."""


class Denoiser(unet.Denoiser):
    """The noise that it sees in slices `y`, at one `v` for all or one a slice."""

    def __init__(self, sizes: unet.Sizes) -> None:
        super().__init__(sizes, MEAN, SPREAD)

    def forward(
        self, y: Float[Tensor, "batch h w"], v: Float[Tensor, " #batch"]
    ) -> Float[Tensor, "batch h w"]:
        """Return `E[z | y]`."""
        return super().forward(y[:, None], v)[:, 0]


def score_of(network: Denoiser) -> NetworkScore:
    """Return a trained denoiser as a score for samplers."""

    def noise(y: Float[Tensor, "batch h w"], v: float) -> Float[Tensor, "batch h w"]:
        return network(y, torch.full((1,), v))

    return NetworkScore(noise, (64, 64), SMALLEST, LARGEST)
