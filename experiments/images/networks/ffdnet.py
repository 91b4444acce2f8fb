r"""FFDNet (Zhang, Zuo, Zhang, 2018): a denoiser of colour images that others trained, as a score.

It learned on photographs, not on the images that it is asked about here. `D(y, v)` splits an image
into its four polyphase parts, adds a channel with the value `v`, passes twelve 3 x 3 convolutions
with ReLU between them, and puts the parts together. By Tweedie's formula `E[z | y] = (y - D)/v`.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from experiments.images.networks.loading import fill, published
from experiments.images.networks.score_adapter import NetworkScore

LAYERS, WIDTH, PARTS = 12, 96, 12
"""Convolutions, their channels, and the channels of the four parts of a colour image."""
SMALLEST, LARGEST = 5 / 255, 75 / 255
"""Noise levels: below the first it hardly denoises, the last is the largest that it learned."""
_BLOCK = 16
"""Images in a pass on a processor, so that a layer's output stays in its cache."""


class FFDNet(nn.Module):
    """The network for colour images; `model` holds its layers under their published names."""

    def __init__(self) -> None:
        super().__init__()
        widths = (PARTS + 1, *(WIDTH,) * (LAYERS - 1), PARTS)
        layers: list[nn.Module] = []
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.ReLU(inplace=True)]
        self.model = nn.Sequential(*layers[:-1])

    def forward(self, y: Float[Tensor, "n 3 h w"], v: float) -> Float[Tensor, "n 3 h w"]:
        """Return the denoised images `D(y, v)`, height and width even."""
        parts = pixel_unshuffle(y, 2)
        level = torch.full_like(parts[:, :1], v)
        return pixel_shuffle(self.model(torch.cat((parts, level), 1)), 2)


def ffdnet(
    side: int, source: str = "ffdnet-colour", device: torch.device | str = "cpu"
) -> NetworkScore:
    """Return the score of images (3, side, side), pixels in [0, 1], on a device.

    Raises DataUnavailable where the registered file cannot be had, UserError for other contents.
    """
    where, given = published(source, "")
    network = fill(FFDNet(), given, where).to(device)

    def noise(y: Float[Tensor, "n 3 h w"], v: float) -> Float[Tensor, "n 3 h w"]:
        blocks = y.to(device).split(_BLOCK if torch.device(device).type == "cpu" else len(y))
        return torch.cat([(part - network(part, v)) / v for part in blocks]).to(y.device)

    return NetworkScore(noise, (3, side, side), SMALLEST, LARGEST)
