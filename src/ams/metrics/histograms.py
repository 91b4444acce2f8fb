"""The total variation distance of histograms."""

import math

from torch import Tensor

from ams.targets.base import ArrayLike, as_float


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Return `sum_i |p_i - q_i| / 2` of two histograms, in [0, 1]; counts or probabilities are normalised first.

    As an estimate of the distance of the distributions it is biased upwards. Raises ValueError for histograms of
    different shapes, a negative entry or a total that is not positive and finite.
    """
    first, second = as_float(p).double(), as_float(q).double()
    if first.shape != second.shape:
        raise ValueError(f"histograms of different shapes: {tuple(first.shape)} and {tuple(second.shape)}")
    return float((_normalised(first) - _normalised(second)).abs().sum()) / 2


def _normalised(histogram: Tensor) -> Tensor:
    total = float(histogram.sum())
    if not (bool((histogram >= 0).all()) and 0 < total < math.inf):
        raise ValueError("a histogram needs non-negative entries and a positive, finite total")
    return histogram / total
