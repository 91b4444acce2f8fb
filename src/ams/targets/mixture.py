"""The Gaussian mixture, `x_0 ~ sum_k w_k N(m_k, C_k)`; at every noise level it is a mixture with
these weights.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level
from ams.targets.base import ArrayLike, as_float, normal, rows
from ams.targets.covariance import Covariance, as_covariance


class GaussianMixture:
    """The target `sum_k w_k N(m_k, C_k)`, with the score `-sum_k r_k(x) C_k,t^-1 (x - scale m_k)`,
    r the posterior.

    `means` is `(k, *shape)` and sets dtype and device; it becomes float64 unless it is a floating
    tensor. `weights` `(k,)` are non-negative and sum to 1 within 1e-6. `covariances` is a number or
    `(k,)` (isotropic), `(k, *shape)` or `(k, d)` (diagonal), `(k, d, d)`, or a `Covariance`. A
    score takes the memory of `k` batches. Raises ValueError for invalid parameters.
    """

    def __init__(
        self, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike | Covariance = 1.0
    ) -> None:
        centres = as_float(means)
        if centres.ndim < 2:
            raise ValueError(f"mixture: means need shape (k, *shape), got {tuple(centres.shape)}")
        self.shape = tuple(centres.shape[1:])
        self.means: Float[Tensor, "k d"] = centres.reshape(len(centres), -1)
        self.weights: Float[Tensor, " k"] = _weights(weights, self.means)
        self.covariances = as_covariance(covariances, self.means, self.shape)

    def score(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch *shape"]:
        """Return `grad log p_t(x)`. Raises ValueError where there is no density."""
        residual = self._residual(x, level)
        covariance = self.covariances.regular(level)
        posterior = self._log_joint(residual, covariance).softmax(0)
        return -torch.einsum("kb,kbd->bd", posterior, covariance.solve(residual)).reshape(x.shape)

    def log_density(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, " batch"]:
        """Return `log sum_k w_k N(x; scale m_k, C_k,t)`. Raises ValueError where there is no
        density.
        """
        joint = self._log_joint(self._residual(x, level), self.covariances.regular(level))
        return joint.logsumexp(0)

    def posterior(
        self, x: Float[Tensor, " batch *shape"], level: Level
    ) -> Float[Tensor, "batch k"]:
        """Return the posterior `P(component k | x_t = x)`, whose rows sum to 1. Raises
        ValueError without a density.
        """
        joint = self._log_joint(self._residual(x, level), self.covariances.regular(level))
        return joint.softmax(0).mT

    def sample(
        self, n: int, level: Level, generator: torch.Generator
    ) -> Float[Tensor, " n *shape"]:
        """Return `n` independent draws of `x_t`."""
        chosen = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = normal(n, self.means, generator)
        covariances = self.covariances.marginal(level)
        for k in chosen.unique().tolist():
            noise[chosen == k] = covariances.component(k).color(noise[chosen == k])
        return (level.scale * self.means[chosen] + noise).reshape(n, *self.shape)

    def marginal(self, level: Level) -> "GaussianMixture":
        """Return the distribution of `x_t`, a mixture with these weights and eigenbases."""
        means = (level.scale * self.means).reshape(-1, *self.shape)
        return type(self)(self.weights, means, self.covariances.marginal(level))

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> "GaussianMixture":
        """Return the target in another dtype, on another device."""
        means = self.means.to(device, dtype).reshape(-1, *self.shape)
        return type(self)(self.weights, means, self.covariances.to(dtype, device))

    def _residual(self, x: Tensor, level: Level) -> Float[Tensor, "k batch d"]:
        """Return `x - scale m_k` of each component."""
        return rows(x, self.means) - level.scale * self.means.unsqueeze(1)

    def _log_joint(
        self, residual: Float[Tensor, "k batch d"], covariance: Covariance
    ) -> Float[Tensor, "k batch"]:
        """Return `log w_k + log N(x; scale m_k, C_k,t)`."""
        return self.weights.log().unsqueeze(1) + covariance.log_density(residual)


def _weights(weights: ArrayLike, means: Float[Tensor, "k d"]) -> Float[Tensor, " k"]:
    """Return normalised weights in the dtype of `means`. Raises ValueError unless they are a
    distribution.
    """
    given = as_float(weights).to(means.device, torch.float64)
    if given.shape != means.shape[:1]:
        raise ValueError(f"mixture: {tuple(given.shape)} weights for {len(means)} means")
    if not (bool((given >= 0).all()) and abs(float(given.sum()) - 1) <= 1e-6):
        raise ValueError("mixture: weights must be non-negative and sum to 1")
    return (given / given.sum()).to(means.dtype)
