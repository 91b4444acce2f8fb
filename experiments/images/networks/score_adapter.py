r"""One interface for score networks, whatever a network predicts.

With `x = r x_0 + sigma z` let `y = x / r` and `v = sigma / r`: then `y = x_0 + v z`, for every
process, and

    score(x, level) = -E[z | x] / sigma = -noise(x / r, v) / sigma .

So a network of any parametrisation need only predict the noise in `y` at `v`, in the data's own
units (pixels in [0, 1]). Any noise level with `v` in the trained range may be asked, of an annealed
run or of a process.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level

_ROUNDING = (
    1e-6  # relative: a noise level at the end of the range may have been computed in another way
)


def vp_score(
    model: Callable[[Tensor, float], Tensor],
    shape: tuple[int, ...],
    ratios: np.ndarray,
    times: np.ndarray,
) -> "NetworkScore":
    """Return the score of a VP network: `model(u, time)` is the noise in `u = r (2 y - 1)`.

    `r^2 = 1 / (1 + 4 v^2)`; `ratios` are `sigma / r = 2 v` at each of `times`, between which `ln v`
    is interpolated.
    """
    log_v = np.log(ratios / 2)

    def noise(y: Tensor, v: float) -> Tensor:
        r = 1 / math.hypot(1.0, 2 * v)
        return model((2 * r * y).sub_(r), float(np.interp(math.log(v), log_v, times)))

    return NetworkScore(noise, shape, *(math.exp(end) for end in log_v[[0, -1]]))


@dataclass(frozen=True)
class NetworkScore:
    """A trained network as a score for samplers: `score(x, level)`, in the state's type; the
    network is float32.

    `noise(y, v)` is the network asked in the data's own units: its `E[z | y]`, a new tensor.
    `shape` is that of one sample; `smallest` and `largest` bound the `v` on which it was trained.
    """

    noise: Callable[[Tensor, float], Tensor]
    shape: tuple[int, ...]
    smallest: float
    largest: float

    @torch.no_grad()
    def score(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch *shape"]:
        """Return `-noise(x / r, sigma / r) / sigma`, a new tensor.

        Raises ValueError for a noise level outside the trained range, or samples of another shape.
        """
        y = x if level.scale == 1.0 else x / level.scale
        noise = self.noise(y.to(torch.float32), self._trained(x, level))
        return noise.div_(-level.sigma).to(x.dtype)

    def _trained(self, x: Tensor, level: Level) -> float:
        """Return `sigma / scale` of the noise level. Raises ValueError."""
        low, high, v = self.smallest, self.largest, level.sigma / level.scale
        if not low * (1 - _ROUNDING) <= v <= high * (1 + _ROUNDING):
            raise ValueError(
                f"level {level.number}: the network was trained at sigma/scale "
                f"{low:g} to {high:g}, not {v:g}"
            )
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; the network needs (batch, "
                f"{', '.join(map(str, self.shape))})"
            )
        return min(max(v, low), high)
