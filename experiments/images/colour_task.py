"""What the suite's own networks of colour images learn: the noise in CIFAR-10's training images,
mirrored at random.

Noise levels are EDM's (Karras et al., arXiv 2206.00364), for pixels in [0, 1] in place of [-1, 1]:
ln 2v is normal with mean -1.2 and deviation 1.2, so that most steps are spent where images are
made.
"""

import math
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from ams.data import images
from ams.data.cifar_archive import halved
from experiments.denoising import denoising_loss, log_normal
from experiments.images.networks.colour import KINDS, SMALLEST, SPREAD, denoiser
from verdicts.validation import Frozen

HELD_OUT = 2000
"""How many of the 50,000 training images are held out of the training."""
MEAN, DEVIATION = -1.2 - math.log(2), 1.2
"""Of ln v."""


class Parts(NamedTuple):
    """Images to learn from, and held out."""

    train: Float[Tensor, "n 3 side side"]
    held_out: Float[Tensor, "m 3 side side"]


def shuffled(
    x: Shaped[Tensor, "n h w c"], count: int | None = None
) -> Shaped[Tensor, "count c h w"]:
    """Return the images, or the first so many, in one fixed order (registered sets are sorted by
    class).
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(10))[:count]
    return x[order].movedim(-1, 1).contiguous()


def at_half(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h/2 w/2"]:
    """Return images in [0, 1] at half their side: the mean of each 2 x 2 block, as a byte has
    it.
    """
    small = halved((255 * x).round().byte().movedim(1, -1).numpy())
    return torch.from_numpy(small).float().div_(255).movedim(-1, 1).contiguous()


class Colour(Frozen):
    """Which network, and images in a step; `bf16`: in bfloat16 where the device is a GPU."""

    kind: str
    batch: int = 128
    bf16: bool = False


class ColourTask:
    """Learn the noise in colour images. Raises DataUnavailable, once they are read, where they
    cannot be had.
    """

    parts: tuple[str, ...] = ("loss",)

    def __init__(self, settings: Colour) -> None:
        self.settings, self.kind = settings, KINDS[settings.kind]

    @cached_property
    def split(self) -> Parts:
        """Return the images in two parts, by a fixed permutation."""
        x = shuffled(images(self.kind.data).x)
        return Parts(x[HELD_OUT:], x[:HELD_OUT])

    def network(self) -> nn.Module:
        """Return a denoiser with random weights."""
        return denoiser(self.kind)

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the loss of a batch drawn with replacement, each image mirrored or not."""
        rows = torch.randint(len(self.split.train), (self.settings.batch,), generator=generator)
        mirrored = torch.randint(2, (len(rows), 1, 1, 1), generator=generator).bool()
        x = self.split.train[rows]
        return self._loss(network, torch.where(mirrored, x.flip(-1), x), generator, device)

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the loss on the images held out."""
        return self._loss(network, self.split.held_out, torch.Generator().manual_seed(0), device)

    def _loss(
        self,
        network: nn.Module,
        x: Float[Tensor, "n 3 h w"],
        generator: torch.Generator,
        device: torch.device,
    ) -> Float[Tensor, " 1"]:
        v = log_normal(len(x), MEAN, DEVIATION, SMALLEST, self.kind.largest, generator)
        short = self.settings.bf16 and device.type == "cuda"
        with torch.autocast(device.type, torch.bfloat16, enabled=short):
            return denoising_loss(network, x, v, SPREAD, generator, device)
