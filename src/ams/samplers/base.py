"""The types that every sampler is written in: a step sees its arguments and nothing else.

    step(state, score, noise, level, algebra) -> (state, info)

A *vector* is whatever the algebra says it is: a batch of particles, the coefficients of a Gaussian law, a SymPy
expression. A *scalar* multiplies vectors: a float, a column with one entry per sample, a symbol. A step combines
vectors only through its `Algebra`, so the code that samples images is the code that is analysed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

from ams.schedules import Level

Vector: TypeAlias = Any
Scalar: TypeAlias = Any


class State(NamedTuple):
    """What must be carried from step to step; None before the first evaluation and where a sampler has no use of it.

    `x` position, `m` momentum (an average of scores), `s` score at the last evaluation, `z` noise of the last move,
    `p` velocity of a kinetic sampler (unit variance at rest), `d` denoised point of the last level: vectors. `drift` is
    `A_{t-1}`; `effective_drift` is the coefficient of `m` that moved the state, so that the drift part of the last move
    is `effective_drift m` (they differ at one step of one of the authors' forms); `h` is the last step in log noise:
    scalars.
    """

    x: Vector
    m: Vector = None
    s: Vector = None
    z: Vector = None
    p: Vector = None
    d: Vector = None
    drift: Scalar = None
    effective_drift: Scalar = None
    h: Scalar = None


VECTORS = ("x", "m", "s", "z", "p", "d")
"""The fields of `State` that are vectors, in the order of the exact law's basis."""


class Coefficients(NamedTuple):
    """What a rule decides: `m = beta m + (1 - beta) s`, then `x = x + (drift + extra) m + noise z`.

    `step` is the base step `a`, `drift` is `A`, `rho` the ratio that gave `beta` (None where beta is prescribed).
    """

    beta: Scalar
    step: Scalar
    drift: Scalar
    noise: Scalar
    extra: Scalar = 0.0
    rho: Scalar = None


class Info(NamedTuple):
    """What is only looked at: valid, like the state, until the next step.

    `evaluations` counts score evaluations of this step; `at` is the position of the last one; `mean()` the new
    position without this step's noise, computed where it is asked for; `coefficients` is None for steps without a
    rule.
    """

    evaluations: int
    at: Vector
    mean: Callable[[], Vector]
    coefficients: Coefficients | None = None


class Algebra(Protocol):
    """An interpretation of the steps: the operations that a step may use on vectors and scalars."""

    def combine(self, *terms: tuple[Scalar, Vector], over: Vector = None) -> Vector:
        """Return `sum_i c_i v_i`, for terms `(c_i, v_i)`: a new vector, or in the storage of `over`.

        `over` is the first term's vector where the step will not read that again; other storage is never written to.
        """
        ...

    def norm(self, vector: Vector) -> Scalar:
        """Return `<v>`: what it averages over is the coupling (batch, sample, mean field)."""
        ...

    def sqrt(self, scalar: Scalar) -> Scalar:
        """Return the square root of a nonnegative scalar."""
        ...

    def divide(self, numerator: Scalar, denominator: Scalar) -> Scalar:
        """Return the quotient by IEEE's rules: `x / 0` is infinite, `0 / 0` is not a number; nothing is raised."""
        ...

    def clip(self, scalar: Scalar, low: float, high: float) -> Scalar:
        """Return `min(max(scalar, low), high)`, and `high` where the scalar is not a number (the authors' rule)."""
        ...

    def begin_step(self, state: State) -> State:
        """Begin a step: storage of dead vectors is reused, an exact law is carried to the new state's basis."""
        ...

    def finite(self, vector: Vector) -> bool:
        """Tell whether every entry is finite."""
        ...


Score: TypeAlias = Callable[[Vector, Level], Vector]
"""`score(x, level)`: the gradient of the log-density at that noise level, as a new vector. One call, one evaluation."""

Noise: TypeAlias = Callable[[Vector], Vector]
"""`noise(x)`: the next standard Gaussian draw, shaped like `x`; draws come in the order asked for."""

Step: TypeAlias = Callable[[State, Score, Noise, Level, Algebra], tuple[State, Info]]
Rule: TypeAlias = Callable[[State, Vector, Vector, Level, Algebra], Coefficients]
"""`rule(state, s, z, level, algebra)`, with the new score `s` and this step's noise `z`."""
