"""Balls: real numbers enclosed by a midpoint and a radius, that refuse to mix with rounded floats.

A step computes with the scalars of its algebra. `Ball` wraps FLINT's `arb` (or a power series of
`arb`, which carries a derivative), so that nothing leaves ball arithmetic unseen: `float(ball)` and
`math.sqrt(ball)` raise TypeError, a comparison that the radius leaves open raises `Undecided`, and
a float is accepted only as a literal of few bits (1.0, 0.5). A parameter enters by `ball(0.9)`, as
the double that it is.

Source: Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval arithmetic*, IEEE
Transactions on Computers 66 (2017).
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from flint import arb, arb_series, ctx

Value: TypeAlias = Any
"""An `arb`, or an `arb_series`."""
BITS = 128
"""The precision of enclosures where none is named."""
_LITERAL = 2**8  # a float is a literal of the code if it is a multiple of 1/256


class Undecided(ArithmeticError):
    """The radius of a ball leaves a decision open: more bits, or a narrower enclosure of the
    norms, may decide it.
    """


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with midpoints of so many bits, in a block or a decorated function; the precision
    is the process's.
    """
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def raw(number: "Ball | float") -> Value:
    """Return the value of a ball, or of an integer or literal. Raises TypeError for any other
    number.
    """
    if isinstance(number, Ball):
        return number.value
    if isinstance(number, int) or (isinstance(number, float) and (number * _LITERAL).is_integer()):
        return arb(number)
    raise TypeError(
        f"{number!r} stands where a ball belongs: enclose what is computed, "
        "give a parameter as ball(...)"
    )


def constant_term(value: Value) -> arb:
    """Return the value of a series at 0; an `arb` is its own."""
    return value[0] if isinstance(value, arb_series) else arb(0) + value


class Ball:
    """A number in ball arithmetic, as a scalar of a step."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        if not isinstance(value, arb | arb_series):
            raise TypeError(f"a ball holds an arb, not {value!r}")
        self.value = value

    def __add__(self, other: "Ball | float") -> "Ball":
        return Ball(self.value + raw(other))

    def __radd__(self, other: "Ball | float") -> "Ball":
        return Ball(raw(other) + self.value)

    def __sub__(self, other: "Ball | float") -> "Ball":
        return Ball(self.value - raw(other))

    def __rsub__(self, other: "Ball | float") -> "Ball":
        return Ball(raw(other) - self.value)

    def __mul__(self, other: "Ball | float") -> "Ball":
        return Ball(self.value * raw(other))

    def __rmul__(self, other: "Ball | float") -> "Ball":
        return Ball(raw(other) * self.value)

    def __truediv__(self, other: "Ball | float") -> "Ball":
        return Ball(self.value / raw(other))

    def __rtruediv__(self, other: "Ball | float") -> "Ball":
        return Ball(raw(other) / self.value)

    def __pow__(self, power: float) -> "Ball":
        return Ball(self.value**power)

    def __neg__(self) -> "Ball":
        return Ball(-self.value)

    def __lt__(self, other: "Ball | float") -> bool:
        right = raw(other)
        return self._decided(self.value < right, self.value >= right)

    def __gt__(self, other: "Ball | float") -> bool:
        right = raw(other)
        return self._decided(self.value > right, self.value <= right)

    def _decided(self, yes: bool, no: bool) -> bool:
        if not yes and not no:
            raise Undecided(f"{self!r} overlaps what it is compared with")
        return yes

    def __float__(self) -> float:
        raise TypeError("a ball is no float: use ends(ball)")

    def __repr__(self) -> str:
        return f"Ball({self.value})"


def ball(number: float) -> Any:
    """Return the `Ball` of radius 0 about a double, a parameter's exact value; untyped, as it
    stands for a float.
    """
    return Ball(arb(number))


def ends(number: Ball) -> tuple[float, float]:
    """Return doubles below and above a ball. Raises ArithmeticError for a ball without end, or
    without width.

    Each operation on numbers of few bits that is no integer's leaves a width; without any, a
    rounding was lost.
    """
    value = number.value
    if not value.is_finite():
        raise ArithmeticError(f"{number!r} has no end")
    if value.is_exact() and not value.is_integer():
        raise ArithmeticError(f"{number!r} has no width: a rounding was lost")
    low, high = float(value.lower()), float(value.upper())
    return (
        (low, high)
        if value.is_exact()
        else (math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
    )
