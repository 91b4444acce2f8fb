r"""The VE score network of the score-SDE tutorial, in its form with additive skips, and the process it was trained on.

    dx = b^t dw,   sigma(t)^2 = (b^(2t) - 1) / (2 ln b),   b = 25,  t in (0, 1]

Four stages of convolutions down (28, 26, 12, 5, 2 pixels), three up and a last convolution; at each the time, in
Gaussian Fourier features, enters as a bias a channel. The published network divides its output by `sigma(t)`: the
output itself is minus the noise, so that is all there is to ask. All samples of a call share one time, hence the
bias is the convolution's own and costs no pass over the image.

Source: Song et al., arXiv 2011.13456, and its tutorial; weights: registry entry `mnist-ve`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, fold, silu

from experiments.images.networks.loading import contents, fill, tensors
from experiments.images.networks.score_adapter import NetworkScore

T_END = 1e-5
"""The tutorial's last time."""


@dataclass(frozen=True)
class ExponentialVE:
    """`dx = base^t dw`: scale 1, `sigma(t)^2 = (base^(2t) - 1) / (2 ln base)`; a `noise.Process`."""

    base: float = 25.0

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(1, sigma(t))`, by expm1: exact as t -> 0."""
        return 1.0, math.sqrt(math.expm1(2 * t * math.log(self.base)) / (2 * math.log(self.base)))

    def time(self, sigma: float) -> float:
        """Return the time at which the noise is `sigma`: the inverse of `marginal`."""
        return math.log1p(2 * math.log(self.base) * sigma**2) / (2 * math.log(self.base))

    def diffusion2(self, t: float) -> float:
        """Return `g(t)^2 = base^(2t)`."""
        return self.base ** (2 * t)

    def drift(self, t: float) -> float:
        """Return 0: the forward process has no drift."""
        return 0.0

    def alpha(self, index: int, n: int) -> float:
        """Return 1."""
        return 1.0


class Stage(nn.Module):
    """`silu(norm(conv(x) + dense(e)))`, `e` the embedded time: a convolution or (with `transposed`) its transpose."""

    def __init__(self, inputs: int, outputs: int, embedding: int, groups: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, bias=False)
        self.dense = nn.Linear(embedding, outputs)
        self.norm = nn.GroupNorm(groups, outputs)

    def forward(self, x: Float[Tensor, "batch i h w"], e: Float[Tensor, " embedding"]) -> Float[Tensor, "batch o k l"]:
        """Return the stage's features."""
        return silu(self.norm(self.convolved(x, self.dense(e))), inplace=True)

    def convolved(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return the convolution, with the time as its bias."""
        return conv2d(x, self.conv.weight, bias, self.conv.stride)


class UpStage(Stage):
    """A stage whose convolution is transposed; `extra` pixels are added at two of the edges."""

    def __init__(self, inputs: int, outputs: int, embedding: int, groups: int, extra: int) -> None:
        super().__init__(inputs, outputs, embedding, groups, 2)
        self.conv = nn.ConvTranspose2d(inputs, outputs, 3, 2, bias=False)  # type: ignore[assignment]
        self.extra = extra

    def convolved(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return the transposed convolution, with the time as its bias."""
        return conv_transpose2d(x, self.conv.weight, bias, 2, output_padding=self.extra)


class LastStage(nn.ConvTranspose2d):
    """A transposed convolution to one channel: all images' taps by one product, then laid over each other.

    PyTorch's own multiplies image by image, which costs a sixth of the network's time here.
    """

    def forward(  # type: ignore[override]
        self, x: Float[Tensor, "batch i h w"]
    ) -> Float[Tensor, "batch 1 h+2 w+2"]:
        """Return the network's output."""
        taps = self.weight.flatten(1).mT @ x.flatten(2)
        laid = fold(taps, (x.shape[2] + 2, x.shape[3] + 2), self.weight.shape[2:])
        return laid if self.bias is None else laid.add_(self.bias[:, None, None])


class ExplodingUNet(nn.Module):
    """The U-Net: minus the noise that it sees in `x` at time `t`."""

    def __init__(self, channels: tuple[int, ...] = (32, 64, 128, 256), embedding: int = 256, groups: int = 32) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.zeros(embedding // 2))
        self.time = nn.Linear(embedding, embedding)
        first = Stage(1, channels[0], embedding, max(groups // 8, 1), 1)
        rest = [Stage(i, o, embedding, groups, 2) for i, o in pairwise(channels)]
        self.down = nn.ModuleList([first, *rest])
        upward = pairwise(reversed(channels))
        self.up = nn.ModuleList(UpStage(i, o, embedding, groups, int(n > 0)) for n, (i, o) in enumerate(upward))
        self.out = LastStage(channels[0], 1, 3)

    def forward(self, x: Float[Tensor, "batch 1 h w"], t: float) -> Float[Tensor, "batch 1 h w"]:
        """Return the network's output at one time for all."""
        e = self.embedded(t)
        skips = []
        for stage in self.down:
            x = stage(x, e)
            skips.append(x)
        skips.pop()
        for stage in self.up:
            x = stage(x, e).add_(skips.pop())
        return self.out(x)

    def embedded(self, t: float) -> Float[Tensor, " embedding"]:
        """Return `silu(linear([sin 2 pi f t, cos 2 pi f t]))`, `f` the fixed Gaussian frequencies."""
        angles = 2 * math.pi * t * self.frequencies
        return silu(self.time(torch.cat([angles.sin(), angles.cos()])))


class ExplodingPredictor:
    """The U-Net as a noise predictor of images (28, 28), at `sigma` of the tutorial's times."""

    shape: tuple[int, ...] = (28, 28)
    block = 16  # images at once: their features stay in a processor's cache, which saves a third of the time

    def __init__(self, network: ExplodingUNet, process: ExponentialVE | None = None) -> None:
        self.network, self.process = network, process or ExponentialVE()
        self.smallest, self.largest = (self.process.marginal(t)[1] for t in (T_END, 1.0))

    def noise(self, y: Float[Tensor, "batch 28 28"], v: float) -> Float[Tensor, "batch 28 28"]:
        """Return minus the network's output at the time whose noise is `v`."""
        t, size = self.process.time(v), self.block if y.device.type == "cpu" else len(y)
        return torch.cat([self.network(part[:, None], t) for part in y.split(size)])[:, 0].neg_()


def _ours(name: str) -> str:
    """Return our name of a published tensor; one that is unknown stays as it is, and is refused later."""
    fixed = {"time_embed.0.W": "frequencies", "tconv1.weight": "out.weight", "tconv1.bias": "out.bias"}
    part, _, kind = name.partition(".")
    stem, number = part.rstrip("0123456789"), part[len(part.rstrip("0123456789")) :]
    places: dict[str, Callable[[int], str]] = {
        "conv": lambda i: f"down.{i - 1}.conv",
        "gnorm": lambda i: f"down.{i - 1}.norm",
        "dense": lambda i: f"down.{i - 1}" if i <= 4 else f"up.{i - 5}",
        "tconv": lambda i: f"up.{4 - i}.conv",
        "tgnorm": lambda i: f"up.{4 - i}.norm",
    }
    if name in fixed:
        return fixed[name]
    if name.startswith("time_embed.1."):
        return name.replace("time_embed.1", "time")
    return f"{places[stem](int(number))}.{kind}" if stem in places and number else name


def mnist_ve(source: str = "mnist-ve", device: torch.device | str = "cpu") -> NetworkScore:
    """Return the score of such a network, from the registry or the file at a path, on a device.

    Raises DataUnavailable where a registered file cannot be had, UserError for any other contents.
    """
    where, content = contents(source)
    given = {_ours(name): tensor for name, tensor in tensors(content, where, "module.").items()}
    return NetworkScore(ExplodingPredictor(fill(ExplodingUNet(), given, where).to(device)))
