r"""The VE score network of the score-SDE tutorial, in its form with additive skips, and the process
it was trained on.

    dx = b^t dw,   sigma(t)^2 = (b^(2t) - 1) / (2 ln b),   b = 25,  t in (0, 1]

Four stages of convolutions down (28, 26, 12, 5, 2 pixels), three up and a last convolution; at each
the time, in Gaussian Fourier features, enters as a bias a channel. The published network divides
its output by `sigma(t)`: the output itself is minus the noise, so that is all there is to ask. All
samples of a call share one time, hence the bias is the convolution's own and costs no pass over the
image.

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

from experiments.images.networks.loading import fill, published
from experiments.images.networks.score_adapter import NetworkScore

T_END = 1e-5
"""The tutorial's last time."""
BLOCK = 16
"""Images at once, so that their features stay in a processor's cache: a third faster."""


@dataclass(frozen=True)
class ExponentialVE:
    """`dx = base^t dw`: scale 1, `sigma(t)^2 = (base^(2t) - 1) / (2 ln base)`; a
    `schedules.Process`.
    """

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


class Frequencies(nn.Module):
    """Fixed Gaussian frequencies `W`: `[sin 2 pi W t, cos 2 pi W t]`."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.zeros(count))

    def forward(self, t: float) -> Float[Tensor, " features"]:
        """Return the features of a time."""
        angles = 2 * math.pi * t * self.W
        return torch.cat([angles.sin(), angles.cos()])


class LastStage(nn.ConvTranspose2d):
    """A transposed convolution to one channel: all taps by one product, then added where they
    overlap.

    PyTorch's own multiplies image by image, at a sixth of the network's time.
    """

    def forward(self, x: Float[Tensor, "batch i h w"]) -> Float[Tensor, "batch 1 h+2 w+2"]:  # type: ignore[override]
        """Return the network's output."""
        taps = self.weight.flatten(1).mT @ x.flatten(2)
        added = fold(taps, (x.shape[2] + 2, x.shape[3] + 2), self.weight.shape[2:])
        return added if self.bias is None else added.add_(self.bias[:, None, None])


class VEUNet(nn.Module):
    """The U-Net, its parts under their published names: minus the noise that it sees in `x` at time
    `t`.

    Stage i of the four down, and of the three up, is `silu(norm(conv(x) + bias(t)))`; the bias a
    channel is linear in the embedded time, published as a layer in a layer.
    """

    def __init__(self) -> None:
        super().__init__()
        channels, embedding = (1, 32, 64, 128, 256), 256
        self.time_embed = nn.Sequential(
            Frequencies(embedding // 2), nn.Linear(embedding, embedding)
        )
        self.tconv1 = LastStage(channels[1], 1, 3)
        for i, (outer, inner) in enumerate(pairwise(channels), 1):
            self.add_module(f"conv{i}", nn.Conv2d(outer, inner, 3, min(i, 2), bias=False))
            self.add_module(f"gnorm{i}", nn.GroupNorm(32 if i > 1 else 4, inner))
            self.add_module(f"dense{i}", nn.ModuleDict({"dense": nn.Linear(embedding, inner)}))
            if i > 1:
                self.add_module(f"tconv{i}", nn.ConvTranspose2d(inner, outer, 3, 2, bias=False))
                self.add_module(f"tgnorm{i}", nn.GroupNorm(32, outer))
                self.add_module(
                    f"dense{9 - i}", nn.ModuleDict({"dense": nn.Linear(embedding, outer)})
                )

    def biases(self, t: float) -> list[Float[Tensor, " channels"]]:
        """Return the bias that the time makes at each stage."""
        e = silu(self.time_embed(t))
        return [self.get_submodule(f"dense{i}.dense")(e) for i in range(1, 8)]

    def forward(
        self, x: Float[Tensor, "batch 1 h w"], biases: Sequence[Tensor]
    ) -> Float[Tensor, "batch 1 h w"]:
        """Return the network's output at the time that made the biases."""
        skips, biases = [], list(biases)
        for i in (1, 2, 3, 4):
            x = conv2d(x, self.get_parameter(f"conv{i}.weight"), biases.pop(0), min(i, 2))
            x = silu(self.get_submodule(f"gnorm{i}")(x), inplace=True)
            skips.append(x)
        skips.pop()
        for i in (4, 3, 2):
            extra = int(i < 4)  # pixels that are added at two of the edges
            x = conv_transpose2d(
                x, self.get_parameter(f"tconv{i}.weight"), biases.pop(0), 2, output_padding=extra
            )
            x = silu(self.get_submodule(f"tgnorm{i}")(x), inplace=True).add_(skips.pop())
        return self.tconv1(x)


def mnist_ve(source: str = "mnist-ve", device: torch.device | str = "cpu") -> NetworkScore:
    """Return the score of such a network, from the registry or the file at a path, on a device.

    Images are (28, 28), pixels in [0, 1]. Raises DataUnavailable where a registered file cannot be
    had, UserError for any other contents.
    """
    where, given = published(source, "module.")
    network, process = fill(VEUNet(), given, where).to(device), ExponentialVE()

    def noise(y: Float[Tensor, "batch 28 28"], v: float) -> Float[Tensor, "batch 28 28"]:
        biases, size = network.biases(process.time(v)), BLOCK if y.device.type == "cpu" else len(y)
        return torch.cat([network(part[:, None], biases) for part in y.split(size)])[:, 0].neg_()

    return NetworkScore(noise, (28, 28), *(process.marginal(t)[1] for t in (T_END, 1.0)))
