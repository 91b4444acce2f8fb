r"""NCSN++, DDPM++ and DDPM from checkpoints of score_sde: a list of modules, walked in the order in
which it is stored.

A checkpoint is `{"model", "ema", "optimizer", "step"}`: `model` a state dictionary of one list,
`all_modules.<n>`, and `ema["shadow_params"]` the averaged tensors of those that are trained, in
that order. Names and shapes of its tensors tell what an entry is, so no configuration can disagree
with the file:

    W  Fourier features of ln sigma  Conv_0, 1 x 1  joins the input's pyramid
    weight (2-D), bias  a linear layer of the embedding  Conv2d_0  carries the pyramid down
    GroupNorm_0, Conv_0, ...  a residual block; with Conv_2 and as  weight (4-D)  a convolution
                               many channels out as in: it resamples     weight (1-D)       a norm
    GroupNorm_0, NIN_0, ...  attention over all pixels  Conv_0, 3 x 3  resamples (DDPM)

Modules keep the published names, so the file's tensors fill them as they are. What has no weights
follows: networks with Fourier features, or with a pyramid that is carried down, resample by the
filter (1, 3, 3, 1), others by means. Every sum of a branch and its input is divided by sqrt 2, in
DDPM by 1. Sources: Song et al., arXiv 2011.13456, appendix H; Ho et al., arXiv 2006.11239.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad, silu

from ams.errors import UserError
from experiments.images.networks.loading import fill

LARGEST = 2**33
"""Bytes that a checkpoint may hold: weights, their average and two moments of 300 million
parameters.
"""
ROOT2 = math.sqrt(2.0)
_FIXED = ("sigmas", "all_modules.0.W")
Features = Float[Tensor, "batch channels h w"]
Resample = Callable[[Features], Features]
Kind = TypeVar("Kind", bound=nn.Module)


def averaged(held: object, where: str) -> dict[str, Tensor]:
    """Return the averaged tensors of a checkpoint by name, and those that are not trained.

    Raises UserError, one line that names `where`.
    """
    model, average = (
        held.get(part) if isinstance(held, Mapping) else None for part in ("model", "ema")
    )
    if (
        not isinstance(model, Mapping)
        or not isinstance(average, Mapping)
        or "shadow_params" not in average
    ):
        raise UserError(
            f"{where}: no checkpoint of score_sde, which holds `model` and `ema` with "
            "`shadow_params`"
        )
    named = {str(name).removeprefix("module."): tensor for name, tensor in model.items()}
    trained, shadows = [name for name in named if name not in _FIXED], average["shadow_params"]
    if len(trained) != len(shadows):
        raise UserError(
            f"{where}: {len(shadows)} averaged tensors for {len(trained)} that are trained"
        )
    return named | dict(zip(trained, shadows, strict=True))


def filtered(x: Features, margin: int, stride: int) -> Features:
    """Return the features smoothed by (1, 3, 3, 1) / 8 each way, zeros around them, every
    `stride`-th pixel.
    """
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], device=x.device) / 8
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 4, 4)
    return conv2d(x, kernel, stride=stride, padding=margin, groups=x.shape[1])


def filtered_up(x: Features) -> Features:
    """Return the features at twice the resolution: zeros between the pixels, then the filter."""
    wide = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    wide[:, :, ::2, ::2] = 4 * x
    return filtered(pad(wide, (2, 1, 2, 1)), 0, 1)


def nearest(x: Features) -> Features:
    """Return the features at twice the resolution: each pixel four times."""
    return interpolate(x, scale_factor=2.0)


class Norm(nn.GroupNorm):
    """A norm over groups of four channels, of at most 32 groups."""

    def __init__(self, channels: int) -> None:
        super().__init__(min(channels // 4, 32), channels, eps=1e-6)


class Convolution(nn.Conv2d):
    """A 3 x 3 convolution that keeps the resolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)


class Matrix(nn.Module):
    """`x W + b` of each pixel."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.W, self.b = (
            nn.Parameter(torch.zeros(inputs, outputs)),
            nn.Parameter(torch.zeros(outputs)),
        )

    def forward(self, x: Float[Tensor, "... i"]) -> Float[Tensor, "... o"]:
        """Return the products."""
        return x @ self.W + self.b


class Block(nn.Module):
    """`(conv(silu(norm(conv(silu(norm x)) + dense(silu e)))) + shortcut(x)) / divisor`; may
    resample h and x.

    The shortcut is a convolution of one pixel, in DDPM a matrix (`as_matrix`).
    """

    divisor = ROOT2

    def __init__(
        self, inputs: int, outputs: int, embedding: int, shortcut: bool, as_matrix: bool = False
    ) -> None:
        super().__init__()
        self.GroupNorm_0, self.Conv_0 = Norm(inputs), Convolution(inputs, outputs)
        self.Dense_0 = nn.Linear(embedding, outputs)
        self.GroupNorm_1, self.Conv_1 = Norm(outputs), Convolution(outputs, outputs)
        self.Conv_2 = nn.Conv2d(inputs, outputs, 1) if shortcut and not as_matrix else None
        self.NIN_0 = Matrix(inputs, outputs) if as_matrix else None

    def forward(
        self, x: Features, e: Float[Tensor, " embedding"], resample: Resample | None = None
    ) -> Features:
        """Return the features, resampled after the first norm."""
        h = silu(self.GroupNorm_0(x))
        h, x = (resample(h), resample(x)) if resample else (h, x)
        h = self.Conv_0(h) + self.Dense_0(silu(e))[:, None, None]
        h = self.Conv_1(silu(self.GroupNorm_1(h)))
        if self.NIN_0:
            x = self.NIN_0(x.movedim(1, -1)).movedim(-1, 1)
        return (h + (self.Conv_2(x) if self.Conv_2 else x)) / self.divisor


class ResamplingBlock(Block):
    """A block that changes the resolution."""


class Attention(nn.Module):
    """Attention of one head over all pixels, added to its input."""

    divisor = ROOT2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.GroupNorm_0 = Norm(channels)
        self.NIN_0, self.NIN_1, self.NIN_2, self.NIN_3 = (
            Matrix(channels, channels) for _ in range(4)
        )

    def forward(self, x: Features) -> Features:
        """Return the features."""
        h = self.GroupNorm_0(x).flatten(2).mT
        query, key, value = self.NIN_0(h), self.NIN_1(h), self.NIN_2(h)
        weights = (query @ key.mT / math.sqrt(x.shape[1])).softmax(-1)
        return (x + self.NIN_3(weights @ value).mT.reshape(x.shape)) / self.divisor


class ResamplingConvolution(nn.Module):
    """A convolution that takes every other pixel, or follows each pixel's repetition: how DDPM
    resamples.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.Conv_0 = nn.Conv2d(channels, channels, 3)

    def forward(self, x: Features, _: Tensor, resample: Resample) -> Features:
        """Return the features at twice the resolution where `resample` doubles it, else at half."""
        if resample is nearest:
            return conv2d(nearest(x), self.Conv_0.weight, self.Conv_0.bias, padding=1)
        return conv2d(pad(x, (0, 1, 0, 1)), self.Conv_0.weight, self.Conv_0.bias, stride=2)


class Combination(nn.Sequential):
    """A convolution of one pixel: what the input's pyramid adds to the features."""


class CarriedDown(nn.Sequential):
    """A convolution at every other pixel: the next stage of a pyramid that is filtered before."""


class Fourier(nn.Module):
    """`sin` and `cos` of `2 pi W ln sigma`."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.zeros(features))

    def forward(self, sigma: Float[Tensor, ""]) -> Float[Tensor, " features"]:
        """Return the features."""
        angles = 2 * math.pi * sigma.log() * self.W
        return torch.cat([angles.sin(), angles.cos()])


def positional(time: Float[Tensor, ""], features: int) -> Float[Tensor, " features"]:
    """Return `sin` and `cos` of `time 10000^(-i / (n - 1))`, `n` half of the features."""
    half = features // 2
    angles = time * torch.exp(
        torch.arange(half, device=time.device) * -(math.log(10_000) / (half - 1))
    )
    return torch.cat([angles.sin(), angles.cos()])


class Walk:
    """The modules in their order; each is taken once."""

    def __init__(self, modules: nn.ModuleList) -> None:
        self.waiting = list(modules)[::-1]

    def sees(self, kind: type[nn.Module]) -> bool:
        """Tell whether the next module is of a kind."""
        return bool(self.waiting) and type(self.waiting[-1]) is kind

    def take(self, kind: type[Kind]) -> Kind:
        """Return the next module. Raises ValueError unless it is of this kind."""
        if not self.sees(kind):
            seen = type(self.waiting[-1]).__name__ if self.waiting else "the end of the list"
            raise ValueError(f"{seen} where a {kind.__name__} is expected")
        module: Kind = self.waiting.pop()  # type: ignore[assignment]
        return module


class NCSNpp(nn.Module):
    """The network: `network(x, time)`, one time for all; VE networks take sigma, and pixels in [0,
    1].
    """

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.all_modules = nn.ModuleList(modules)
        kinds = [type(module) for module in modules]
        self.fourier = kinds[0] is Fourier
        self.resampling = (
            ResamplingConvolution if ResamplingConvolution in kinds else ResamplingBlock
        )
        self.resolutions = kinds.count(self.resampling) // 2 + 1
        self.blocks = kinds[: kinds.index(self.resampling)].count(Block)
        if self.resampling is ResamplingConvolution:
            for module in modules:
                module.divisor = 1.0  # type: ignore[assignment]
        smooth = self.fourier or CarriedDown in kinds
        self.down: Resample = (
            (lambda x: filtered(x, 1, 2)) if smooth else (lambda x: avg_pool2d(x, 2))
        )
        self.up: Resample = filtered_up if smooth else nearest

    @property
    def channels(self) -> int:
        """Return the channels of an image."""
        return next(
            module for module in self.all_modules if type(module) is Convolution
        ).in_channels

    def forward(
        self, x: Float[Tensor, "batch c h w"], time: Float[Tensor, ""]
    ) -> Float[Tensor, "batch c h w"]:
        """Return the last convolution's features: minus the noise of a VE network, the noise of a
        VP network.

        Raises ValueError where the modules are in another order than a network's.
        """
        walk = Walk(self.all_modules)
        e = self._embedded(walk, time)
        skips, pyramid = [], 2 * x - 1 if self.fourier else x
        skips.append(walk.take(Convolution)(pyramid))
        for level in range(self.resolutions):
            for _ in range(self.blocks):
                skips.append(_attended(walk, walk.take(Block)(skips[-1], e)))
            if level < self.resolutions - 1:
                h, pyramid = self._lowered(walk, skips[-1], pyramid, e)
                skips.append(h)
        h = walk.take(Block)(skips[-1], e)
        h = walk.take(Attention)(h)
        h, output = walk.take(Block)(h, e), None
        for level in reversed(range(self.resolutions)):
            for _ in range(self.blocks + 1):
                h = walk.take(Block)(torch.cat([h, skips.pop()], dim=1), e)
            h = _attended(walk, h)
            if walk.sees(Norm):
                normed = silu(walk.take(Norm)(h))
                added = walk.take(Convolution)(normed)
                output = added if output is None else self.up(output) + added
            h = walk.take(self.resampling)(h, e, self.up) if level else h
        if walk.waiting or output is None:
            raise ValueError(f"{len(walk.waiting)} modules are left over")
        return output

    def _embedded(self, walk: Walk, time: Float[Tensor, ""]) -> Float[Tensor, " embedding"]:
        known = walk.take(Fourier)(time) if self.fourier else None
        first, second = walk.take(nn.Linear), walk.take(nn.Linear)
        return second(silu(first(positional(time, first.in_features) if known is None else known)))

    def _lowered(
        self, walk: Walk, h: Features, pyramid: Features, e: Tensor
    ) -> tuple[Features, Features]:
        """Return the features and the input's pyramid at half the resolution."""
        h = walk.take(self.resampling)(h, e, self.down)
        if walk.sees(Combination):
            pyramid = self.down(pyramid)
            return walk.take(Combination)(pyramid) + h, pyramid
        if walk.sees(CarriedDown):
            h = (walk.take(CarriedDown)(filtered(pyramid, 2, 1)) + h) / ROOT2
            return h, h
        return h, pyramid


def _attended(walk: Walk, h: Features) -> Features:
    return walk.take(Attention)(h) if walk.sees(Attention) else h


def network(named: Mapping[str, Tensor], where: str) -> NCSNpp:
    """Return the network that averaged tensors are of, filled. Raises UserError where there is no
    such network.
    """
    given = {name: tensor for name, tensor in named.items() if name != "sigmas"}
    try:
        made = fill(NCSNpp([_module(tensors) for tensors in _entries(given)]), given, where)
        side = 2**made.resolutions
        # shows whether its modules fit together
        made(torch.zeros(1, made.channels, side, side), torch.tensor(1.0))
    except UserError:
        raise
    except (LookupError, ValueError, AttributeError, RuntimeError, StopIteration) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{where}: not the weights of NCSN++, DDPM++ or DDPM: {reason}") from None
    return made


def _entries(named: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the tensors of each entry of the list, by the rest of their names. Raises ValueError
    for a gap.
    """
    entries: dict[int, dict[str, Tensor]] = {}
    for name, tensor in named.items():
        _, number, rest = name.split(".", 2)
        entries.setdefault(int(number), {})[rest] = tensor
    if set(entries) != set(range(len(entries))):
        raise ValueError("all_modules is not a list without gaps")
    return [entries[number] for number in range(len(entries))]


def _module(tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return the module that an entry's tensors belong to, by their names and shapes."""
    parts = {name.split(".")[0] for name in tensors}
    if "W" in parts:
        return Fourier(len(tensors["W"]))
    if "NIN_3" in parts:
        return Attention(len(tensors["NIN_3.b"]))
    if {"GroupNorm_0", "Conv_0"} <= parts:
        outputs, inputs = tensors["Conv_0.weight"].shape[:2]
        kind = ResamplingBlock if "Conv_2" in parts and outputs == inputs else Block
        return kind(
            inputs, outputs, tensors["Dense_0.weight"].shape[1], "Conv_2" in parts, "NIN_0" in parts
        )
    if "Conv_0" in parts:
        outputs, inputs, side = tensors["Conv_0.weight"].shape[:3]
        if side == 3:
            return ResamplingConvolution(inputs)
        return Combination(OrderedDict(Conv_0=nn.Conv2d(inputs, outputs, 1)))
    if "Conv2d_0" in parts:
        outputs, inputs = tensors["Conv2d_0.weight"].shape[:2]
        return CarriedDown(OrderedDict(Conv2d_0=nn.Conv2d(inputs, outputs, 3, stride=2)))
    shape = tensors["weight"].shape
    if len(shape) == 1:
        return Norm(shape[0])
    return nn.Linear(shape[1], shape[0]) if len(shape) == 2 else Convolution(shape[1], shape[0])
