"""The Gaussian target, `x_0 ~ N(mean, C)` and hence `x_t ~ N(scale mean, scale^2 C + sigma^2
I)`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level
from ams.targets.base import ArrayLike, as_float, normal, rows
from ams.targets.covariance import Covariance, as_covariance


class Gaussian:
    """The target `N(mean, C)`, with the score `-(scale^2 C + sigma^2 I)^-1 (x - scale mean)`.

    `mean` has the sample's shape and sets dtype and device; it becomes float64 unless it is a
    floating tensor. `covariance` is a number (isotropic), variances shaped as `mean` or flat
    (diagonal), a `(d, d)` matrix, or a `Covariance`. The attribute `mean` is flat. Raises
    ValueError for an invalid covariance.
    """

    def __init__(self, mean: ArrayLike, covariance: ArrayLike | Covariance = 1.0) -> None:
        centre = torch.atleast_1d(as_float(mean))
        self.shape = tuple(centre.shape)
        self.mean: Float[Tensor, " d"] = centre.reshape(-1)
        self.covariance = as_covariance(covariance, self.mean, self.shape)

    def score(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch *shape"]:
        """Return `-(scale^2 C + sigma^2 I)^-1 (x - scale mean)`. Raises ValueError where there
        is no density.
        """
        residual = level.scale * self.mean - rows(x, self.mean)
        return self.covariance.regular(level).solve(residual).reshape(x.shape)

    def log_density(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch"]:
        """Return `log N(x; scale mean, scale^2 C + sigma^2 I)`. Raises ValueError where there is
        no density.
        """
        residual = rows(x, self.mean) - level.scale * self.mean
        return self.covariance.regular(level).log_density(residual)

    def sample(
        self, n: int, level: Level, generator: torch.Generator
    ) -> Float[Tensor, " n *shape"]:
        """Return `n` independent draws of `x_t`."""
        noise = self.covariance.marginal(level).color(normal(n, self.mean, generator))
        return (level.scale * self.mean + noise).reshape(n, *self.shape)

    def marginal(self, level: Level) -> "Gaussian":
        """Return the distribution of `x_t`, a Gaussian with the eigenbasis of this one."""
        mean = (level.scale * self.mean).reshape(self.shape)
        return type(self)(mean, self.covariance.marginal(level))

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> "Gaussian":
        """Return the target in another dtype, on another device."""
        mean = self.mean.to(device, dtype).reshape(self.shape)
        return type(self)(mean, self.covariance.to(dtype, device))
