r"""Adaptive momentum's stationary distribution on an isotropic Gaussian, in the mean field (batch to infinity).

The stationary momentum coefficient solves

    rho = (1 + b) sqrt(2 u (1 + u b (1 + b))),   b = ((1 - rho) / (1 + rho))^2,

free of dimension, and the distribution is that of constant momentum at that `b` (claim A2).
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from ams.samplers import critical_momentum
from analysis.momentum.closed_forms import Real, variance_ratio


def random_steps(points: int, seed: int) -> np.ndarray:
    """Return random `u`, log-uniform in [1e-4, 1/2]."""
    return np.exp(np.random.default_rng(seed).uniform(math.log(1e-4), math.log(0.5), points))


def stationary_ratio(u: Real | float, beta: Real) -> Real:
    """Return A2's `rho = (1 + b) sqrt(2 u (1 + u b (1 + b)))`."""
    return (1 + beta) * np.sqrt(2 * u * (1 + u * beta * (1 + beta)))


def stationary_momentum(u: float) -> float:
    """Return A2's fixed point `b(u)` for 0 < u <= 1/2, by Brent's method."""
    return _fixed_point(lambda beta: stationary_ratio(u, beta))


def corrector_momentum(snr: float) -> float:
    """Return the stationary `b` of the adaptive corrector at one noise level: A2 and A6 together."""
    return _fixed_point(lambda beta: stationary_ratio(step_of_snr(snr, beta), beta))


def _fixed_point(ratio: Callable[[float], float]) -> float:
    return float(brentq(lambda beta: critical_momentum(ratio(beta)) - beta, 0.0, 1.0, xtol=1e-16, rtol=1e-15))


def step_of(root: np.ndarray) -> np.ndarray:
    """Return the `u` at which `b = root^2` is the fixed point: positive, of `2u(1 + u b(1+b)) = rho^2 / (1+b)^2`."""
    beta = root**2
    half, right = beta * (1 + beta), ((1 - root) / (1 + root) / (1 + beta)) ** 2
    return right / (1 + np.sqrt(1 + 2 * half * right))


def unbiased_step() -> float:
    """Return the one step `u` at which adaptive momentum's stationary variance is the target's."""
    return float(brentq(lambda u: variance_ratio(u, stationary_momentum(u)) - 1.0, 0.1, 0.3, xtol=1e-14))


def step_of_snr(snr: Real | float, beta: Real) -> Real:
    """Return A6's `u = 2 snr^2 c / (1 + snr^2 c (1 - b^2))`."""
    c = (1 + beta) ** 2
    return 2 * snr**2 * c / (1 + snr**2 * c * (1 - beta**2))
