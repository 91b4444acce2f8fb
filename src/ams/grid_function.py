r"""Smooth functions on a uniform grid, negligible at both ends: densities on the line, to rounding.

For such a function the trapezoidal rule and the Fourier series of its periodic extension converge faster than any
power of the spacing (Trefethen and Weideman, SIAM Review 56, 2014), so integral, primitive, derivative and finer
sampling are all exact to rounding once the spacing resolves it. Between nodes a primitive is a polynomial of degree 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

_NEGLIGIBLE = 3e-16  # of the maximum, the rounding of a Fourier series: what is cut off a grid
_SPECTRUM = 1e-13  # of the largest Fourier coefficient: the last ones of a function that its grid resolves
_EXPONENT = 60.0  # nats below the maximum at which a grid for a log-density ends
_MOST_NODES = 1 << 16
_BETWEEN = 4  # times finer: a polynomial between such nodes is right to rounding

Array = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class GridFunction:
    """`values` of a function at `first + spacing * (0, 1, ...)`; the unit of `spacing` is that of the line."""

    first: float
    spacing: float
    values: Array

    @property
    def nodes(self) -> Array:
        """Return the nodes, ascending."""
        return self.first + self.spacing * np.arange(len(self.values))

    def integral(self, weight: Array | float = 1.0) -> float:
        """Return the integral of the function times `weight` (its values at the nodes)."""
        return float(np.sum(self.values * weight)) * self.spacing

    def with_values(self, values: Array) -> GridFunction:
        """Return another function on the same grid."""
        return replace(self, values=values)

    def normalised(self) -> GridFunction:
        """Return the function over its integral."""
        return self.with_values(self.values / self.integral())

    def trimmed(self) -> GridFunction:
        """Return the function without the ends at which it is below 3e-16 of its maximum."""
        kept = np.flatnonzero(np.abs(self.values) > _NEGLIGIBLE * np.abs(self.values).max())
        return GridFunction(self.first + self.spacing * kept[0], self.spacing, self.values[kept[0] : kept[-1] + 1])

    def refined(self, factor: int) -> GridFunction:
        """Return the function at a spacing `factor` times finer, by its Fourier series."""
        n = len(self.values)
        finer = np.fft.irfft(np.fft.rfft(self.values), factor * n) * factor
        return GridFunction(self.first, self.spacing / factor, finer[: factor * (n - 1) + 1])

    def resolved(self, tolerance: float = _SPECTRUM) -> bool:
        """Tell whether the highest Fourier coefficients are below `tolerance` of the largest: a grid fine enough."""
        size, n = np.abs(np.fft.fft(self.values)), len(self.values)
        highest = size[n // 2 - n // 16 : n // 2 + n // 16 + 1]
        return bool(highest.max() < tolerance * size.max())

    def primitive(self) -> Primitive:
        """Return the integral from the left end, as a function."""
        n, h = len(self.values), self.spacing
        k = 2 * np.pi * np.fft.rfftfreq(n, h)
        spectrum = np.fft.rfft(self.values)
        wave = np.divide(spectrum, 1j * k, out=np.zeros_like(spectrum), where=k > 0)
        mean = spectrum[0].real / n
        periodic = np.fft.irfft(wave, n)
        total = periodic - periodic[0] + mean * h * np.arange(n)
        return Primitive(self.first, h, total, self.values, np.fft.irfft(1j * k * spectrum, n))

    def modulus(self, factor: Array) -> float:
        """Return `int p |f|` for `factor` f given at the nodes: piece by piece between the zeros of f, spectrally.

        Near a zero the primitive of `p f` is flat, so an error `e` of the zero moves the result by `e^2`.
        """
        primitive = self.with_values(self.values * factor).refined(_BETWEEN).primitive()
        side = np.where(factor < 0.0, -1.0, 1.0)
        crossing = np.flatnonzero(np.diff(side))
        at = self.first + self.spacing * (crossing + _zeros(factor, crossing))
        ends = np.concatenate([primitive.values[:1], primitive.at(at), primitive.values[-1:]])
        return float((side[np.append(crossing, -1)] * np.diff(ends)).sum())


@dataclass(frozen=True)
class Primitive:
    """The integral of a `GridFunction` from its left end: values, first and second derivative at the nodes."""

    first: float
    spacing: float
    values: Array
    slope: Array
    bend: Array

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the integral up to each x."""
        cell, t = self._cell((np.asarray(x) - self.first) / self.spacing)
        return self._inside(cell, t)[0]

    def rate(self, x: np.ndarray) -> np.ndarray:
        """Return the derivative, the function itself, at each x."""
        cell, t = self._cell((np.asarray(x) - self.first) / self.spacing)
        return self._inside(cell, t)[1] / self.spacing

    @cached_property
    def _ascending(self) -> Array:
        return np.maximum.accumulate(self.values)

    def inverse(self, u: np.ndarray) -> np.ndarray:
        """Return the x at which the integral of a non-negative function is u: its quantiles. Newton, cell by cell."""
        cell = np.clip(np.searchsorted(self._ascending, u, side="right") - 1, 0, len(self.values) - 2)
        low, high = self.values[cell], self.values[cell + 1]
        t = np.clip((u - low) / np.maximum(high - low, 1e-300), 0.0, 1.0)
        for _ in range(5):
            value, slope = self._inside(cell, t)
            step = np.divide(u - value, slope, out=np.zeros_like(t), where=slope > 0)
            t = np.clip(t + step, 0.0, 1.0)
        points: np.ndarray = self.first + self.spacing * (cell + t)
        return points

    def _cell(self, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        within = np.clip(position, 0.0, len(self.values) - 1.0)
        cell = np.minimum(within.astype(int), len(self.values) - 2)
        return cell, within - cell

    def _inside(self, cell: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return value and derivative by t, at `first + spacing (cell + t)`: Hermite interpolation of degree 5."""
        h = self.spacing
        v0, d0, c0 = self.values[cell], h * self.slope[cell], h * h * self.bend[cell] / 2
        v1, d1, c1 = self.values[cell + 1], h * self.slope[cell + 1], h * h * self.bend[cell + 1] / 2
        rise, lift, turn = v1 - v0 - d0 - c0, d1 - d0 - 2 * c0, 2 * (c1 - c0)
        a3, a4, a5 = 10 * rise - 4 * lift + turn / 2, -15 * rise + 7 * lift - turn, 6 * rise - 3 * lift + turn / 2
        value = v0 + t * (d0 + t * (c0 + t * (a3 + t * (a4 + t * a5))))
        return value, d0 + t * (2 * c0 + t * (3 * a3 + t * (4 * a4 + t * 5 * a5)))


def _zeros(f: Array, cell: np.ndarray) -> np.ndarray:
    """Return the zero's position in [0, 1] inside each cell over which f changes sign: the cubic of four nodes."""
    first = np.clip(cell - 1, 0, len(f) - 4)
    near, shift = f[first[:, None] + np.arange(4)], cell - first
    f1, f2, f3 = near[:, 1] - near[:, 0], np.diff(near, 2, axis=1)[:, 0], np.diff(near, 3, axis=1)[:, 0]
    t: np.ndarray = f[cell] / (f[cell] - f[cell + 1])
    for _ in range(6):
        s = t + shift
        value = near[:, 0] + s * f1 + s * (s - 1) / 2 * f2 + s * (s - 1) * (s - 2) / 6 * f3
        slope = f1 + (s - 0.5) * f2 + (3 * s * s - 6 * s + 2) / 6 * f3
        t = np.clip(t - value / slope, 0.0, 1.0)
    return t


def tabulated(log_density: Callable[[Array], Array], around: float = 0.0) -> GridFunction:
    """Return `exp(log_density)`, normalised, on a grid that holds and resolves it.

    The grid grows from `around` until the ends are 60 nats below the maximum and is refined until it resolves the
    density. Raises ArithmeticError where 65,536 nodes do not.
    """

    def sampled(low: float, high: float, count: int) -> GridFunction:
        nodes = np.linspace(low, high, count)
        exponent = log_density(nodes)
        return GridFunction(low, nodes[1] - nodes[0], np.exp(exponent - exponent.max()))

    low, high = _ends(log_density, around)
    count = 257
    while not (found := sampled(low, high, count)).resolved():
        count = 2 * count - 1
        if count > _MOST_NODES:
            raise ArithmeticError(f"{_MOST_NODES} nodes do not resolve a density on [{low:g}, {high:g}]")
    return found.normalised()


def _ends(exponent: Callable[[Array], Array], around: float) -> tuple[float, float]:
    """Return an interval at whose ends the exponent is 60 nats below its maximum, found by doubling and cutting."""
    reach, top = 1.0, -math.inf
    while True:
        values = exponent(around + reach * np.linspace(-1.0, 1.0, 4097))
        top = values.max()
        if max(values[0], values[-1]) < top - _EXPONENT:
            inside = np.flatnonzero(values >= top - _EXPONENT)
            ends = around + reach * np.linspace(-1.0, 1.0, 4097)
            return float(ends[inside[0] - 1]), float(ends[inside[-1] + 1])
        reach *= 2.0
