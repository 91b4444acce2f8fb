"""Distances between Gaussian distributions in closed form, without cancellation for close
distributions.

Gaussians with commuting covariances have a common eigenbasis and are compared direction by
direction. Arguments have a value for each distinct direction, and `multiplicity` counts how often
it occurs. Sources: Dowson and Landau (1982) for W2, Kullback (1959) for KL, Heusel et al. (arXiv
1706.08500) for the Frechet distance of features.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from ams.targets.base import ArrayLike, as_float


def gaussian_w2(
    mean: ArrayLike,
    variance: ArrayLike,
    target_mean: ArrayLike,
    target_variance: ArrayLike,
    multiplicity: ArrayLike = 1.0,
) -> float:
    """Return the Wasserstein-2 distance of two Gaussians with commuting covariances, in the unit of
    the samples.

    `W2^2 = sum_i n_i ((m_i - m'_i)^2 + (sqrt v_i - sqrt v'_i)^2)`, where `sqrt v - sqrt v'` is
    computed as `(v - v') / (sqrt v + sqrt v')`. Arguments broadcast. Raises ValueError for a
    negative variance.
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
    """Return `KL(N(mean, variance) || target)` of two Gaussians with commuting covariances, in
    nats.

    It is `sum_i n_i (u_i - log(1 + u_i) + (m_i - m'_i)^2 / v'_i) / 2` with `u = (v - v') / v'`,
    whose relative error is about `1e-16 / u`. It is infinite for a variance of 0. Arguments
    broadcast. Raises ValueError for a negative variance and for a target's variance of 0.
    """
    m, v, tm, tv, n = _directions(mean, variance, target_mean, target_variance, multiplicity)
    if not bool((tv > 0).all()):
        raise ValueError("gaussian_kl: a variance of the target is zero")
    u = (v - tv) / tv
    return float((n * (u - u.log1p() + (m - tm).square() / tv)).sum()) / 2


def _w2_squared(
    shift: Float[Tensor, " d"], a: Float[Tensor, "d r"], b: Float[Tensor, "d r"]
) -> float:
    """Return the squared W2 distance of two Gaussians with means `shift` apart and covariances `A
    A^T`, `B B^T`.

    It is `|shift|^2 + min_U |A - B U|^2` over orthogonal U. The minimum has `U = P Q^T` for the
    singular value decomposition `B^T A = P S Q^T`, and equals the textbook's trace formula without
    its cancellation.
    """
    left, _, right = torch.linalg.svd(b.mT @ a)
    return float(shift.square().sum() + (a - b @ (left @ right)).square().sum())


class Moments(NamedTuple):
    """Mean and unbiased covariance of features."""

    mean: Float[Tensor, " d"]
    covariance: Float[Tensor, "d d"]


def moments(blocks: Iterable[Float[Tensor, "n d"]]) -> Moments:
    """Return the moments of features that come in blocks, in one pass and float64.

    Sums are taken about the first block's mean, so that a mean far from zero cancels nothing.
    Raises ValueError for fewer than two samples and for a feature that is not finite.
    """
    count, origin, total, products = 0, None, torch.zeros(()), torch.zeros(())
    for block in blocks:
        x = block.double()
        origin = x.mean(0) if origin is None else origin
        x = x - origin
        count, total, products = count + len(x), total + x.sum(0), products + x.mT @ x
    if origin is None or count < 2:
        raise ValueError(f"moments: at least two samples are needed, got {count}")
    if not bool(products.isfinite().all()):
        raise ValueError("moments: a feature is not finite")
    shift = total / count
    return Moments(origin + shift, (products - count * torch.outer(shift, shift)) / (count - 1))


def frechet_of_moments(x: Moments, y: Moments) -> float:
    """Return the Frechet distance of two sets of features by their moments, as
    `frechet_distance`.
    """
    return _w2_squared(x.mean - y.mean, _root(x.covariance), _root(y.covariance))


def frechet_distance(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> float:
    """Return the Frechet distance of two sets of features: the squared W2 distance of Gaussians
    fitted to them.

    The Gaussians have the sets' means and unbiased covariances, as in the FID. The unit is that of
    the features, squared. The bias is positive and falls as 1/n, so that only sets of equal size
    are comparable. Raises ValueError for fewer than two samples and for a feature that is not
    finite.
    """
    if min(len(x), len(y)) < 2:
        raise ValueError(
            f"frechet_distance: at least two samples each are needed, got {len(x)} and {len(y)}"
        )
    x, y = x.double(), y.double()
    if not bool(x.isfinite().all() and y.isfinite().all()):
        raise ValueError("frechet_distance: a feature is not finite")
    rank = max(len(x), len(y))
    if rank < x.shape[1]:  # the centred samples are a root of their covariance, with fewer columns
        centred = ((sample - sample.mean(0)).mT / math.sqrt(len(sample) - 1) for sample in (x, y))
        roots = [pad(root, (0, rank - root.shape[1])) for root in centred]
        return _w2_squared(x.mean(0) - y.mean(0), *roots)
    return frechet_of_moments(moments([x]), moments([y]))


def _directions(*values: ArrayLike) -> tuple[Tensor, ...]:
    """Return the arguments broadcast, as float64 tensors. Raises ValueError for a negative
    variance.
    """
    tensors = torch.broadcast_tensors(
        *(torch.atleast_1d(as_float(value).double()) for value in values)
    )
    if bool((tensors[1] < 0).any()) or bool((tensors[3] < 0).any()):
        raise ValueError("a variance is negative")
    return tensors


def _root(covariance: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """Return `A = Q diag(v)^(1/2)` with `A A^T = C`."""
    variances, basis = torch.linalg.eigh((covariance + covariance.mT) / 2)
    return basis * variances.clamp_min(0).sqrt()
