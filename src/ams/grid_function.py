"""Smooth functions on a uniform grid that are negligible at both ends, such as densities on the
line.

For these functions the trapezoidal rule and the Fourier series converge faster than any power of
the spacing (Trefethen and Weideman, SIAM Review 56, 2014). Integral, primitive, derivative and
refinement are therefore exact to rounding once the spacing resolves the function. Between nodes a
primitive is a polynomial of degree 5.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Inexact

_NEGLIGIBLE = 3e-16  # relative to the maximum: the rounding of a Fourier series
# relative to the largest Fourier coefficient: the highest ones of a function that its grid resolves
_SPECTRUM = 1e-13
_EXPONENT = 60.0  # nats below the maximum: where a grid for a log-density ends
_MOST_NODES = 1 << 16
_REFINEMENT = 4  # a polynomial between nodes this much finer is exact to rounding

Array = Float[np.ndarray, " n"]
Values = Inexact[np.ndarray, " n"]


@dataclass(frozen=True)
class GridFunction:
    """The `values` of a function at the nodes `first + spacing * (0, 1, ...)`, in the unit of the
    line.
    """

    first: float
    spacing: float
    values: Values

    @property
    def nodes(self) -> Array:
        """Return the nodes, ascending."""
        return self.first + self.spacing * np.arange(len(self.values))

    def integral(self, weight: Array | float = 1.0) -> float:
        """Return the integral of the function times `weight`, which is a number or has a value for
        each node.
        """
        return float(np.sum(self.values * weight)) * self.spacing

    def with_values(self, values: Values) -> "GridFunction":
        """Return the function with other values at the same nodes."""
        return replace(self, values=values)

    def normalised(self) -> "GridFunction":
        """Return the function divided by its integral."""
        return self.with_values(self.values / self.integral())

    def trimmed(self) -> "GridFunction":
        """Return the function without the ends where it is below 3e-16 of its maximum."""
        inside = np.flatnonzero(np.abs(self.values) > _NEGLIGIBLE * np.abs(self.values).max())
        values = self.values[inside[0] : inside[-1] + 1]
        return GridFunction(self.first + self.spacing * inside[0], self.spacing, values)

    def refined(self, factor: int) -> "GridFunction":
        """Return the function on a grid `factor` times finer, by its Fourier series."""
        n = len(self.values)
        finer = np.fft.irfft(np.fft.rfft(self.values), factor * n) * factor
        return GridFunction(self.first, self.spacing / factor, finer[: factor * (n - 1) + 1])

    def resolved(self, tolerance: float = _SPECTRUM) -> bool:
        """Return whether the highest Fourier coefficients are below `tolerance` of the largest: a
        fine enough grid.
        """
        size, n = np.abs(np.fft.fft(self.values)), len(self.values)
        highest = size[n // 2 - n // 16 : n // 2 + n // 16 + 1]
        return bool(highest.max() < tolerance * size.max())

    def primitive(self) -> "Primitive":
        """Return the integral from the left end as a function."""
        n, h = len(self.values), self.spacing
        k = 2 * np.pi * np.fft.rfftfreq(n, h)
        spectrum = np.fft.rfft(self.values)
        periodic = np.fft.irfft(
            np.divide(spectrum, 1j * k, out=np.zeros_like(spectrum), where=k > 0), n
        )
        total = periodic - periodic[0] + spectrum[0].real / n * h * np.arange(n)
        slope = np.fft.irfft(1j * k * spectrum, n)
        return Primitive(self.nodes, total, _hermite(self.nodes, h, total, self.values, slope))

    def modulus(self, factor: Array) -> float:
        """Return `int p |f| dx` for this function p and the `factor` f, which is given at the
        nodes.

        The integral is summed between the zeros of f. The primitive of `p f` is flat at a zero, so
        an error `e` of the zero changes the result by `e^2`.
        """
        primitive = self.with_values(self.values * factor).refined(_REFINEMENT).primitive()
        side = np.where(factor < 0.0, -1.0, 1.0)
        cell = np.flatnonzero(np.diff(side))
        zeros = self.first + self.spacing * (cell + _zeros(factor, cell))
        ends = np.concatenate([primitive.values[:1], primitive.at(zeros), primitive.values[-1:]])
        return float((side[np.append(cell, -1)] * np.diff(ends)).sum())


@dataclass(frozen=True)
class Primitive:
    """The integral of a `GridFunction` from its left end: `values` at its `nodes`, a polynomial of
    degree 5 between.
    """

    nodes: Array
    values: Array
    polynomial: Callable[..., Array]

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the integral up to each x; 0 left of the grid, the whole integral right of it."""
        return self.polynomial(self._within(x))

    def rate(self, x: np.ndarray) -> np.ndarray:
        """Return the derivative of the integral, the function itself, at each x."""
        return self.polynomial(self._within(x), 1)

    def inverse(self, u: np.ndarray) -> np.ndarray:
        """Return the x at which the integral is u; for a density these are quantiles. Five Newton
        steps in u's cell.
        """
        cell = np.clip(
            np.searchsorted(self._ascending, u, side="right") - 1, 0, len(self.values) - 2
        )
        left, right, low, high = (
            self.nodes[cell],
            self.nodes[cell + 1],
            self.values[cell],
            self.values[cell + 1],
        )
        x = left + (right - left) * np.clip((u - low) / np.maximum(high - low, 1e-300), 0.0, 1.0)
        for _ in range(5):
            rate = self.polynomial(x, 1)
            step = np.divide(u - self.polynomial(x), rate, out=np.zeros_like(x), where=rate > 0)
            x = np.clip(x + step, left, right)
        return x

    @cached_property
    def _ascending(self) -> Array:
        return np.maximum.accumulate(self.values)

    def _within(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(x, self.nodes[0], self.nodes[-1]))


def _hermite(
    nodes: Array, h: float, value: Array, slope: Array, bend: Array
) -> Callable[..., Array]:
    """Return the polynomials of degree 5 between nodes `h` apart that have this value, first and
    second derivative.
    """
    # takes longer than all else here, and most who import metrics need no density
    from scipy.interpolate import (
        PPoly,
    )

    v0, d0, c0 = value[:-1], h * slope[:-1], h * h * bend[:-1] / 2
    rise, lift, turn = (
        value[1:] - v0 - d0 - c0,
        h * slope[1:] - d0 - 2 * c0,
        h * h * bend[1:] - 2 * c0,
    )
    a3, a4, a5 = (
        10 * rise - 4 * lift + turn / 2,
        -15 * rise + 7 * lift - turn,
        6 * rise - 3 * lift + turn / 2,
    )
    return PPoly(np.stack([a5, a4, a3, c0, d0, v0]) / h ** np.arange(5, -1, -1.0)[:, None], nodes)


def _zeros(f: Array, cell: np.ndarray) -> np.ndarray:
    """Return the zero's position in [0, 1] within each cell over which f changes sign, by the cubic
    of four nodes.
    """
    first = np.clip(cell - 1, 0, len(f) - 4)
    near, shift = f[first[:, None] + np.arange(4)], cell - first
    f1, f2, f3 = (
        near[:, 1] - near[:, 0],
        np.diff(near, 2, axis=1)[:, 0],
        np.diff(near, 3, axis=1)[:, 0],
    )
    t = f[cell] / (f[cell] - f[cell + 1])
    for _ in range(6):
        s = t + shift
        value = near[:, 0] + s * f1 + s * (s - 1) / 2 * f2 + s * (s - 1) * (s - 2) / 6 * f3
        slope = f1 + (s - 0.5) * f2 + (3 * s * s - 6 * s + 2) / 6 * f3
        t = np.clip(t - value / slope, 0.0, 1.0)
    return t


def tabulated(log_density: Callable[[Array], Array], around: float = 0.0) -> GridFunction:
    """Return the normalised density `exp(log_density)` on a grid that covers and resolves it.

    The grid grows from the point `around` until its ends are 60 nats below the maximum. Then it is
    refined until it resolves the density. Raises ArithmeticError where 65,536 nodes do not resolve
    it.
    """

    def sampled(low: float, high: float, count: int) -> GridFunction:
        nodes = np.linspace(low, high, count)
        exponent = log_density(nodes)
        return GridFunction(low, nodes[1] - nodes[0], np.exp(exponent - exponent.max()))

    low, high = _ends(log_density, around)
    count = 257
    while not (density := sampled(low, high, count)).resolved():
        count = 2 * count - 1
        if count > _MOST_NODES:
            raise ArithmeticError(
                f"{_MOST_NODES} nodes do not resolve a density on [{low:g}, {high:g}]"
            )
    return density.normalised()


def _ends(exponent: Callable[[Array], Array], around: float) -> tuple[float, float]:
    """Return the ends of an interval outside which the exponent is 60 nats below its maximum. The
    search doubles it.
    """
    radius = 1.0
    while True:
        nodes = around + radius * np.linspace(-1.0, 1.0, 4097)
        values = exponent(nodes)
        lowest = values.max() - _EXPONENT
        if max(values[0], values[-1]) < lowest:
            inside = np.flatnonzero(values >= lowest)
            return float(nodes[inside[0] - 1]), float(nodes[inside[-1] + 1])
        radius *= 2.0
