"""Scalars that are Python floats, with the division of IEEE 754 and the clip of the authors' code."""

import math


class FloatScalars:
    """The scalar operations of an algebra whose norms are floats."""

    def sqrt(self, scalar: float) -> float:
        """Return the square root of a nonnegative float."""
        return math.sqrt(scalar)

    def divide(self, numerator: float, denominator: float) -> float:
        """Return the quotient of nonnegative floats; `x / 0` is infinite and `0 / 0` nan, where Python raises."""
        if denominator == 0.0:
            return math.inf if numerator > 0.0 else math.nan
        return numerator / denominator

    def clip(self, scalar: float, low: float, high: float) -> float:
        """Return the clipped scalar, and `high` for nan, which compares false."""
        return max(low, scalar) if scalar < high else high
