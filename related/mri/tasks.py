"""What the score prior learns from, and its loss. Only T1 slices of the training subjects are seen.

The score's loss is that of `experiments.denoising`, ln v uniform on the trained range. Slices are
mirrored at random, shifted by up to 3 pixels along both axes, and multiplied by .9 to 1.1.
"""

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from experiments.denoising import denoising_loss, log_uniform
from experiments.images.networks import unet
from related.mri.data import slices, split
from related.mri.networks import LARGEST, SMALLEST, SPREAD, Denoiser, Sizes
from verdicts.validation import Frozen

SHIFT, GAIN = 3, 0.1
"""The largest shift in pixels and the largest relative change of intensity of a training slice."""


class Prior(Frozen):
    """Slices in a step, the network's sizes, and the subjects that are learned from and held
    out.
    """

    batch: int = 8
    sizes: unet.Sizes = Sizes()
    train: tuple[int, ...] = split().train
    develop: tuple[int, ...] = split().develop


class PriorTask:
    """Learn the noise in T1 slices. Raises DataUnavailable where a volume cannot be had, once it
    is read.
    """

    parts: tuple[str, ...] = ("loss",)

    def __init__(self, settings: Prior) -> None:
        self.settings = settings

    @cached_property
    def learned(self) -> Float[Tensor, "n 64 64"]:
        """Return the slices that are learned from."""
        return torch.cat([slices(subject) for subject in self.settings.train])

    @cached_property
    def kept_out(self) -> Float[Tensor, "n 64 64"]:
        """Return every third slice of the subjects that settings are chosen on."""
        return torch.cat([slices(subject)[::3] for subject in self.settings.develop])

    def network(self) -> nn.Module:
        """Return a denoiser with random weights."""
        return Denoiser(self.settings.sizes)

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the loss of a batch drawn with replacement."""
        rows = torch.randint(len(self.learned), (self.settings.batch,), generator=generator)
        return _loss(network, augmented(self.learned[rows], generator), generator, device)

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the loss on slices of other subjects."""
        generator = torch.Generator().manual_seed(0)
        return _loss(network, self.kept_out.repeat(2, 1, 1), generator, device)


def _loss(
    network: nn.Module,
    x: Float[Tensor, "n 64 64"],
    generator: torch.Generator,
    device: torch.device,
) -> Float[Tensor, " 1"]:
    v = log_uniform(len(x), SMALLEST, LARGEST, generator)
    return denoising_loss(network, x, v, SPREAD, generator, device)


def augmented(x: Float[Tensor, "n h w"], generator: torch.Generator) -> Float[Tensor, "n h w"]:
    """Return the slices, each mirrored or not, shifted and multiplied; black pixels come in."""
    count, side = len(x), x.shape[-1]
    down, right = torch.randint(2 * SHIFT + 1, (2, count), generator=generator)
    mirrored = torch.randint(2, (count,), generator=generator).bool()
    gain = 1 + GAIN * (2 * torch.rand(count, 1, 1, generator=generator) - 1)
    i, j = (shift[:, None] + torch.arange(side) for shift in (down, right))
    wide = pad(torch.where(mirrored[:, None, None], x.flip(2), x), (SHIFT,) * 4)
    return gain * wide[torch.arange(count)[:, None, None], i[:, :, None], j[:, None, :]]
