r"""One face for score networks: whatever a network predicts, its score is asked alike.

With `x = r x_0 + sigma z` let `y = x / r` and `v = sigma / r`: then `y = x_0 + v z`, for every process, and

    score(x, level) = -E[z | x] / sigma = -noise(x / r, v) / sigma .

So a network of any parametrisation need only tell the noise that it sees in `y` at `v`, in the data's own units
(pixels in [0, 1]): a VE score network, a VP noise predictor and a denoiser differ in a line each. Any level with `v`
in the trained range may be asked, of an annealed run as of a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level

_ROUNDING = 1e-6  # relative: a level at the end of the range may have been computed in another way


class NoisePredictor(Protocol):
    """A trained network, asked in the data's own units."""

    shape: tuple[int, ...]
    """Of one sample."""
    smallest: float
    largest: float
    """The range of `v` in which it was trained."""

    def noise(self, y: Float[Tensor, " batch *shape"], v: float) -> Float[Tensor, " batch *shape"]:
        """Return `E[z | y]`, `y = x_0 + v z`, as the network sees it: a new tensor, float32."""
        ...


@dataclass(frozen=True)
class NetworkScore:
    """The score of a noise predictor, for samplers: `score(x, level)`, in the state's type; the network is float32."""

    predictor: NoisePredictor

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one sample."""
        return self.predictor.shape

    @torch.no_grad()
    def score(self, x: Float[Tensor, " batch *shape"], level: Level) -> Float[Tensor, " batch *shape"]:
        """Return `-noise(x / r, sigma / r) / sigma`, a new tensor.

        Raises ValueError for a level outside the trained range, or samples of another shape.
        """
        y = x if level.scale == 1.0 else x / level.scale
        noise = self.predictor.noise(y.to(torch.float32), self._trained(x, level))
        return noise.div_(-level.sigma).to(x.dtype)

    @torch.no_grad()
    def denoise(self, x: Float[Tensor, " batch *shape"], level: Level) -> Float[Tensor, " batch *shape"]:
        """Return the network's `E[x_0 | x]`. Raises as `score`."""
        return (x + level.sigma**2 * self.score(x, level)) / level.scale

    def _trained(self, x: Tensor, level: Level) -> float:
        """Return the level's `v`. Raises ValueError."""
        low, high = self.predictor.smallest, self.predictor.largest
        v = level.sigma / level.scale
        if not low * (1 - _ROUNDING) <= v <= high * (1 + _ROUNDING):
            raise ValueError(
                f"level {level.number}: the network was trained at sigma/scale {low:g} to {high:g}, not {v:g}"
            )
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; the network needs (batch, {', '.join(map(str, self.shape))})"
            )
        return min(max(v, low), high)
