r"""The exact network of a known target: what a perfectly trained network would return at the noise
level it is passed.

With `x_t = scale x_0 + sigma z` the predictions that libraries use are functions of the posterior
mean `E[x_0 | x_t]`:

    score  s = grad log p_t(x)             x0    (x + sigma^2 s) / scale = E[x_0 | x]
    eps    -sigma s = E[z | x]             v     scale eps - sigma x0       (arXiv 2202.00512)
    flow  eps - x0  (the velocity of x_t = (1 - t) x_0 + t z, arXiv 2209.03003)

A distilled network predicts `consistency`: where the probability flow takes x to noise 0 (arXiv
2303.01469), or to the noise level `level.next` of a network that is told two, as of a flow map
(arXiv 2406.07507).

An adapter calls one of them with the noise level that its library passes to the network, never with
the level that the library is thought to be at: a library whose network is told another level than
its formulas use does not sample its target, and that must show. Every call counts as one evaluation
and is recorded.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from ams.schedules import Level
from ams.targets.base import Target
from samplercheck.answered_draws import NotMade

# `answered` watches what a library does, not the kit's own arithmetic
_unwatched = torch._C.DisableTorchFunction
PURE_NOISE = torch.finfo(torch.float32).eps  # cos(pi/2) is -4e-8 in float32
CLEAN = Level(0, sigma=0.0, scale=1.0)
ROUNDED = 64  # units of rounding by which the noise levels of a batch's rows may differ
PREDICTIONS: dict[str, Callable[[Tensor, Tensor, Level], Tensor]] = {
    "x0": lambda x0, eps, level: x0,
    "eps": lambda x0, eps, level: eps,
    "v": lambda x0, eps, level: level.scale * eps - level.sigma * x0,
    "flow": lambda x0, eps, level: eps - x0,
    "score": lambda x0, eps, level: -eps / level.sigma,
}


def noise_level(scale: Any, sigma: Any) -> Level:
    """Return the noise level `x_t = scale x_0 + sigma z` from numbers or from tensors with one
    value for all rows.

    A scale that is 0 up to rounding is 0: the posterior mean at pure noise cannot be computed by
    dividing by it. So is a sigma below 0 by rounding, as of a time that is counted down. Raises
    ValueError where one of them is below 0 by more, and where the rows of a batch are at different
    noise levels, by more than rounding.
    """
    sigma, scale = one_value(sigma), one_value(scale)
    if sigma < 0 and -sigma < PURE_NOISE * scale:
        sigma = 0.0
    if sigma < 0 or scale < -PURE_NOISE * sigma:
        raise ValueError(f"noise_level(scale={scale:g}, sigma={sigma:g}): neither can be below 0")
    return Level(0, sigma=sigma, scale=0.0 if abs(scale) < PURE_NOISE * sigma else scale)


def one_value(value: Any) -> float:
    """Return a number, or what all entries of a tensor are. Raises ValueError where they differ
    beyond rounding.
    """
    if not isinstance(value, Tensor):
        return float(value)
    with _unwatched():
        entries = value.double().reshape(-1)
        # PyTorch rounds equal entries unequally where a vector operation covers some of them.
        rounding = ROUNDED * torch.finfo(value.dtype).eps if value.is_floating_point() else 0.0
        if bool(((entries - entries[0]).abs() > rounding * entries[0].abs()).any()):
            raise ValueError(
                "the rows of a batch are at different noise levels: the kit passes one for all"
            )
        return float(entries[0])


def log_snr(level: Level) -> float:
    """Return `lambda = ln(scale / sigma)`, half the logarithm of the signal-to-noise ratio;
    infinite without noise.
    """
    return math.log(level.scale / level.sigma) if level.sigma else math.inf


class Call(NamedTuple):
    """One evaluation: the noise level that was passed and the input, flat rows in float64.

    `joined` is the number of equal copies of the samples in the call, as for guidance: they are
    answered alike.
    """

    level: Level
    x: Tensor
    joined: int = 1


class Network(Protocol):
    """What an adapter calls; `predict` is one of `PREDICTIONS`, or "consistency"."""

    def __call__(self, predict: str, x: Tensor, level: Level) -> Tensor:
        """Return the prediction for `x` (rows, ...) at a noise level, in the shape and type of
        `x`.
        """


class Enough(Exception):
    """Raised by a network that was called as often as its `most`."""


@dataclass
class Recorded:
    """A network from `x0` and `eps` at a noise level, which records its calls.

    `pair(x, level)` returns `E[x_0 | x]` and `E[z | x]` for flat rows in float64. The run ends
    after `most` calls. With `rows` each call is of so many samples. `consistency(x, level)` is
    where the flow takes such rows to `level.next`, by default to noise 0, None where it is not
    known; `distilled` says that it was asked. The type of what is returned is `returns`, that of x
    if None.
    """

    pair: Callable[[Tensor, Level], tuple[Tensor, Tensor]]
    most: int | None = None
    rows: int | None = None
    consistency: Callable[[Tensor, Level], Tensor] | None = None
    calls: list[Call] = field(default_factory=list)
    returns: torch.dtype | None = None
    distilled: bool = False

    def __call__(self, predict: str, x: Tensor, level: Level) -> Tensor:
        """Return the prediction for `x`.

        Raises ValueError for an unknown prediction or other rows than the run's, TypeError for a
        level that is none, NotMade for a consistency function that is not known.
        """
        with _unwatched():
            return self._predicted(predict, x, level)

    def _predicted(self, predict: str, x: Tensor, level: Level, joined: int = 1) -> Tensor:
        if not isinstance(level, Level):
            raise TypeError(
                f"network was passed the noise level {level!r:.60}: pass noise_level(scale, sigma)"
            )
        if self.rows and len(x) > self.rows and not len(x) % self.rows:
            copies = x.unflatten(0, (-1, self.rows))
            if torch.equal(copies, copies[:1].expand_as(copies)):
                return torch.cat(
                    [self._predicted(predict, copies[0], level, len(copies))] * len(copies)
                )
        if self.rows is not None and len(x) != self.rows:
            raise ValueError(
                f"network was called with {len(x)} samples in a run of {self.rows}: call "
                "it with all samples of the "
                "run, or with equal copies of them one after the other"
            )
        if x.is_complex():
            raise TypeError("network was called with complex numbers: call it with real ones")
        rows = x.detach().double().reshape(len(x), -1)
        self.calls.append(Call(level, rows.clone(), joined))
        if len(self.calls) == self.most:
            raise Enough
        if predict == "consistency":
            self.distilled = True
            if self.consistency is None:
                raise NotMade(
                    "a consistency function is known of the targets alone: state no order, "
                    "and noise=None"
                )
            out = self.consistency(rows, level)
        else:
            out = predicted(predict, *self.pair(rows, level), level)
        return out.to(self.returns or x.dtype).reshape(x.shape)

    def moved(
        self, there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]
    ) -> "Recorded":
        """Return the network of data and noise that are moved by the linear map `back`, whose
        inverse is `there`.
        """

        def pair(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
            x0, eps = self.pair(there(x), level)
            return back(x0), back(eps)

        end = self.consistency
        return replace(
            self, pair=pair, consistency=end and (lambda x, level: back(end(there(x), level)))
        )


def predicted(predict: str, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
    """Return one of `PREDICTIONS`. Raises ValueError for an unknown one."""
    if predict not in PREDICTIONS:
        raise ValueError(
            f"unknown prediction {predict!r}: expected one of {', '.join(PREDICTIONS)}"
        )
    return PREDICTIONS[predict](x0, eps, level)


def average(network: Network, x: Tensor, level: Level, to: Level) -> Tensor:
    """Return `(x - y) / (sigma - sigma_to)` of the state y to which the flow takes x at noise level
    `to`.

    It is the average velocity along a straight path, whose sigma is the time (arXiv 2410.12557,
    2505.13447), and the average eps where x is `x_0 + sigma z`.
    """
    if level.sigma == to.sigma:
        return network(
            "eps" if level.scale == to.scale == 1 else "flow", x, level._replace(next=to)
        )
    return (x - network("consistency", x, level._replace(next=to))) / (level.sigma - to.sigma)


def exact(
    target: Target,
    mean: Tensor | float = 0.0,
    consistency: Callable[[Tensor, Level], Tensor] | None = None,
) -> Recorded:
    """Return the exact network of a target. `mean` is its mean, which is `x0` where the scale is 0
    (pure noise).
    """

    def pair(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        score = target.score(x, level)
        x0 = (
            (x + level.sigma**2 * score) / level.scale
            if level.scale
            else torch.zeros_like(x) + mean
        )
        return x0, -level.sigma * score

    return Recorded(pair, consistency=consistency)


def preconditioned(network: Network, scaled: Tensor, sigma: Any, data: float) -> Tensor:
    """Return EDM's network F, with `x0 = c_skip x + c_out F`, for its input `c_in x` (arXiv
    2206.00364, table 1).
    """
    norm = (sigma**2 + data**2) ** 0.5
    denoised = network("x0", scaled * norm, noise_level(1.0, sigma))
    return (denoised - data**2 / norm * scaled) * norm / (sigma * data)


def guided(conditional: Recorded, unconditional: Recorded, weight: float) -> Recorded:
    """Return classifier-free guidance of weight w: `w conditional + (1 - w) unconditional`, which
    stays affine.
    """

    def pair(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        (a, b), (c, d) = conditional.pair(x, level), unconditional.pair(x, level)
        return weight * a + (1 - weight) * c, weight * b + (1 - weight) * d

    return Recorded(pair)


def clipped(network: Recorded, bound: float) -> Recorded:
    """Return the network with `x0` clipped to `[-bound, bound]` and eps to match: no longer
    affine.
    """

    def pair(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        x0 = network.pair(x, level)[0].clamp(-bound, bound)
        return x0, (x - level.scale * x0) / level.sigma

    return Recorded(pair)
