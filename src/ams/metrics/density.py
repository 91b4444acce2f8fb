"""Distances between histograms, and between densities on grids on the line, without samples and
almost without error.

W2 integrates the difference of quantile functions between neighbouring values of the distribution
functions at their nodes. There both quantile functions are smooth, even for modes far apart. The
upper half of the probabilities is counted from the right, so that neither tail loses digits.
"""

import math
from collections.abc import Callable

import numpy as np
from torch import Tensor

from ams.grid_function import GridFunction, Primitive
from ams.targets.base import ArrayLike, as_float

_REFINEMENT = 4  # of a density's grid, for its quantiles
_TAIL = 1e-14  # the probability that W2 leaves out on either side
_EXPONENT = 40.0  # nats below its maximum: where KL leaves out a target's tail
_POINTS = 6  # of the Gauss-Legendre rule between neighbouring probabilities


def line_w2(one: GridFunction, other: GridFunction) -> float:
    """Return the Wasserstein-2 distance `(int_0^1 (F^-1(u) - G^-1(u))^2 du)^(1/2)`, in the unit of
    the line.

    The absolute error is about 1e-10 if the densities are exact to rounding. Both are normalised
    first.
    """
    halves = [(one, other), (_mirrored(one), _mirrored(other))]
    return math.sqrt(sum(_lower_half(*map(_distribution_function, pair)) for pair in halves))


def _distribution_function(density: GridFunction) -> Primitive:
    return density.normalised().refined(_REFINEMENT).primitive()


def line_kl(density: GridFunction, target: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return `KL(density || target)` in nats; `target` is a normalised log-density, `density` is
    normalised first.

    It is the integral of `q (t log t - t + 1)` with `t = p / q`, whose terms are not negative and
    do not cancel where p and q are close. Beyond the grid of p the ratio t is that at the end of
    the grid.
    """
    p = density.normalised()
    beyond = _beyond(p, target)
    nodes = p.first + p.spacing * np.arange(-beyond, len(p.values) + beyond)
    log_q = target(nodes)
    at_ends = np.maximum(p.values, 1e-300)
    excess = np.pad(np.log(at_ends) - log_q[beyond : beyond + len(at_ends)], beyond, mode="edge")
    return float(np.sum(_relative_entropy(excess, log_q))) * p.spacing


def _beyond(p: GridFunction, target: Callable[[np.ndarray], np.ndarray]) -> int:
    """Return the number of additional nodes on either side that cover the target."""
    top, count = float(target(p.nodes).max()), 0
    while True:
        length = p.spacing * count
        if target(np.array([p.first - length, p.nodes[-1] + length])).max() < top - _EXPONENT:
            return count
        count = max(2 * count, len(p.values) // 8 + 1)


def _relative_entropy(excess: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """Return `q (t log t - t + 1)` for `log t = excess`, without overflow for large t."""
    near = np.abs(excess) < 1.0
    small = np.exp(log_q) * _entropy(np.expm1(np.where(near, excess, 0.0)))
    p = np.exp(log_q + excess)
    return np.where(near, small, p * excess - p + np.exp(log_q))


def half_line(density: GridFunction, end: float = 0.0) -> float:
    """Return the probability of the half-line left of `end`; the density is normalised first."""
    return float(_distribution_function(density).at(np.array(end)))


def _entropy(r: np.ndarray) -> np.ndarray:
    """Return `(1 + r) log(1 + r) - r`, by its series for small r."""
    small = np.abs(r) < 1e-3
    tiny = np.where(small, r, 0.0)
    series = (
        tiny * tiny / 2 * (1 - tiny / 3 * (1 - tiny / 2 * (1 - 3 * tiny / 5 * (1 - 2 * tiny / 3))))
    )
    return np.where(small, series, (1 + r) * np.log1p(r) - r)


def _mirrored(density: GridFunction) -> GridFunction:
    return GridFunction(-density.nodes[-1], density.spacing, density.values[::-1])


def _lower_half(one: Primitive, other: Primitive) -> float:
    """Return `int_0^(1/2) (F^-1(u) - G^-1(u))^2 du`."""
    inner = np.concatenate([one.values, other.values])
    ends = np.unique(np.concatenate([[_TAIL, 0.5], inner[(inner > _TAIL) & (inner < 0.5)]]))
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    width = np.diff(ends)
    u = ends[:-1, None] + width[:, None] * (nodes + 1) / 2
    gap = one.inverse(u) - other.inverse(u)
    return float(np.sum(width[:, None] / 2 * weights * gap**2))


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Return `sum_i |p_i - q_i| / 2` of two histograms, in [0, 1]; counts or probabilities are
    normalised first.

    As an estimate of the distance of the distributions it is biased upwards. Raises ValueError for
    histograms of different shapes, a negative entry or a total that is not positive and finite.
    """
    first, second = as_float(p).double(), as_float(q).double()
    if first.shape != second.shape:
        raise ValueError(
            f"histograms of different shapes: {tuple(first.shape)} and {tuple(second.shape)}"
        )
    return float((_normalised(first) - _normalised(second)).abs().sum()) / 2


def _normalised(histogram: Tensor) -> Tensor:
    total = float(histogram.sum())
    if not (bool((histogram >= 0).all()) and 0 < total < math.inf):
        raise ValueError("a histogram needs non-negative entries and a positive, finite total")
    return histogram / total
