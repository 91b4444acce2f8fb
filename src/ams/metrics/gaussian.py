"""Distances between Gaussian laws in closed form, arranged so that nothing cancels where the laws are close.

Two laws with commuting covariances are compared direction by direction: a value per *distinct* direction of an
eigenbasis that both share, and how often each occurs. In general position, covariances are matrices.
Sources: Dowson and Landau (1982) for W2, Kullback (1959) for KL, Heusel et al. (arXiv 1706.08500) for the
Frechet distance of features.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from ams.targets.base import ArrayLike, as_float

_ROUNDING = 1e-6  # of the largest eigenvalue: negative ones below it are a singular matrix's rounding


def gaussian_w2(
    mean: ArrayLike,
    variance: ArrayLike,
    target_mean: ArrayLike,
    target_variance: ArrayLike,
    multiplicity: ArrayLike = 1.0,
) -> float:
    """Return the Wasserstein-2 distance of two Gaussians with commuting covariances, in the unit of the samples.

    `W2^2 = sum_i n_i ((m_i - m'_i)^2 + (sqrt v_i - sqrt v'_i)^2)` over the distinct directions; `sqrt v - sqrt v'`
    is taken as `(v - v') / (sqrt v + sqrt v')`. Arguments broadcast. Raises ValueError for a negative variance.
    """
    m, v, tm, tv, n = _directions(mean, variance, target_mean, target_variance, multiplicity)
    total = v.sqrt() + tv.sqrt()
    spread = torch.where(total > 0, (v - tv) / total, 0.0)
    return math.sqrt(float((n * ((m - tm).square() + spread.square())).sum()))


def gaussian_kl(
    mean: ArrayLike,
    variance: ArrayLike,
    target_mean: ArrayLike,
    target_variance: ArrayLike,
    multiplicity: ArrayLike = 1.0,
) -> float:
    """Return `KL(law || target)` of two Gaussians with commuting covariances, in nats.

    `sum_i n_i (u_i - log(1 + u_i) + (m_i - m'_i)^2 / v'_i) / 2` with `u = (v - v') / v'`: the relative error stays
    near `1e-16 / u`. Infinite where a direction of the law has no variance. Arguments broadcast. Raises ValueError
    for a negative variance or a target's variance of zero.
    """
    m, v, tm, tv, n = _directions(mean, variance, target_mean, target_variance, multiplicity)
    if not bool((tv > 0).all()):
        raise ValueError("gaussian_kl: a variance of the target is zero")
    u = (v - tv) / tv
    return float((n * (u - u.log1p() + (m - tm).square() / tv)).sum()) / 2


def gaussian_w2_full(
    mean: ArrayLike, covariance: ArrayLike, target_mean: ArrayLike, target_covariance: ArrayLike
) -> float:
    """Return the Wasserstein-2 distance of `N(m, C)` and `N(m', C')`, in the unit of the samples.

    `W2^2 = |m - m'|^2 + min_U |A - B U|^2` over orthogonal U, `A A^T = C`, `B B^T = C'` (Frobenius norms): equal to
    `tr(C + C' - 2 (C^(1/2) C' C^(1/2))^(1/2))`, without its cancellation. `U = P Q^T` for `B^T A = P S Q^T`.
    Means `(d,)`, covariances `(d, d)`. Raises ValueError for a covariance that is not symmetric semidefinite.
    """
    return math.sqrt(_w2_squared(_double(mean) - _double(target_mean), _root(covariance), _root(target_covariance)))


def _w2_squared(shift: Float[Tensor, " d"], a: Float[Tensor, "d r"], b: Float[Tensor, "d r"]) -> float:
    """Return `|shift|^2 + min_U |A - B U|^2` over orthogonal U."""
    left, _, right = torch.linalg.svd(b.mT @ a)
    return float(shift.square().sum() + (a - b @ (left @ right)).square().sum())


def gaussian_kl_full(
    mean: ArrayLike, covariance: ArrayLike, target_mean: ArrayLike, target_covariance: ArrayLike
) -> float:
    """Return `KL(N(m, C) || N(m', C'))` in nats.

    With `C' = L L^T` and `u` the eigenvalues of `L^-1 (C - C') L^-T`:
    `(sum_i (u_i - log(1 + u_i)) + |L^-1 (m - m')|^2) / 2`. Infinite where C is singular. Means `(d,)`, covariances
    `(d, d)`. Raises ValueError where C' is not positive definite.
    """
    c, tc = _double(covariance), _double(target_covariance)
    factor, failed = torch.linalg.cholesky_ex(tc)
    if int(failed):
        raise ValueError("gaussian_kl_full: the target's covariance is not positive definite")
    half = torch.linalg.solve_triangular(factor, c - tc, upper=False)
    u = torch.linalg.eigvalsh(torch.linalg.solve_triangular(factor, half.mT, upper=False)).clamp_min(-1)
    shift = (_double(mean) - _double(target_mean)).unsqueeze(1)
    white = torch.linalg.solve_triangular(factor, shift, upper=False)
    return float((u - u.log1p()).sum() + white.square().sum()) / 2


def frechet_distance(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> float:
    """Return the squared W2 distance of the Gaussians fitted to two samples of features (unit: squared).

    Means and unbiased covariances, as the FID takes them. It is biased upwards, by an amount that falls as
    1/n: compare only equal sample sizes. Raises ValueError for fewer than two samples.
    """
    if min(len(x), len(y)) < 2:
        raise ValueError(f"frechet_distance: at least two samples each are needed, got {len(x)} and {len(y)}")
    x, y = _double(x), _double(y)
    rank = max(len(x), len(y))
    if rank < x.shape[1]:  # the centred samples themselves are a root of their covariance, and the smaller one
        roots = [
            pad((sample - sample.mean(0)).mT / math.sqrt(len(sample) - 1), (0, rank - len(sample))) for sample in (x, y)
        ]
    else:
        roots = [_root(torch.atleast_2d(sample.mT.cov())) for sample in (x, y)]
    return _w2_squared(x.mean(0) - y.mean(0), *roots)


def _double(value: ArrayLike) -> Tensor:
    """Return the value as a float64 tensor."""
    return as_float(value).double()


def _directions(*values: ArrayLike) -> tuple[Tensor, ...]:
    """Return mean, variance, target's mean and variance, multiplicity, broadcast; ValueError where v < 0."""
    tensors: tuple[Tensor, ...] = torch.broadcast_tensors(*(torch.atleast_1d(_double(value)) for value in values))
    if bool((tensors[1] < 0).any()) or bool((tensors[3] < 0).any()):
        raise ValueError("a variance is negative")
    return tensors


def _root(covariance: ArrayLike) -> Float[Tensor, "d d"]:
    """Return `A = Q diag(v)^(1/2)` with `A A^T = C`; ValueError unless C is symmetric semidefinite."""
    matrix = _double(covariance)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a covariance has shape {tuple(matrix.shape)}, not (d, d)")
    allowed = _ROUNDING * float(matrix.abs().max())
    if not float((matrix - matrix.mT).abs().max()) <= allowed:
        raise ValueError("a covariance is not symmetric, or not finite")
    variances, basis = torch.linalg.eigh((matrix + matrix.mT) / 2)
    if float(variances.min()) < -allowed:
        raise ValueError(f"a covariance has a negative eigenvalue, {float(variances.min()):.6g}")
    root: Tensor = basis * variances.clamp_min(0).sqrt()
    return root
