"""Proved numbers: the exact law of a sampler's own step in ball arithmetic, whose balls contain the
true values.

A *ball* is a midpoint with a radius (`arb`, of FLINT); each operation returns a ball that contains
every result of numbers from its operands. `BallLaw` is the algebra: on a Gaussian target it
encloses means, variances and expected norms of the distribution that `ams.laws.gaussian` computes
in float64. What a program prescribes (noise levels, step sizes, the target) are the doubles that it
gives, taken as exact numbers. It needs python-flint.
"""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.enclosures.balls import BITS, Ball, Undecided, ball, ends, precision
from ams.enclosures.law import BallLaw, GivenCoefficients, lifted, lifted_level
