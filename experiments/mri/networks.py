r"""The networks of the reconstruction: one small U-Net, as a score prior and as a network of images.

With `y = x_0 + v z` and m, s the mean and standard deviation of the training pixels, the score network F is
preconditioned as EDM's (Karras et al., arXiv 2206.00364),

    E[z | y] = v/(s^2 + v^2) (y - m) - s/sqrt(s^2 + v^2) F((y - m)/sqrt(s^2 + v^2), ln v) .

The U-Net works on blocks of 2 x 2 pixels as channels: at half the resolution a convolution costs a quarter.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import BaseModel
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle, silu

from experiments.images.networks.score_adapter import NetworkScore

SMALLEST, LARGEST = 0.01, 5.0
"""The range of v in which the score network is trained: from half the noise of k-space to beyond a slice's spread."""
MEAN, SPREAD = 0.10, 0.16
"""Of the pixels of the training slices, rounded."""


class Sizes(BaseModel, frozen=True, extra="forbid"):
    """Channels in and out, channels at each resolution from 32 x 32 down, blocks at each, features of the noise."""

    inputs: int = 1
    outputs: int = 1
    widths: tuple[int, ...] = (48, 64, 96)
    blocks: int = 1
    noise: int = 32


class Block(nn.Module):
    """`h + C' silu((1 + a) norm(C silu(h)) + b)`: convolutions C of 3 x 3, (a, b) linear in the embedded noise."""

    def __init__(self, width: int, noise: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.norm = nn.GroupNorm(8, width)
        self.noise = nn.Linear(noise, 2 * width) if noise else None
        nn.init.zeros_(self.second.weight)

    def forward(self, h: Float[Tensor, "batch c h w"], e: Float[Tensor, "batch noise"] | None) -> Tensor:
        """Return the block's features."""
        inner = self.norm(self.first(silu(h)))
        if self.noise is not None and e is not None:
            gain, shift = self.noise(e)[:, :, None, None].chunk(2, dim=1)
            inner = torch.addcmul(shift, inner, 1 + gain)
        return h + self.second(silu(inner))


class UNet(nn.Module):
    """Blocks at each resolution down and up again, joined by sums; the image in blocks of 2 x 2 pixels."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        widths, noise = sizes.widths, sizes.noise
        self.stem = nn.Conv2d(4 * sizes.inputs, widths[0], 3, padding=1)
        self.down, self.up = (nn.ModuleList(_stage(width, sizes) for width in widths) for _ in range(2))
        self.narrower = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.wider = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[0], 4 * sizes.outputs, 3, padding=1)
        self.embed = nn.Linear(noise, noise) if noise else None
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.linspace(0.25, 2.0, noise // 2))
        nn.init.zeros_(self.last.weight)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def embedded(self, v: Float[Tensor, " batch"] | None) -> Tensor | None:
        """Return the features of the noise `v`; None for a network without."""
        if self.embed is None or v is None:
            return None
        angles = v.log()[:, None] * self.frequencies
        return silu(self.embed(torch.cat([angles.sin(), angles.cos()], dim=1)))

    def forward(
        self, x: Float[Tensor, "batch i h w"], v: Float[Tensor, " batch"] | None
    ) -> Float[Tensor, "batch o h w"]:
        """Return the network's output, of the image's size; `v` is the noise, None for a network without."""
        e, skips = self.embedded(v), []
        h = self.stem(pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        for number, stage in enumerate(self.down):
            h = self.narrower[number - 1](h) if number else h
            h = _through(stage, h, e)
            skips.append(h)
        for number in reversed(range(len(self.up))):
            if number + 1 < len(self.up):
                h = skips[number] + interpolate(self.wider[number](h), scale_factor=2.0)
            h = _through(self.up[number], h, e)
        return pixel_shuffle(self.last(silu(h)), 2)


def _stage(width: int, sizes: Sizes) -> nn.ModuleList:
    return nn.ModuleList(Block(width, sizes.noise) for _ in range(sizes.blocks))


def _through(stage: nn.Module, h: Tensor, e: Tensor | None) -> Tensor:
    for block in stage.children():
        h = block(h, e)
    return h


class Denoiser(nn.Module):
    """The noise that it sees in `y`, at one `v` for all or one a sample; see the module's text."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.network = UNet(sizes)

    def forward(self, y: Float[Tensor, "batch h w"], v: Float[Tensor, " batch"]) -> Float[Tensor, "batch h w"]:
        """Return `E[z | y]`."""
        centred, w = y - MEAN, v[:, None, None]
        total = w.square() + SPREAD**2
        inner = self.network((centred * total.rsqrt())[:, None], v)[:, 0]
        return centred * (w / total) - inner * (SPREAD * total.rsqrt())


def score_of(network: Denoiser) -> NetworkScore:
    """Return a trained denoiser as a score for samplers."""

    def noise(y: Float[Tensor, "batch h w"], v: float) -> Float[Tensor, "batch h w"]:
        return network(y, torch.full((1,), v))

    return NetworkScore(noise, (64, 64), SMALLEST, LARGEST)
