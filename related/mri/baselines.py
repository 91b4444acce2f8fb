r"""Reconstruction without learning: compressed sensing with total variation.

ADMM for `min_x |y - A x|^2 + 2 w TV(x)` at penalty p, with exact data consistency and
scikit-image's proximal map of TV (Chambolle's):

    x <- argmin_u |y - A u|^2 + p |u - (z - d)|^2 ,   z <- prox_{(w / p) TV}(x + d) ,   d <- d + x - z .
"""

import torch
from jaxtyping import Float
from torch import Tensor

from experiments.images.networks.loading import optional
from related.mri.forward import Scan, consistent

TURNS, PENALTY, WEIGHT = 30, 0.03, 6e-4
"""Steps of ADMM, its penalty, and the weight of total variation: chosen on the development
subjects.
"""


def compressed_sensing(scan: Scan) -> Float[Tensor, "n h w"]:
    """Return the reconstruction of each slice. Raises DataUnavailable without scikit-image."""
    restoration = optional(
        "skimage.restoration", "scikit-image is missing: pip install scikit-image"
    )

    def proximal(images: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
        smooth = [
            restoration.denoise_tv_chambolle(image, weight=WEIGHT / PENALTY)
            for image in images.numpy()
        ]
        return torch.stack([torch.from_numpy(image) for image in smooth])

    z, d = scan.b, torch.zeros_like(scan.b)
    for _ in range(TURNS):
        x = consistent(z - d, scan, PENALTY)
        z = proximal(x + d)
        d = d + x - z
    return x
