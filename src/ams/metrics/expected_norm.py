"""The expected norm of an isotropic Gaussian vector, `E|r e + sigma z|`, `z ~ N(0, I_d)`, `e` a
unit vector.

It equals `sigma sqrt(2) Gamma((d+1)/2) / Gamma(d/2) 1F1(-1/2; d/2; -r^2 / (2 sigma^2))`, but 1F1
overflows from some hundred dimensions on. Let `q = r^2 + d sigma^2` be the mean square. The norm is
`sqrt q` times a smooth function of d and `y = r^2 / q` in [0, 1]. For each d this function is
computed at Chebyshev nodes by an integral without cancellation, and interpolated.
`ams.laws.expected_norm` has unequal variances; this module has many distances r at once.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import Chebyshev
from torch import Tensor

_STEP = 0.25  # of the trapezoidal rule, whose error is about exp(-pi^2 / step) = 1e-17
_END = 80.0  # where the integrand is below exp(-40)
_ACCURACY = 1e-13  # relative, of the interpolant
_LARGEST_DEGREE = 1024


def expected_norm(
    distance: Float[Tensor, "*any"], sigma: float, dimension: int
) -> Float[Tensor, "*any"]:
    """Return `E|r e + sigma z|` for every distance `r >= 0`, in float64 and in the unit of r and
    sigma.

    The relative error is about 1e-13. Raises ValueError for a negative sigma or a dimension below
    1.
    """
    if not (sigma >= 0 and dimension >= 1):
        raise ValueError(
            f"expected_norm: sigma >= 0 and dimension >= 1 are needed, got {sigma}, {dimension}"
        )
    square = distance.double().square()
    mean_square = square + dimension * sigma**2
    position = torch.where(mean_square > 0, square / mean_square, 1.0)
    return mean_square.sqrt_().mul_(_clenshaw(_coefficients(dimension), position.mul_(2).sub_(1)))


@lru_cache
def _coefficients(dimension: int) -> tuple[float, ...]:
    """Return the significant Chebyshev coefficients of the ratio on [0, 1], by doubling the
    degree.
    """
    degree = 8
    while True:
        coefficients = Chebyshev.interpolate(
            lambda y: _ratio(y, dimension), degree, domain=(0, 1)
        ).coef
        if np.abs(coefficients[-3:]).max() < _ACCURACY / 10 or degree == _LARGEST_DEGREE:
            significant = np.flatnonzero(np.abs(coefficients) > _ACCURACY / 100)
            return tuple(coefficients[: significant[-1] + 1])
        degree *= 2


def _ratio(y: np.ndarray, d: int) -> np.ndarray:
    """Return `E sqrt(Q)` for `Q = |r e + sigma z|^2` with mean 1: `r^2 = y`, `sigma^2 = (1 - y) /
    d`.

    `sqrt Q = int_0^inf (1 - exp(-t Q)) t^(-3/2) dt / (2 sqrt pi)` and `E exp(-t Q) = (1 + 2 sigma^2
    t)^(-d/2) exp(-r^2 t / (1 + 2 sigma^2 t))`. With `t = exp(w)` the trapezoidal rule converges
    exponentially, and no term is negative.
    """
    w = np.arange(-_END, _END + _STEP / 2, _STEP)
    square, noise = y[:, None], 2 * (1 - y[:, None]) / d * np.exp(w)
    complement = -np.expm1(-d / 2 * np.log1p(noise) - square * np.exp(w) / (1 + noise))
    return (complement * np.exp(-w / 2)).sum(1) * _STEP / (2 * math.sqrt(math.pi))


def _clenshaw(coefficients: tuple[float, ...], z: Tensor) -> Tensor:
    """Return the value of the Chebyshev series at `z` in [-1, 1]."""
    ahead, further = torch.zeros_like(z), torch.zeros_like(z)
    for coefficient in coefficients[:0:-1]:
        ahead, further = 2 * z * ahead - further + coefficient, ahead
    return z * ahead - further + coefficients[0]
