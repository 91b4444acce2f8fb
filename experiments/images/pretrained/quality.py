r"""How samples of a network are judged where their distribution is not known: by held-out images, and on blank pixels.

- energy distance of the denoised samples to the uniform distribution on reference images,
  `2 E|X - Y| - E|X - X'| - E|Y - Y'|` in pixel units: proper, without an extractor, unbiased in the sample; that of as
  many held-out images is the least that a sampler can reach;
- variance ratio of the samples at the last noise level, on pixels that are 0 in every image. There the samples of a
  perfect score are `N(0, sigma_L^2)`, so `T = (median |x| / (0.6745 sigma_L))^2` is 1 whatever the digits are like:
  above 1 too much noise is left, below 1 the variance is too small. A few stray strokes do not move the median;
- residual noise of the denoised samples: that median as a standard deviation (pixel units).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ams.metrics import MixtureReference

_QUARTILE = 0.674489750196082
"""Median of a standard normal variable's modulus."""


class Quality(NamedTuple):
    """What a batch of samples is judged by; the module's text defines each."""

    energy: float
    variance_ratio: float
    residual: float


def blank(images: Float[Tensor, "n h w"]) -> Bool[Tensor, "h w"]:
    """Return the pixels that are 0 in every image."""
    return images.amax(0) == 0


def noise_level(x: Float[Tensor, "n h w"], pixels: Bool[Tensor, "h w"]) -> float:
    """Return the standard deviation of centred normal noise on the pixels, by the median of its modulus."""
    return x[:, pixels].abs().median().item() / _QUARTILE


class Judge:
    """Judges batches by reference images and by the pixels that are blank; the reference's part is computed once."""

    def __init__(self, reference: Float[Tensor, "n h w"], pixels: Bool[Tensor, "h w"], last_sigma: float) -> None:
        self.reference = MixtureReference(reference, 0.0)
        self.pixels, self.last_sigma = pixels, last_sigma

    def __call__(self, x: Float[Tensor, "b h w"], clean: Float[Tensor, "b h w"]) -> Quality:
        """Return the quality of samples at the last noise level and of their denoised form."""
        ratio = (noise_level(x, self.pixels) / self.last_sigma) ** 2
        return Quality(self.reference.energy_distance(clean), ratio, noise_level(clean, self.pixels))


def noised(images: Float[Tensor, "n h w"], sigma: float, draws: torch.Generator) -> Float[Tensor, "n h w"]:
    """Return the images with noise of that standard deviation: what a perfect sampler gives at that noise level."""
    return images + sigma * torch.randn(images.shape, generator=draws)
