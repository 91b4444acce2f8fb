r"""Closed forms of constant momentum on a Gaussian: stability, contraction per step, stationary
variance.

With `u = a lam`, `c = (1 + b)^2` and `k = u c (1 - b)` the transition's characteristic polynomial
is heavy ball's, `r^2 - (1 + b - k) r + b`. Arguments are numbers, arrays or SymPy expressions,
unless a docstring says otherwise.
"""

from typing import TypeVar

import numpy as np
from scipy.optimize import brentq

Real = TypeVar("Real", float, np.ndarray)


def stability_bound(beta: Real) -> Real:
    """Return the largest stable `u`, `2 / (1 - b^2)` (claim G1)."""
    return 2.0 / (1.0 - beta**2)


def random_parameters(points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(u, b)` at random: b in [0, 0.95], u in 1 % to 95 % of the stable range."""
    generator = np.random.default_rng(seed)
    beta = generator.uniform(0.0, 0.95, points)
    return generator.uniform(0.01, 0.95, points) * stability_bound(beta), beta


def contraction(u: Real, beta: Real | float) -> Real:
    """Return the spectral radius per step of numbers or arrays (claim G2): `sqrt b` where the roots
    are complex.

    Elsewhere `(|1 + b - k| + sqrt((1 + b - k)^2 - 4b)) / 2`.
    """
    trace = 1 + beta - u * (1 + beta) ** 2 * (1 - beta)
    discriminant = trace**2 - 4 * beta
    real = (np.abs(trace) + np.sqrt(np.maximum(discriminant, 0.0))) / 2
    return np.where(discriminant < 0.0, np.sqrt(beta), real)


def step_at_best(root: Real) -> Real:
    """Return the `u` at which `b = q^2` contracts fastest, q = `root`: `(1 - q) / ((1 + q)(1 +
    q^2)^2)`.
    """
    return (1 - root) / ((1 + root) * (1 + root**2) ** 2)


def best_momentum(u: float) -> float:
    """Return the `b` that contracts fastest at `0 < u < 1`: the root of `u c (1 + sqrt b) = 1 -
    sqrt b`.
    """
    return float(brentq(lambda root: step_at_best(root) - u, 0.0, 1.0, xtol=1e-16, rtol=1e-15)) ** 2


def variance_ratio(u: Real, beta: Real | float) -> Real:
    """Return `lam Var x = 2 (1 - b + 2 u b (1 + b)) / ((1 - b) c (2 - u (1 - b^2)))` (claim G3)."""
    c = (1 + beta) ** 2
    return 2 * (1 - beta + 2 * u * beta * (1 + beta)) / ((1 - beta) * c * (2 - u * (1 - beta**2)))


def corrected_variance(u: Real, beta: Real) -> Real:
    """Return `lam Var x = (1 - b^2 + 2bu) / ((1 - b^2) - u (1-b)^2 / 2)` with the noise scaled like
    the drift (G7).

    `u = a c lam`.
    """
    return (1 - beta**2 + 2 * beta * u) / ((1 - beta**2) - u * (1 - beta) ** 2 / 2)


def largest_step(beta: Real) -> Real:
    """Return the `u` at which `lam Var x` is 2; the variance grows with u."""
    c = (1 + beta) ** 2
    return (
        2 * (1 - beta) * (2 * c - 1) / (4 * beta * (1 + beta) + 2 * (1 - beta) * c * (1 - beta**2))
    )


def best_loss(condition: float) -> float:
    """Return the largest `1 - r` of the slowest direction where every `lam Var x` is at most 2."""
    beta = np.linspace(0.0, 1.0, 20_001)[:-1]
    stiffest = largest_step(beta)
    return float(
        (1 - np.maximum(contraction(stiffest / condition, beta), contraction(stiffest, beta))).max()
    )
