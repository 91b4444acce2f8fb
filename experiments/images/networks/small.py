r"""A small denoiser of images of 8 x 8 pixels, the embedded default: trained by the suite's own
command, on digits.

With `y = x_0 + v z`, pixels in [0, 1], `m` and `s` their mean and standard deviation, the network F
is preconditioned as EDM's (Karras et al., arXiv 2206.00364): `E[x_0 | y] = m + s^2/(s^2 + v^2) (y -
m) + v s/sqrt(s^2 + v^2) F`, so

    E[z | y] = v/(s^2 + v^2) (y - m) - s/sqrt(s^2 + v^2) F((y - m)/sqrt(s^2 + v^2), ln v) ,

whose first term is the answer for Gaussian pixels; F is of order one at every noise. F is a
residual network on all pixels: at each block `h + W' silu((1 + a) norm(W h) + b)`, a and b of the
block linear in Fourier features of ln v.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from experiments.images.networks.loading import fill, stored
from experiments.images.networks.score_adapter import NetworkScore
from verdicts.validation import Frozen

SMALLEST, LARGEST = 0.01, 10.0
"""The range of v in which it is trained: from below the digits' grey step, 1/16, to beyond their
largest distance.
"""
MEAN, SPREAD = 0.3049, 0.3757
"""Of the pixels of the training digits."""
WEIGHTS = Path(__file__).parents[1] / "weights"


class Sizes(Frozen):
    """Pixels of an image, features of a block, blocks, features of the noise, share of features
    dropped in training.
    """

    pixels: int = 64
    width: int = 256
    blocks: int = 3
    noise: int = 32
    dropped: float = 0.1


class Block(nn.Module):
    """`h + W' silu((1 + a) norm(W h) + b)`, (a, b) linear in `e`, the embedded noise."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.inner, self.outer = (
            nn.Linear(sizes.width, sizes.width),
            nn.Linear(sizes.width, sizes.width),
        )
        self.norm = nn.LayerNorm(sizes.width, elementwise_affine=False)
        self.noise = nn.Linear(sizes.noise, 2 * sizes.width)
        self.drop = nn.Dropout(sizes.dropped)
        nn.init.zeros_(self.outer.weight)

    def modulation(self, e: Float[Tensor, "#batch noise"]) -> tuple[Tensor, Tensor]:
        """Return `1 + a` and `b`."""
        gain, shift = self.noise(e).chunk(2, dim=-1)
        return 1 + gain, shift

    def forward(
        self, h: Float[Tensor, "batch width"], gain: Tensor, shift: Tensor
    ) -> Float[Tensor, "batch width"]:
        """Return the block's features."""
        return h + self.outer(self.drop(silu(torch.addcmul(shift, self.norm(self.inner(h)), gain))))


class Modulation(NamedTuple):
    """What the denoiser depends on `v` by: factors of the pixels in, of the pixels out, and of
    F; each block's part.
    """

    inner: Float[Tensor, "#batch 1"]
    outer: Float[Tensor, "#batch 1"]
    network: Float[Tensor, "#batch 1"]
    blocks: list[tuple[Tensor, Tensor]]


class Denoiser(nn.Module):
    """The noise that it sees in `y`, at one `v` for all or one a sample."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.first, self.last = (
            nn.Linear(sizes.pixels, sizes.width),
            nn.Linear(sizes.width, sizes.pixels),
        )
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.blocks))
        self.noise = nn.Linear(sizes.noise, sizes.noise)
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.linspace(0.25, 2.0, sizes.noise // 2))
        nn.init.zeros_(self.last.weight)

    def modulation(self, v: Float[Tensor, "#batch"]) -> Modulation:
        """Return what depends on the noise alone."""
        v = v[:, None]
        total, angles = v.square() + SPREAD**2, v.log() * self.frequencies
        e = silu(self.noise(torch.cat([angles.sin(), angles.cos()], dim=-1)))
        blocks = [block.modulation(e) for block in cast("Iterable[Block]", self.blocks)]
        return Modulation(total.rsqrt(), v / total, SPREAD * total.rsqrt(), blocks)

    def modulated(
        self, y: Float[Tensor, "batch pixels"], by: Modulation
    ) -> Float[Tensor, "batch pixels"]:
        """Return `E[z | y]` at a noise whose modulation is known."""
        centred = y - MEAN
        h = self.first(centred * by.inner)
        for block, (gain, shift) in zip(self.blocks, by.blocks, strict=True):
            h = block(h, gain, shift)
        return centred * by.outer - self.last(silu(h)) * by.network

    def forward(
        self, y: Float[Tensor, "batch pixels"], v: Float[Tensor, "#batch"]
    ) -> Float[Tensor, "batch pixels"]:
        """Return `E[z | y]`."""
        return self.modulated(y, self.modulation(v))


SHA256 = "06b0acfc59b4eac897599eb7bd3ded3974c8bc10d91286dca427adbfb961a719"
"""Of the committed file."""


def digits_score() -> NetworkScore:
    """Return the score of the committed network. Raises UserError unless the file's bytes are those
    committed.

    What depends on the noise alone is kept, as runs come back to the same noise levels.
    """
    path = WEIGHTS / "digits-score.safetensors"
    network: Denoiser = fill(Denoiser(Sizes()), stored(path, SHA256), str(path))

    @lru_cache(maxsize=2048)
    def modulation(v: float) -> Modulation:
        return network.modulation(torch.full((1,), v))

    def noise(y: Float[Tensor, "batch 8 8"], v: float) -> Float[Tensor, "batch 8 8"]:
        return network.modulated(y.flatten(1), modulation(v)).reshape(y.shape)

    return NetworkScore(noise, (8, 8), SMALLEST, LARGEST)
