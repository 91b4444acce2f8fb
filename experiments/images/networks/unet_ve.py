r"""The VE score network of the score-SDE tutorial, in its form with additive skips, and the process it was trained on.

    dx = b^t dw,   sigma(t)^2 = (b^(2t) - 1) / (2 ln b),   b = 25,  t in (0, 1]

Four stages of convolutions down (28, 26, 12, 5, 2 pixels), three up and a last convolution; at each the time, in
Gaussian Fourier features, enters as a bias a channel. The published network divides its output by `sigma(t)`: the
output itself is minus the noise, so that is all there is to ask. All samples of a call share one time, hence the
bias is the convolution's own and costs no pass over the image.

Source: Song et al., arXiv 2011.13456, and its tutorial; weights: registry entry `mnist-ve`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, fold, silu

from experiments.images.networks.loading import contents, fill, tensors
from experiments.images.networks.score_adapter import NetworkScore, NoisePredictor

T_END = 1e-5
"""The tutorial's last time."""
BLOCK = 16
"""Images at once, so that their features stay in a processor's cache: a third faster."""


@dataclass(frozen=True)
class ExponentialVE:
    """`dx = base^t dw`: scale 1, `sigma(t)^2 = (base^(2t) - 1) / (2 ln base)`; a `schedules.Process`."""

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
    """`silu(norm(conv(x) + dense(e)))`, `e` the embedded time."""

    def __init__(self, inputs: int, outputs: int, embedding: int, groups: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, bias=False)
        self.dense = nn.Linear(embedding, outputs)
        self.norm = nn.GroupNorm(groups, outputs)

    def forward(self, x: Float[Tensor, "batch i h w"], bias: Float[Tensor, " o"]) -> Float[Tensor, "batch o k l"]:
        """Return the stage's features; `bias` is `dense(e)`."""
        return silu(self.norm(self.convolved(x, bias)), inplace=True)

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
    """A transposed convolution to one channel: all taps by one product, then added where they overlap.

    PyTorch's own multiplies image by image, at a sixth of the network's time.
    """

    def forward(self, x: Float[Tensor, "batch i h w"]) -> Float[Tensor, "batch 1 h+2 w+2"]:  # type: ignore[override]
        """Return the network's output."""
        taps = self.weight.flatten(1).mT @ x.flatten(2)
        added = fold(taps, (x.shape[2] + 2, x.shape[3] + 2), self.weight.shape[2:])
        return added if self.bias is None else added.add_(self.bias[:, None, None])


class VEUNet(nn.Module):
    """The U-Net: minus the noise that it sees in `x` at time `t`, as `network(x, network.biases(t))`."""

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

    def biases(self, t: float) -> list[Float[Tensor, " channels"]]:
        """Return the bias that the time makes at each stage: a linear map of `e`.

        `e = silu(linear([sin 2 pi f t, cos 2 pi f t]))`, `f` the fixed Gaussian frequencies.
        """
        angles = 2 * math.pi * t * self.frequencies
        e = silu(self.time(torch.cat([angles.sin(), angles.cos()])))
        return [stage.dense(e) for stage in (*self.down, *self.up)]

    def forward(self, x: Float[Tensor, "batch 1 h w"], biases: Sequence[Tensor]) -> Float[Tensor, "batch 1 h w"]:
        """Return the network's output at one time for all."""
        skips, depth = [], len(self.down)
        for stage, bias in zip(self.down, biases[:depth], strict=True):
            x = stage(x, bias)
            skips.append(x)
        skips.pop()
        for stage, bias in zip(self.up, biases[depth:], strict=True):
            x = stage(x, bias).add_(skips.pop())
        return self.out(x)


def predictor(network: VEUNet, process: ExponentialVE) -> NoisePredictor:
    """Return the U-Net as a noise predictor of images (28, 28) with pixels in [0, 1]."""

    def noise(y: Float[Tensor, "batch 28 28"], v: float) -> Float[Tensor, "batch 28 28"]:
        biases, size = network.biases(process.time(v)), BLOCK if y.device.type == "cpu" else len(y)
        return torch.cat([network(part[:, None], biases) for part in y.split(size)])[:, 0].neg_()

    return NoisePredictor(noise, (28, 28), *(process.marginal(t)[1] for t in (T_END, 1.0)))


_PARTS = {"time_embed.1": "time", "tconv1": "out"}
for _i in range(1, 5):
    _PARTS |= {
        f"conv{_i}": f"down.{_i - 1}.conv",
        f"gnorm{_i}": f"down.{_i - 1}.norm",
        f"dense{_i}.dense": f"down.{_i - 1}.dense",
    }
for _i in range(3):
    _PARTS |= {
        f"tconv{4 - _i}": f"up.{_i}.conv",
        f"tgnorm{4 - _i}": f"up.{_i}.norm",
        f"dense{5 + _i}.dense": f"up.{_i}.dense",
    }
"""Our name of each published part."""


def _ours(name: str) -> str:
    """Return our name of a published tensor; one that is unknown stays as it is, and is refused later."""
    part, _, kind = name.rpartition(".")
    return "frequencies" if name == "time_embed.0.W" else f"{_PARTS.get(part, part)}.{kind}"


def mnist_ve(source: str = "mnist-ve", device: torch.device | str = "cpu") -> NetworkScore:
    """Return the score of such a network, from the registry or the file at a path, on a device.

    Raises DataUnavailable where a registered file cannot be had, UserError for any other contents.
    """
    where, content = contents(source)
    given = {_ours(name): tensor for name, tensor in tensors(content, where, "module.").items()}
    return NetworkScore(predictor(fill(VEUNet(), given, where).to(device), ExponentialVE()))
