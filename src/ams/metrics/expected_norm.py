"""The expected norm of a Gaussian vector, `E|r e + sigma z|`, `z ~ N(0, I_d)`, `e` a unit vector: for any d.

It is `sigma sqrt(2) Gamma((d+1)/2) / Gamma(d/2) 1F1(-1/2; d/2; -r^2 / (2 sigma^2))`, but 1F1 overflows from some
hundred dimensions on. With `q = r^2 + d sigma^2`, the mean square, the norm is `sqrt q` times a function of d and of
`y = r^2 / q` in [0, 1] alone, smooth and close to 1. It is computed once a dimension, at Chebyshev nodes, by an
integral without cancellation, and interpolated: some ten multiplications a value where d is large.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import Chebyshev
from torch import Tensor

_STEP = 0.25  # of the trapezoidal rule: its error is about exp(-pi^2 / step) = 1e-17
_END = 80.0  # beyond it the integrand is below exp(-40)
_ACCURACY = 1e-13  # relative, of the interpolant
_LARGEST_DEGREE = 1024


def expected_norm(distance: Float[Tensor, "*any"], sigma: float, dimension: int) -> Float[Tensor, "*any"]:
    """Return `E|r e + sigma z|` for every distance `r >= 0`, in float64, to about 1e-13 relative.

    Same unit as `r` and `sigma`. Raises ValueError for a negative sigma or a dimension below 1.
    """
    if not (sigma >= 0 and dimension >= 1):
        raise ValueError(f"expected_norm: sigma >= 0 and dimension >= 1 are needed, got {sigma}, {dimension}")
    square = distance.double().square()
    mean_square = square + dimension * sigma**2
    position = torch.where(mean_square > 0, square / mean_square, 1.0)
    return mean_square.sqrt_().mul_(_clenshaw(_coefficients(dimension), position.mul_(2).sub_(1)))


@lru_cache
def _coefficients(dimension: int) -> tuple[float, ...]:
    """Return the Chebyshev coefficients of the ratio on [0, 1], the degree doubled until they fade."""
    degree = 8
    while True:
        found = Chebyshev.interpolate(lambda y: _ratio(y, dimension), degree, domain=(0, 1)).coef
        if np.abs(found[-3:]).max() < _ACCURACY / 10 or degree == _LARGEST_DEGREE:
            significant = np.flatnonzero(np.abs(found) > _ACCURACY / 100)
            return tuple(found[: significant[-1] + 1])
        degree *= 2


def _ratio(y: np.ndarray, d: int) -> np.ndarray:
    """Return `E sqrt(Q)` for `Q = |r e + sigma z|^2` of mean 1: `r^2 = y`, `sigma^2 = (1 - y) / d`.

    `sqrt Q = int_0^inf (1 - exp(-t Q)) t^(-3/2) dt / (2 sqrt pi)` and
    `E exp(-t Q) = (1 + 2 sigma^2 t)^(-d/2) exp(-r^2 t / (1 + 2 sigma^2 t))`; substituted `t = exp(w)`, the trapezoidal
    rule converges exponentially, and no term is negative.
    """
    w = np.arange(-_END, _END + _STEP / 2, _STEP)
    square, noise = y[:, None], 2 * (1 - y[:, None]) / d * np.exp(w)
    gone = -np.expm1(-d / 2 * np.log1p(noise) - square * np.exp(w) / (1 + noise))
    norms: np.ndarray = (gone * np.exp(-w / 2)).sum(1) * _STEP / (2 * math.sqrt(math.pi))
    return norms


def _clenshaw(coefficients: tuple[float, ...], z: Tensor) -> Tensor:
    """Return the Chebyshev series at `z` in [-1, 1]."""
    ahead, further = torch.zeros_like(z), torch.zeros_like(z)
    for coefficient in coefficients[:0:-1]:
        ahead, further = 2 * z * ahead - further + coefficient, ahead
    return z * ahead - further + coefficients[0]
