"""Distances that need no optimisation: W2 on the line, and total variation of histograms."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ams.targets.base import ArrayLike, as_float


def w2_1d(x: Float[Tensor, " n"], y: Float[Tensor, " m"]) -> float:
    """Return the Wasserstein-2 distance of two samples on the line, exactly, in their unit.

    `W2^2 = int_0^1 (F^-1(q) - G^-1(q))^2 dq` over the pieces on which both quantile functions are constant; their
    ends, multiples of 1/n and 1/m, are counted in integers. As an estimate of the distance of the laws it is
    biased upwards. Raises ValueError for an empty sample, one that is not flat, or a value that is not finite.
    """
    x, y = _sorted(x), _sorted(y)
    n, m = len(x), len(y)
    ends = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    widths = ends.diff(prepend=ends.new_zeros(1))
    gaps = x[(ends - 1) // m] - y[(ends - 1) // n]
    return math.sqrt(float((widths * gaps.square()).sum()) / (n * m))


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Return `sum_i |p_i - q_i| / 2` of two histograms (counts or probabilities, each normalised), in [0, 1].

    As an estimate of the distance of the laws it is biased upwards. Raises ValueError for histograms of different
    shapes, a negative entry or a total that is not positive.
    """
    first, second = as_float(p).double(), as_float(q).double()
    if first.shape != second.shape:
        raise ValueError(f"histograms of different shapes: {tuple(first.shape)} and {tuple(second.shape)}")
    return float((_normalised(first) - _normalised(second)).abs().sum()) / 2


def _sorted(sample: ArrayLike) -> Float[Tensor, " n"]:
    """Return the sample in ascending order, in float64; ValueError where it is none."""
    values = as_float(sample).double().cpu()
    if values.ndim != 1 or len(values) == 0 or not bool(torch.isfinite(values).all()):
        raise ValueError(f"w2_1d: finite values of shape (n,) are needed, n > 0; got shape {tuple(values.shape)}")
    return values.sort().values


def _normalised(histogram: Tensor) -> Tensor:
    """Return the histogram over its sum; ValueError where that is no distribution."""
    total = float(histogram.sum())
    if not (bool((histogram >= 0).all()) and 0 < total < math.inf):
        raise ValueError("a histogram needs non-negative entries and a positive, finite total")
    return histogram / total
