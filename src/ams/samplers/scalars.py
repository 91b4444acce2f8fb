"""The scalar operations of algebras, with the division of IEEE 754 and the clip of the authors'
code.
"""

import math

import torch

from ams.samplers.base import Scalar, State


class FloatScalars:
    """Operations on Python floats, for an algebra whose norms are floats; by default a step
    begins where one ended.
    """

    def begin_step(self, state: State) -> State:
        """Return the state unchanged."""
        return state

    def sqrt(self, scalar: float) -> float:
        """Return the square root of a nonnegative float."""
        return math.sqrt(scalar)

    def divide(self, numerator: float, denominator: float) -> float:
        """Return the quotient of nonnegative floats; `x / 0` is infinite and `0 / 0` nan, where
        Python raises.
        """
        if denominator == 0.0:
            return math.inf if numerator > 0.0 else math.nan
        return numerator / denominator

    def clip(self, scalar: float, low: float, high: float) -> float:
        """Return the clipped scalar, and `high` for nan, which compares false."""
        return max(low, scalar) if scalar < high else high


class ColumnScalars:
    """Operations on columns, tensors with one value for each sample or run, and on floats (a
    prescribed step).
    """

    def sqrt(self, scalar: Scalar) -> Scalar:
        """Return the square root."""
        return scalar**0.5

    def divide(self, numerator: Scalar, denominator: Scalar) -> Scalar:
        """Return the quotient; torch follows IEEE 754."""
        return numerator / denominator

    def clip(self, scalar: Scalar, low: float, high: float) -> Scalar:
        """Return the clipped column, with `high` for nan."""
        return torch.nan_to_num(scalar, nan=high).clamp(low, high)
