"""Distances between densities on the line given as curves on grids of their own: to rounding, without samples.

W2 compares quantile functions between neighbouring values that either distribution function takes at its nodes; there
both are smooth, however far the modes of the laws are apart. The upper half of the probabilities is counted from the
right, so that neither tail loses digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ams.grid_function import GridFunction, Primitive

_FINER = 4  # than the grid that carries a density, for its quantiles
_TAIL = 1e-14  # the probability left out of W2 on either side
_EXPONENT = 40.0  # nats below the maximum at which a target's tail is left out of KL
_POINTS = 6  # of Gauss's rule between neighbouring probabilities


def line_w2(one: GridFunction, other: GridFunction) -> float:
    """Return the Wasserstein-2 distance `(int_0^1 (F^-1(u) - G^-1(u))^2 du)^(1/2)`, in the unit of the line.

    Absolute error about 1e-10, where the densities are right to rounding.
    """
    halves = [(one, other), (_mirrored(one), _mirrored(other))]
    return math.sqrt(sum(_lower_half(*(c.normalised().refined(_FINER).primitive() for c in pair)) for pair in halves))


def line_kl(law: GridFunction, target: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return `KL(law || target)` in nats, from the target's normalised log-density.

    `int q (t log t - t + 1) dx` with `t = p / q`: no term is negative, and where the laws are close nothing cancels.
    Beyond the law's grid `t` is taken to stay what it is at the end.
    """
    p = law.normalised()
    beyond = _beyond(p, target)
    nodes = p.first + p.spacing * np.arange(-beyond, len(p.values) + beyond)
    log_q = target(nodes)
    at_ends = np.maximum(p.values, 1e-300)
    excess = np.pad(np.log(at_ends) - log_q[beyond : beyond + len(at_ends)], beyond, mode="edge")
    return float(np.sum(_relative_entropy(excess, log_q))) * p.spacing


def _beyond(p: GridFunction, target: Callable[[np.ndarray], np.ndarray]) -> int:
    """Return how many more nodes on either side hold the target too."""
    top, count = float(target(p.nodes).max()), 0
    while True:
        reach = p.spacing * count
        if target(np.array([p.first - reach, p.nodes[-1] + reach])).max() < top - _EXPONENT:
            return count
        count = max(2 * count, len(p.values) // 8 + 1)


def _relative_entropy(excess: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """Return `q (t log t - t + 1)` for `log t = excess`, without overflow where t is large."""
    near = np.abs(excess) < 1.0
    small = np.exp(log_q) * _entropy(np.expm1(np.where(near, excess, 0.0)))
    p = np.exp(log_q + excess)
    terms: np.ndarray = np.where(near, small, p * excess - p + np.exp(log_q))
    return terms


def line_tv(one: GridFunction, target: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the total variation `int |p - q| / 2` to a normalised log-density, in [0, 1]."""
    p = one.normalised()
    q = np.exp(target(p.nodes))
    difference = p.values - q
    return p.with_values(np.ones_like(q)).modulus(difference) / 2


def half_line(law: GridFunction, end: float = 0.0) -> float:
    """Return the probability of the half line left of `end`."""
    primitive = law.normalised().refined(_FINER).primitive()
    return float(primitive.at(np.array(end)))


def _entropy(r: np.ndarray) -> np.ndarray:
    """Return `(1 + r) log(1 + r) - r`, by its series where that cancels."""
    small = np.abs(r) < 1e-3
    tiny = np.where(small, r, 0.0)
    series = tiny * tiny / 2 * (1 - tiny / 3 * (1 - tiny / 2 * (1 - 3 * tiny / 5 * (1 - 2 * tiny / 3))))
    return np.where(small, series, (1 + r) * np.log1p(r) - r)


def _mirrored(curve: GridFunction) -> GridFunction:
    last = curve.first + curve.spacing * (len(curve.values) - 1)
    return GridFunction(-last, curve.spacing, curve.values[::-1])


def _lower_half(one: Primitive, other: Primitive) -> float:
    """Return `int_0^(1/2) (F^-1(u) - G^-1(u))^2 du`."""
    inner = np.concatenate([one.values, other.values])
    ends = np.unique(np.concatenate([[_TAIL, 0.5], inner[(inner > _TAIL) & (inner < 0.5)]]))
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    width = np.diff(ends)
    u = ends[:-1, None] + width[:, None] * (nodes + 1) / 2
    gap = one.inverse(u) - other.inverse(u)
    return float(np.sum(width[:, None] / 2 * weights * gap**2))
