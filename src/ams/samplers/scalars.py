"""Scalars that are Python floats, with IEEE's division and the release's clip."""

from __future__ import annotations

import math


class FloatScalars:
    """The scalar half of an algebra whose norms are floats (batch mean, exact expectation)."""

    def sqrt(self, scalar: float) -> float:
        """Return the square root."""
        return math.sqrt(scalar)

    def divide(self, numerator: float, denominator: float) -> float:
        """Return the quotient of nonnegative floats; `x / 0` is infinite and `0 / 0` nan, where Python raises."""
        if denominator == 0.0:
            return math.inf if numerator > 0.0 else math.nan
        return numerator / denominator

    def clip(self, scalar: float, low: float, high: float) -> float:
        """Return the clipped scalar; a nan compares false and so becomes `high`."""
        return max(low, scalar) if scalar < high else high
