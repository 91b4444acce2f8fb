"""How near an image is to the true one, inside the head: scikit-image's metrics, on its mask."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from experiments.images.networks.loading import optional
from related.mri.data import head_mask
from verdicts.studies import Array


class Quality(NamedTuple):
    """Of each slice: PSNR in dB (of the volume's scale, 1), SSIM, and the squared error over the
    image's square.
    """

    psnr: Array
    ssim: Array
    nmse: Array


def squared_errors(images: Float[Tensor, "n h w"], truth: Float[Tensor, "n h w"]) -> Array:
    """Return the NMSE of each image inside the true head."""
    mask = head_mask(truth)
    above, below = ((x.double().square() * mask).sum((1, 2)) for x in (images - truth, truth))
    return (above / below).numpy()


def quality(images: Float[Tensor, "n h w"], truth: Float[Tensor, "n h w"]) -> Quality:
    """Return the quality of images inside the true heads. Raises DataUnavailable without
    scikit-image.
    """
    skimage = optional("skimage.metrics", "scikit-image is missing: pip install scikit-image")
    rows = []
    for x, y, mask in zip(truth.numpy(), images.numpy(), head_mask(truth).numpy(), strict=True):
        local = skimage.structural_similarity(x, y, data_range=1.0, full=True)[1]
        rows.append(
            (skimage.peak_signal_noise_ratio(x[mask], y[mask], data_range=1.0), local[mask].mean())
        )
    psnr, ssim = np.array(rows, dtype=np.float64).T
    return Quality(psnr, ssim, squared_errors(images, truth))
