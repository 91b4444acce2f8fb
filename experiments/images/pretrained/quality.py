r"""How samples of a network are judged, where the law is not known: by held-out images, and by pixels that are blank.

- energy distance of the denoised samples to the uniform law on reference images, `2 E|X - Y| - E|X - X'| - E|Y - Y'|`
  in pixel units: proper, no extractor, unbiased in the sample; held-out images of the same number are its floor;
- temperature of the samples at the last noise level, on pixels that are 0 in every image: there the law is exactly
  `N(0, sigma_L^2)`, so `T = (median |x| / (0.6745 sigma_L))^2` is 1 for it, whatever the digits are like. The median
  does not ask whether a stray stroke lies on a few of them;
- residual noise: the same median of the denoised samples, as a standard deviation in units of the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ams.metrics import energy_distance_to_mixture, mixture_spread

_QUARTILE = 0.674489750196082  # of the standard normal law's modulus: its median


class Quality(NamedTuple):
    """What a batch of samples is judged by; see the module's text."""

    energy: float
    temperature: float
    residual: float


def blank(images: Float[Tensor, "n h w"]) -> Bool[Tensor, "h w"]:
    """Return the pixels that are 0 in every image."""
    return images.amax(0) == 0


def noise_level(x: Float[Tensor, "n h w"], pixels: Bool[Tensor, "h w"]) -> float:
    """Return the standard deviation of centred normal noise on the pixels, by the median of its modulus."""
    return x[:, pixels].abs().median().item() / _QUARTILE


def judge(
    reference: Float[Tensor, "n h w"], pixels: Bool[Tensor, "h w"], last_sigma: float
) -> Callable[[Tensor, Tensor], Quality]:
    """Return the function `(samples, denoised samples) -> Quality`; what depends on the reference is computed once."""
    spread = mixture_spread(reference, 0.0)

    def judged(x: Tensor, clean: Tensor) -> Quality:
        energy = energy_distance_to_mixture(clean, reference, 0.0, spread)
        return Quality(energy, (noise_level(x, pixels) / last_sigma) ** 2, noise_level(clean, pixels))

    return judged


def noised(images: Float[Tensor, "n h w"], sigma: float, draws: torch.Generator) -> Float[Tensor, "n h w"]:
    """Return the images with noise of that standard deviation: what a perfect sampler gives at that level."""
    return images + sigma * torch.randn(images.shape, generator=draws)
