"""The empirical target: the uniform distribution on the points of a data set, with exact scores."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ams.schedules import Level
from ams.targets.base import ArrayLike, as_float, normal, rows
from ams.targets.points import Cloud, Query
from ams.targets.posterior import Posterior, nearest, posterior

_ROWS = 512  # of the batch at once, so that memory is bounded for any batch


class Nearest(NamedTuple):
    """For each row, the index of the most probable point p and the exact residual `x - scale p`
    (float64).
    """

    point: Int[Tensor, " batch"]
    residual: Float[Tensor, " batch *shape"]


class Empirical:
    """The target with `x_0` uniform on `points`, plus Gaussian noise of standard deviation
    `bandwidth` (default 0).

    `x_t` is a mixture of `n` isotropic Gaussians with variance `v = scale^2 bandwidth^2 + sigma^2`,
    so that

        score(x) = (scale D(x) - x) / v,  D = sum_j w_j p_j,  w_j ~ exp(-|x - scale p_j|^2 / (2 v)).

    `points` is `(n, *shape)` and sets dtype and device; it becomes float64 unless it is a floating
    tensor, and is not copied. A score costs two products of the batch with the points, one for
    small `v`, and about 100 MB of memory for any `n`. Float32 products need torch's default matmul
    precision ("highest"). Gradients are not tracked. A row that is not finite gives NaN. Raises
    ValueError for no points and for a point that is not finite; score, density and posterior raise
    it where `v = 0`.
    """

    def __init__(self, points: ArrayLike, bandwidth: float = 0.0) -> None:
        given = as_float(points)
        if given.ndim < 2 or given.numel() == 0:
            raise ValueError(f"empirical: points need shape (n, *shape), got {tuple(given.shape)}")
        self.shape = tuple(given.shape[1:])
        self.bandwidth = bandwidth
        self.cloud = Cloud.of(given.reshape(len(given), -1).contiguous())

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.cloud.points)

    @torch.no_grad()
    def score(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch *shape"]:
        """Return `(scale D(x) - x) / v`. Raises ValueError where `v = 0`."""
        flat = rows(x, self.cloud.points)
        residual = self._mean(flat, level).mul_(level.scale).sub_(flat)
        return residual.div_(self._variance(level)).to(x.dtype).reshape(x.shape)

    @torch.no_grad()
    def denoise(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch *shape"]:
        """Return `E[x_0 | x_t = x] = D + (scale b^2 / v) (x - scale D)`, b the bandwidth.
        ValueError where `v = 0`.
        """
        flat = rows(x, self.cloud.points)
        mean = self._mean(flat, level)
        gain = level.scale * self.bandwidth**2 / self._variance(level)
        return (mean + gain * (flat - level.scale * mean)).to(x.dtype).reshape(x.shape)

    @torch.no_grad()
    def log_density(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch"]:
        """Return `log (1/n) sum_j N(x; scale p_j, v I)`. Raises ValueError where `v = 0`."""
        flat = rows(x, self.cloud.points)
        log_volume = 0.5 * flat.shape[1] * math.log(2 * math.pi * self._variance(level))
        log_sum = torch.cat([each.log_sum for each in self._posteriors(flat, level)])
        return (log_sum - math.log(len(self)) - log_volume).to(x.dtype)

    @torch.no_grad()
    def nearest(self, x: Float[Tensor, " batch *shape"], level: Level) -> Nearest:
        """Return the point with the least `|x - scale p|`, the first one of equals, and its exact
        residual.

        The result does not depend on sigma. A row that is not finite has index -1 and a residual of
        NaN.
        """
        flat = rows(x, self.cloud.points)
        index = torch.cat([nearest(query) for query in self._queries(flat, level.scale, 1.0)])
        residual = flat.double() - level.scale * self.cloud.points[index].double()
        residual[index < 0] = math.nan
        return Nearest(index, residual.reshape(x.shape))

    def sample(
        self, n: int, level: Level, generator: torch.Generator
    ) -> Float[Tensor, " n *shape"]:
        """Return `n` independent draws of `x_t`."""
        points = self.cloud.points
        chosen = torch.randint(len(self), (n,), generator=generator, device=points.device)
        noise = normal(n, points, generator) * math.sqrt(self._total(level))
        return (level.scale * points[chosen] + noise).reshape(n, *self.shape)

    def marginal(self, level: Level) -> "Empirical":
        """Return the distribution of `x_t`: points `scale p_j` (a copy unless `scale = 1`) and
        bandwidth `sqrt(v)`.
        """
        points = self.cloud.points if level.scale == 1 else level.scale * self.cloud.points
        return type(self)(points.reshape(-1, *self.shape), math.sqrt(self._total(level)))

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> "Empirical":
        """Return the target in another dtype, on another device."""
        return type(self)(
            self.cloud.points.to(device, dtype).reshape(-1, *self.shape), self.bandwidth
        )

    def _total(self, level: Level) -> float:
        """Return `v = scale^2 bandwidth^2 + sigma^2`."""
        return (level.scale * self.bandwidth) ** 2 + level.sigma**2

    def _variance(self, level: Level) -> float:
        """Return v. Raises ValueError for 0."""
        if not self._total(level) > 0:
            raise ValueError("empirical: no density at sigma = 0; use a noise level with sigma > 0")
        return self._total(level)

    def _posteriors(self, flat: Float[Tensor, "batch d"], level: Level) -> Iterator[Posterior]:
        """Yield the posteriors of the rows, some rows at a time."""
        return map(posterior, self._queries(flat, level.scale, self._variance(level)))

    def _mean(self, flat: Float[Tensor, "batch d"], level: Level) -> Float[Tensor, "batch d"]:
        """Return the posterior mean of every row."""
        return torch.cat([each.mean for each in self._posteriors(flat, level)])

    def _queries(
        self, flat: Float[Tensor, "batch d"], scale: float, variance: float
    ) -> Iterator[Query]:
        """Yield the batch as queries of at most `_ROWS` rows."""
        return (Query(self.cloud, part, scale, variance) for part in flat.split(_ROWS))
