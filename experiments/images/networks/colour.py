"""The suite's own networks of colour images: CIFAR-10 at 16 x 16 pixels, for two cores, and at 32 x
32, for a GPU.

Both are a denoiser of `unet`, a VE score at noise levels from 0.01 to the largest distance between
two images.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from experiments.images.networks.loading import fill, stored
from experiments.images.networks.score_adapter import NetworkScore
from experiments.images.networks.small import WEIGHTS
from experiments.images.networks.unet import Denoiser, Sizes
from verdicts.validation import Frozen

MEAN, SPREAD = 0.474, 0.25
"""Of the pixels of CIFAR-10's training images, rounded."""
SMALLEST = 0.01


class Kind(Frozen):
    """A network's images, their side in pixels, its largest noise level and its sizes."""

    data: str
    side: int
    largest: float
    sizes: Sizes


KINDS = {
    "cifar16-score": Kind(
        data="cifar10-train-16",
        side=16,
        largest=25.0,
        sizes=Sizes(inputs=3, outputs=3, widths=(64, 80, 128), attending=1),
    ),
    "cifar32-score": Kind(
        data="cifar10-train",
        side=32,
        largest=50.0,
        sizes=Sizes(inputs=3, outputs=3, widths=(128, 192, 256), blocks=2, noise=128, attending=2),
    ),
}
"""By the names of their weights."""


def denoiser(kind: Kind) -> Denoiser:
    """Return a network with random weights."""
    return Denoiser(kind.sizes, MEAN, SPREAD)


SHA256 = {"cifar16-score": "9f03970b5718090debc525858ddff0ac1ca6397dc178dca5db8746b7c44a7a9f"}
"""Of the committed files."""


def colour_score(name: str) -> NetworkScore:
    """Return the score of a committed network. Raises UserError unless the file's bytes are
    those committed.
    """
    return score_of(colour_network(name), KINDS[name])


def colour_network(name: str) -> Denoiser:
    """Return a committed network. Raises as `colour_score`."""
    path = WEIGHTS / f"{name}.safetensors"
    network: Denoiser = fill(denoiser(KINDS[name]), stored(path, SHA256[name]), str(path))
    return network


def score_of(network: Callable[[Tensor, Tensor], Tensor], kind: Kind) -> NetworkScore:
    """Return a trained network, or what computes the same, as a score for samplers."""

    def noise(
        y: Float[Tensor, "batch 3 side side"], v: float
    ) -> Float[Tensor, "batch 3 side side"]:
        return network(y, torch.full((1,), v))

    return NetworkScore(noise, (3, kind.side, kind.side), SMALLEST, kind.largest)
