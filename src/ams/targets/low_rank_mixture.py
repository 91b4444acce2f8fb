r"""A mixture of Gaussians of low rank plus noise in many dimensions, `x_0 ~ sum_k w_k N(m_k, C_k)`.

`C_k = U_k diag(v_k) U_k^T + t_k (I - U_k U_k^T)` with orthonormal columns `U_k` (d, r). All means
and columns lie in a subspace of at most k (r + 1) dimensions. In coordinates whose first ones span
it (`in_its_subspace`) the other directions are dead: they hold the residual variances alone. A
score costs O(batch (m k r + d)).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level
from ams.targets.base import normal


class LowRankMixture:
    """The target, with the means and columns in their first `m` of `d` coordinates; everything has
    one dtype.

    `weights` (k,) sum to 1; `means` (k, m); `bases` (k, m, r) with orthonormal columns; `variances`
    (k, r) along them; `residual` (k,) is the variance in every other direction. Raises ValueError
    for parameters that do not fit.
    """

    def __init__(
        self,
        weights: Float[Tensor, " k"],
        means: Float[Tensor, "k m"],
        bases: Float[Tensor, "k m r"],
        variances: Float[Tensor, "k r"],
        residual: Float[Tensor, " k"],
        d: int,
    ) -> None:
        gram, rank = bases.mT @ bases, bases.shape[-1]
        if not (
            float((gram - torch.eye(rank).to(gram)).abs().max()) < 1e-4
            and abs(float(weights.sum()) - 1) < 1e-5
        ):
            raise ValueError(
                "low-rank mixture: bases need orthonormal columns, and weights the sum 1"
            )
        if not (
            d >= means.shape[1] >= rank
            and bool((residual > 0).all())
            and bool((variances > 0).all())
        ):
            raise ValueError("low-rank mixture: d >= m >= r and positive variances are needed")
        self.weights, self.means, self.bases, self.variances, self.residual = (
            weights,
            means,
            bases,
            variances,
            residual,
        )
        self.d, self.m = d, means.shape[1]
        self.shape = (d,)
        columns = bases.permute(1, 0, 2).reshape(self.m, -1)
        self._rows = torch.cat([means.mT, columns], dim=1)  # (m, k + k r)
        self._offset = torch.einsum("kmr,km->kr", bases, means)
        self._square = means.square().sum(1)

    def score(self, x: Float[Tensor, "batch d"], level: Level) -> Float[Tensor, "batch d"]:
        """Return `-sum_k r_k(x) C_k,t^-1 (x - scale m_k)`, with the posterior r."""
        joint, along, (spread, rest) = self._joint(x, level)
        posterior = joint.softmax(1)
        isotropic = posterior / rest  # (batch, k)
        inner = posterior.unsqueeze(2) * along * (1 / rest.unsqueeze(1) - 1 / spread)
        back = torch.cat([level.scale * isotropic, inner.flatten(1)], dim=1)
        score = x * -isotropic.sum(1, keepdim=True)
        score[:, : self.m] += back @ self._rows.mT
        return score

    def log_density(self, x: Float[Tensor, "batch d"], level: Level) -> Float[Tensor, " batch"]:
        """Return `log sum_k w_k N(x; scale m_k, C_k,t)`."""
        return self._joint(x, level)[0].logsumexp(1)

    def posterior(self, x: Float[Tensor, "batch d"], level: Level) -> Float[Tensor, "batch k"]:
        """Return the posterior `P(component k | x_t = x)`, whose rows sum to 1."""
        return self._joint(x, level)[0].softmax(1)

    def sample(self, n: int, level: Level, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """Return `n` independent draws of `x_t`."""
        chosen = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        z = normal(n, self.means.new_empty(1, self.d), generator)
        spread, rest = self._marginal(level)
        x = z * rest[chosen].sqrt().unsqueeze(1)
        along = torch.einsum("nmr,nm->nr", self.bases[chosen], z[:, : self.m])
        wider = (spread[chosen].sqrt() - rest[chosen].sqrt().unsqueeze(1)) * along
        x[:, : self.m] += level.scale * self.means[chosen] + torch.einsum(
            "nmr,nr->nm", self.bases[chosen], wider
        )
        return x

    def marginal(self, level: Level) -> "LowRankMixture":
        """Return the distribution of `x_t`, a mixture with these weights and bases."""
        return LowRankMixture(
            self.weights, level.scale * self.means, self.bases, *self._marginal(level), self.d
        )

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> "LowRankMixture":
        """Return the target in another dtype, on another device."""
        parts = (self.weights, self.means, self.bases, self.variances, self.residual)
        weights, means, bases, variances, residual = (part.to(device, dtype) for part in parts)
        return LowRankMixture(weights, means, bases, variances, residual, self.d)

    def _marginal(self, level: Level) -> tuple[Float[Tensor, "k r"], Float[Tensor, " k"]]:
        return (
            self.variances * level.scale**2 + level.sigma**2,
            self.residual * level.scale**2 + level.sigma**2,
        )

    def _joint(self, x: Tensor, level: Level) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Return `log w_k + log N(x; scale m_k, C_k,t)`, `U_k^T (x - scale m_k)`, and the
        variances at the level.
        """
        spread, rest = self._marginal(level)
        (k, r), inner = spread.shape, x[:, : self.m] @ self._rows
        along = inner[:, k:].reshape(-1, k, r) - level.scale * self._offset
        square = (
            x.square().sum(1, keepdim=True)
            - 2 * level.scale * inner[:, :k]
            + level.scale**2 * self._square
        )
        square = square / rest + (along.square() * (1 / spread - 1 / rest.unsqueeze(1))).sum(2)
        volume = spread.log().sum(1) + (self.d - r) * rest.log() + self.d * math.log(2 * math.pi)
        return self.weights.log() - 0.5 * (square + volume), along, (spread, rest)


def in_its_subspace(
    weights: Float[Tensor, " k"],
    means: Float[Tensor, "k d"],
    bases: Float[Tensor, "k d r"],
    variances: Float[Tensor, "k r"],
    residual: Float[Tensor, " k"],
) -> LowRankMixture:
    """Return the mixture about its overall mean, turned so that its first coordinates span all its
    structure.

    Each direction's sign is chosen, since a decomposition leaves it to the processor, and draws
    would differ with it.
    """
    centred, (k, d, r) = means - weights @ means, bases.shape
    columns = torch.cat([centred.mT, bases.permute(1, 0, 2).reshape(d, k * r)], dim=1)
    left, sizes, _ = torch.linalg.svd(columns, full_matrices=False)
    frame = _signed(left[:, sizes > 1e-8 * sizes[0]])
    return LowRankMixture(
        weights, centred @ frame, _signed(frame.mT @ bases), variances, residual, d
    )


def _signed(columns: Float[Tensor, "... n r"]) -> Float[Tensor, "... n r"]:
    """Return columns with the signs that make the largest entry of each positive."""
    return columns * columns.gather(-2, columns.abs().argmax(-2, keepdim=True)).sign()
