r"""A small U-Net, as a denoiser of images and as a network of images.

With `y = x_0 + v z` and m, s the mean and standard deviation of the training pixels, a denoiser
with the network F is preconditioned as EDM's (Karras et al., arXiv 2206.00364),

    E[z | y] = v/(s^2 + v^2) (y - m) - s/sqrt(s^2 + v^2) F((y - m)/sqrt(s^2 + v^2), ln v) ,

whose first term is the answer for Gaussian pixels; F is of order one at every noise.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn.functional import (
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
    scaled_dot_product_attention,
    silu,
)

from verdicts.validation import Frozen

Images = Float[Tensor, "batch c h w"]
HEAD = 32
"""Channels of a head of attention."""


class Sizes(Frozen):
    """Channels in and out, channels at each resolution from the finest down, blocks at each,
    features of the noise.

    Blocks of `patch` x `patch` pixels are channels: at half the resolution a convolution costs a
    quarter. The coarsest `attending` resolutions have attention between pixels.
    """

    inputs: PositiveInt = 1
    outputs: PositiveInt = 1
    widths: tuple[PositiveInt, ...] = (48, 64, 96)
    blocks: PositiveInt = 1
    noise: int = 32
    patch: PositiveInt = 1
    attending: int = 0


class Block(nn.Module):
    """`h + C' silu((1 + a) norm(C silu(h)) + b)`: convolutions C of 3 x 3, (a, b) linear in the
    embedded noise.
    """

    def __init__(self, width: int, noise: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.norm = nn.GroupNorm(8, width)
        self.noise = nn.Linear(noise, 2 * width) if noise else None
        nn.init.zeros_(self.second.weight)

    def forward(self, h: Images, e: Float[Tensor, "#batch noise"] | None) -> Images:
        """Return the block's features."""
        inner = self.norm(self.first(silu(h)))
        if self.noise is not None and e is not None:
            gain, shift = self.noise(e)[:, :, None, None].chunk(2, dim=1)
            inner = torch.addcmul(shift, inner, 1 + gain)
        return h + self.second(silu(inner))


class Attention(nn.Module):
    """`h + W' softmax(q k^T / sqrt(c)) v` over pixels, in heads of `HEAD` channels; q, k, v
    linear in `norm(h)`.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.inner, self.outer = (
            nn.GroupNorm(8, width),
            nn.Conv2d(width, 3 * width, 1),
            nn.Conv2d(width, width, 1),
        )
        for parameter in self.outer.parameters():
            nn.init.zeros_(parameter)

    def forward(self, h: Images, e: Tensor | None) -> Images:
        """Return the features; the noise is not looked at."""
        batch, width, *side = h.shape
        q, k, v = (
            self.inner(self.norm(h))
            .reshape(batch, 3, width // HEAD, HEAD, -1)
            .transpose(-1, -2)
            .unbind(1)
        )
        mixed = scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(batch, width, *side)
        return h + self.outer(mixed)


class UNet(nn.Module):
    """Blocks at each resolution down and up again, joined by sums."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        widths, noise, area = sizes.widths, sizes.noise, sizes.patch**2
        self.patch = sizes.patch
        self.stem = nn.Conv2d(area * sizes.inputs, widths[0], 3, padding=1)
        attends = [number >= len(widths) - sizes.attending for number in range(len(widths))]
        self.down, self.up = (
            nn.ModuleList(
                _stage(width, sizes, also) for width, also in zip(widths, attends, strict=True)
            )
            for _ in range(2)
        )
        self.narrower = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.wider = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[0], area * sizes.outputs, 3, padding=1)
        self.embed = nn.Linear(noise, noise) if noise else None
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.linspace(0.25, 2.0, noise // 2))
        nn.init.zeros_(self.last.weight)

    def embedded(self, v: Float[Tensor, " #batch"]) -> Float[Tensor, "#batch noise"] | None:
        """Return the features of the noise `v`; None for a network without."""
        if self.embed is None:
            return None
        angles = v.log()[:, None] * self.frequencies
        return silu(self.embed(torch.cat([angles.sin(), angles.cos()], dim=1)))

    def forward(self, x: Images, v: Float[Tensor, " #batch"]) -> Images:
        """Return the network's output, of the image's size."""
        e, skips = self.embedded(v), []
        h = self.stem(pixel_unshuffle(x, self.patch).contiguous(memory_format=torch.channels_last))
        for number, stage in enumerate(self.down):
            h = self.narrower[number - 1](h) if number else h
            h = _through(stage, h, e)
            skips.append(h)
        for number in reversed(range(len(self.up))):
            if number + 1 < len(self.up):
                h = skips[number] + interpolate(self.wider[number](h), scale_factor=2.0)
            h = _through(self.up[number], h, e)
        return pixel_shuffle(self.last(silu(h)), self.patch)


def _stage(width: int, sizes: Sizes, attends: bool) -> nn.ModuleList:
    blocks: list[nn.Module] = [Block(width, sizes.noise) for _ in range(sizes.blocks)]
    return nn.ModuleList([*blocks, Attention(width)] if attends else blocks)


def _through(stage: nn.Module, h: Images, e: Tensor | None) -> Images:
    for block in stage.children():
        h = block(h, e)
    return h


class Denoiser(nn.Module):
    """The noise that it sees in `y`, at one `v` for all or one an image; see the module's text."""

    def __init__(self, sizes: Sizes, mean: float, spread: float) -> None:
        super().__init__()
        self.network, self.mean, self.spread = UNet(sizes), mean, spread

    def forward(self, y: Images, v: Float[Tensor, " #batch"]) -> Images:
        """Return `E[z | y]`."""
        centred, w = y - self.mean, v[:, None, None, None]
        total = w.square() + self.spread**2
        inner = self.network(centred * total.rsqrt(), v)
        return centred * (w / total) - inner * (self.spread * total.rsqrt())
