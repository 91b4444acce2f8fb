r"""A5, the theory: how far the damping of a finite batch strays from the mean field, by linearisation.

Isotropic target in d dimensions, B independent samples. A sample's state `v = (x, m, s)` follows `v' = T(b) v + q z`,
with covariance P in the mean field; the damping reads two norms of it, of `g = s_t - s_{t-1}` and of `h = m_{t-1}`.
To first order in the fluctuations

    d beta_t = g' (l . dP_t + xi_t),      dP_{t+1} = (T x T) dP_t + W d beta_t,      W = T' P T^t + T P T'^t,

where `g' = d beta / d log rho`, `l . dP` is the change of `log rho` with the covariance (norms are as standard
deviations) and `xi_t` the sampling error of `log rho`. Its autocovariance is `C_k / B`, from Gaussian vectors with
correlation r, for which `E|g||h| = E|g| E|h| F(-1/2, -1/2; d/2; r^2)` (Gauss's function). So `d beta` is filtered
noise: `sd(beta) sqrt B = K`, `K^2 = sum_jk h_j h_k C_{j-k}`, and for large d, where `F - 1 -> r^2/2d`, `K sqrt d` is
constant: what counts is the number of coordinates, B d. The recursion's derivative `(T x T) + W g' l` also says
whether the fixed point attracts (P1a).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import sympy as sp
from scipy.special import hyp2f1

from ams.laws.symbolic import a, b, lam, m, s, symbolic_step, transition, x, z
from ams.samplers import State, constant, critical_momentum, momentum, momentum_rule
from analysis.adaptive.fixed_point import stationary_damping, stationary_ratio

_VECTORS = ["x", "m", "s"]
_CHANGE, _MOMENTUM = np.array([-1.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0])  # of the state, at lam = 1


@cache
def _numeric() -> tuple[Callable[..., np.ndarray], ...]:
    """Return the step's transition, its derivative in b and its noise, as functions of (a, b) at `lam = 1`."""
    after = symbolic_step(momentum(momentum_rule(constant(b))), State(x, m, s))
    matrix, spread = transition(after, [x, m, s], _VECTORS), transition(after, [z], _VECTORS)
    return tuple(sp.lambdify((a, b), part.subs(lam, 1)) for part in (matrix, matrix.diff(b), spread))


class Linearised(NamedTuple):
    """The mean field at its fixed point: T (3, 3), P (3, 3), the slope g', W (9,), l (9,), and the jacobian (9, 9)."""

    transition: np.ndarray
    covariance: np.ndarray
    slope: float
    response: np.ndarray
    reading: np.ndarray
    jacobian: np.ndarray


def linearised(u: float) -> Linearised:
    """Return the mean-field recursion linearised at the fixed point of `0 < u < 1/2`."""
    beta = stationary_damping(u)
    matrix, derivative, spread = (np.array(part(u, beta), dtype=float) for part in _numeric())
    source = (spread @ spread.T).ravel()
    covariance = np.linalg.solve(np.eye(9) - np.kron(matrix, matrix), source).reshape(3, 3)
    change, average = (row @ covariance @ row for row in (_CHANGE, _MOMENTUM))
    reading = (np.outer(_CHANGE, _CHANGE) / change - np.outer(_MOMENTUM, _MOMENTUM) / average).ravel() / 2
    response = (derivative @ covariance @ matrix.T + matrix @ covariance @ derivative.T).ravel()
    slope = _slope(stationary_ratio(u, beta))
    jacobian = np.kron(matrix, matrix) + slope * np.outer(response, reading)
    return Linearised(matrix, covariance, slope, response, reading, jacobian)


@cache
def _derivative() -> Callable[[float], float]:
    rho = sp.Symbol("rho", positive=True)
    return sp.lambdify(rho, rho * sp.diff(critical_momentum(rho), rho))


def _slope(rho: float) -> float:
    """Return `d beta / d log rho` of the rule."""
    return float(_derivative()(rho))


def fluctuation(u: float, dimension: float, lags: int = 400) -> float:
    """Return K, `sd(beta) sqrt B` of a large batch B in `dimension` dimensions; infinite: the limit of `K sqrt d`.

    `lags` steps must cover the memory of the linearised recursion: 400 do for u >= 0.01, to 1e-9.
    """
    field = linearised(u)
    kernel = _impulse(field, lags)
    weights = np.correlate(kernel, kernel, "full")[lags - 1 :]
    noise = _autocovariance(field, dimension, lags)
    return float(np.sqrt(weights[0] * noise[0] + 2 * weights[1:] @ noise[1:]))


def _impulse(field: Linearised, lags: int) -> np.ndarray:
    """Return `h_k`, what a sampling error does to the damping k steps later."""
    kernel, carried = [field.slope], field.response * field.slope
    for _ in range(lags - 1):
        kernel.append(field.slope * float(field.reading @ carried))
        carried = field.jacobian @ carried
    return np.array(kernel)


def _autocovariance(field: Linearised, dimension: float, lags: int) -> np.ndarray:
    """Return `C_k` of one sample's `|g|/E|g| - |h|/E|h|`, k steps apart."""
    rows = np.stack([_CHANGE, _MOMENTUM])
    scale = np.sqrt(np.einsum("ri,ij,rj->r", rows, field.covariance, rows))
    power, found = np.eye(3), []
    for _ in range(lags):
        correlation = rows @ power @ field.covariance @ rows.T / np.outer(scale, scale)
        excess = norm_product(correlation, dimension)
        found.append(excess[0, 0] - excess[0, 1] - excess[1, 0] + excess[1, 1])
        power = field.transition @ power
    return np.array(found)


def norm_product(correlation: np.ndarray, dimension: float) -> np.ndarray:
    """Return `E|g||h| / (E|g| E|h|) - 1` of Gaussian vectors whose coordinates correlate by r, pairwise.

    For an infinite dimension its limit times d, `r^2 / 2`. From 16 dimensions on, Gauss's series: its terms shrink
    geometrically, and SciPy's function fails near r = 1 there.
    """
    squared = np.clip(correlation, -1.0, 1.0) ** 2
    if np.isinf(dimension):
        return squared / 2
    if dimension < 16:
        return hyp2f1(-0.5, -0.5, dimension / 2, squared) - 1
    k = np.arange(40).reshape(-1, *[1] * squared.ndim)
    return np.cumprod((k - 0.5) ** 2 / ((dimension / 2 + k) * (k + 1)) * squared, axis=0).sum(0)
