"""The exact law in ball arithmetic of a program whose coefficients are doubles.

The coefficients of most samplers follow from the noise schedule alone, and the program computes them in float64. This
algebra takes them as they are: it encloses the distribution that results if all else is exact. A norm has no place in
it, since a coefficient that depends on the distribution must be a ball.
"""

from ams.enclosures.balls import Ball, ball
from ams.enclosures.law import BallLaw, Columns
from ams.samplers.scalars import FloatScalars


class GivenCoefficients(FloatScalars, BallLaw):  # type: ignore[misc]
    """The algebra whose scalars are floats, each an exact number; vectors are those of `BallLaw`."""

    begin_step = BallLaw.begin_step

    def combine(self, *terms: tuple[Ball | float, Columns], over: Columns | None = None) -> Columns:
        """Return the linear combination of rows, by the doubles that the coefficients are."""
        return super().combine(*((ball(float(c)), rows) for c, rows in terms))

    def norm(self, vector: Columns) -> Ball:
        """Raise TypeError: a rule needs `BallLaw`."""
        raise TypeError("the coefficients are given doubles: a rule that asks for a norm runs on BallLaw")
