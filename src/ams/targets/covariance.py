"""Covariances by their eigendecomposition `C = Q diag(v) Q^T`, in which noise only adds to the
variances `v`.

Diagonal covariances have `Q = None` for the identity, and isotropic variances are an expanded
number: both cost no more than a division. A leading axis counts the components of a mixture.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level
from ams.targets.base import ArrayLike, as_float

# relative to the largest entry: the asymmetry and negative eigenvalues that float32 input may have
_ROUNDING = 1e-6


class Covariance(NamedTuple):
    """The covariance `C = Q diag(variances) Q^T`, or those of `k` components; `basis` is `Q`,
    None for the identity.
    """

    variances: Float[Tensor, "*k d"]
    basis: Float[Tensor, "*k d d"] | None = None

    def marginal(self, level: Level) -> "Covariance":
        """Return the covariance of `x_t`, `scale^2 C + sigma^2 I`."""
        return self._replace(variances=self.variances * level.scale**2 + level.sigma**2)

    def regular(self, level: Level) -> "Covariance":
        """Return the covariance of `x_t` for a density. Raises ValueError if `sigma = 0` and a
        variance is 0.
        """
        marginal = self.marginal(level)
        if level.sigma == 0 and not bool((marginal.variances > 0).all()):
            raise ValueError(
                "no density at sigma = 0: the covariance is singular; use a "
                "noise level with sigma > 0"
            )
        return marginal

    def to_eigenbasis(self, y: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Return the coordinates `Q^T y` of each row."""
        return y if self.basis is None else y @ self.basis

    def from_eigenbasis(self, y: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Return `Q y` of each row of coordinates."""
        return y if self.basis is None else y @ self.basis.mT

    def solve(self, y: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b d"]:
        """Return `C^-1 y` of each row."""
        return self.from_eigenbasis(self.to_eigenbasis(y) / self.variances.unsqueeze(-2))

    def color(self, z: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b d"]:
        """Return `Q diag(v)^(1/2) z` of each row, which has the covariance C if `z ~ N(0, I)`."""
        return self.from_eigenbasis(z * self.variances.sqrt().unsqueeze(-2))

    def log_density(self, y: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b"]:
        """Return `log N(y; 0, C)` of each row, in nats."""
        squares = (self.to_eigenbasis(y).square() / self.variances.unsqueeze(-2)).sum(-1)
        log_volume = (self.variances.log() + math.log(2 * math.pi)).sum(-1, keepdim=True)
        return -0.5 * (squares + log_volume)

    def matrix(self) -> Float[Tensor, "*k d d"]:
        """Return C as a matrix."""
        diagonal = torch.diag_embed(self.variances)
        return diagonal if self.basis is None else self.basis @ diagonal @ self.basis.mT

    def component(self, k: int) -> "Covariance":
        """Return the covariance of component `k` of a mixture."""
        return self._replace(
            variances=self.variances[k], basis=None if self.basis is None else self.basis[k]
        )

    def to(self, dtype: torch.dtype, device: torch.device | str | None = None) -> "Covariance":
        """Return the covariance in another dtype, on another device."""
        basis = None if self.basis is None else self.basis.to(device, dtype)
        return self._replace(variances=self.variances.to(device, dtype), basis=basis)


def as_covariance(
    value: ArrayLike | Covariance, means: Float[Tensor, "*k d"], shape: tuple[int, ...]
) -> Covariance:
    """Return the covariance that `value` describes, for distributions with these flat `means` and
    sample `shape`.

    `value` is a `Covariance`, a number (isotropic variance), variances of shape `shape` or `(d,)`
    (diagonal), or a `(d, d)` matrix; the last three may have a leading axis of the `k` components.
    Raises ValueError for another shape, a value that is not finite, a negative variance, and a
    matrix that is not symmetric positive semidefinite.
    """
    if isinstance(value, Covariance):
        return value
    given = as_float(value).to(means.device)
    lead, d = tuple(means.shape[:-1]), means.shape[-1]
    if not bool(torch.isfinite(given).all()):
        raise ValueError("covariance: a value is not finite")
    if given.shape in ((), lead):
        return Covariance(_variances(given).to(means.dtype).unsqueeze(-1).expand(*lead, d))
    if given.shape in ((*lead, *shape), (*lead, d)):
        return Covariance(_variances(given).to(means.dtype).reshape(*lead, d))
    if given.shape == (*lead, d, d):
        return _decomposed(given).to(means.dtype)
    raise ValueError(
        f"covariance: shape {tuple(given.shape)} fits neither a number, "
        f"{(*lead, d)} nor {(*lead, d, d)}"
    )


def _variances(given: Tensor) -> Tensor:
    """Return the variances. Raises ValueError for a negative one."""
    if bool((given < 0).any()):
        raise ValueError(f"covariance: variance {float(given.min()):.6g} is negative")
    return given


def _decomposed(matrix: Float[Tensor, "*k d d"]) -> Covariance:
    """Return the eigendecomposition of a matrix in float64. Raises ValueError unless it is
    symmetric semidefinite.
    """
    matrix = matrix.to(torch.float64)
    allowed = _ROUNDING * float(matrix.abs().max())
    if float((matrix - matrix.mT).abs().max()) > allowed:
        raise ValueError("covariance: the matrix is not symmetric")
    variances, basis = torch.linalg.eigh((matrix + matrix.mT) / 2)
    if float(variances.min()) < -allowed:
        raise ValueError(f"covariance: eigenvalue {float(variances.min()):.6g} is negative")
    return Covariance(variances.clamp_min(0), basis)
