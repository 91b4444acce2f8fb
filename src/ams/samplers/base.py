"""The types of a sampler's step, which depends on its arguments alone.

    step(state, score, noise, level, algebra) -> (state, info)

The algebra defines what a *vector* is: a batch of particles, Gaussian coefficients, a density on a
grid or a SymPy expression. A *scalar* multiplies vectors: a float, a column with one entry per
sample, or a symbol. A step combines vectors only through its `Algebra`, so that the code that
samples images is the code that is analysed.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from ams.schedules import Level

Vector: TypeAlias = Any
Scalar: TypeAlias = Any


class State(NamedTuple):
    """What a sampler carries from step to step; a field is None before it is computed or if it is
    not used.

    Vectors: `x` is the position, `m` the momentum (an average of scores), `s` the last score, `z`
    the noise of the last step, `p` the velocity of a kinetic sampler (stationary variance 1), `d`
    the denoised point of the last noise level, `c` the corrected position of a predictor-corrector
    pair, `past` what the network returned in earlier steps, the last first, at the noise `times`.
    Scalars: `drift` is `A_{t-1}`. `effective_drift` is the factor with which `m` last entered the
    position; it differs from `drift` only after the first step of the authors' annealed sampler.
    `h` is the last step in log noise.
    """

    x: Vector
    m: Vector = None
    s: Vector = None
    z: Vector = None
    p: Vector = None
    d: Vector = None
    c: Vector = None
    past: tuple[Vector, ...] = ()
    drift: Scalar = None
    effective_drift: Scalar = None
    h: Scalar = None
    times: tuple[float, ...] = ()

    def vectors(self) -> tuple[Vector, ...]:
        """Return the vectors that are set, in the order of the basis of `ams.laws.gaussian`; `x`
        is the first.
        """
        return (*(v for name in VECTORS if (v := getattr(self, name)) is not None), *self.past)

    def with_vectors(self, vectors: Sequence[Vector]) -> "State":
        """Return the state with other vectors in the places of `vectors()`."""
        names = [name for name in VECTORS if getattr(self, name) is not None]
        return self._replace(
            **dict(zip(names, vectors, strict=False)), past=tuple(vectors[len(names) :])
        )


VECTORS = ("x", "m", "s", "z", "p", "d", "c")
"""The fields of `State` that are one vector."""


class Coefficients(NamedTuple):
    """The scalars of one step, `m = beta m + (1 - beta) s`, then `x = x + (drift + extra) m + noise
    z`.

    `step` is the base step `a`, `drift` is `A`, and `rho` the ratio that gave `beta`, None for a
    prescribed beta.
    """

    beta: Scalar
    step: Scalar
    drift: Scalar
    noise: Scalar
    extra: Scalar = 0.0
    rho: Scalar = None


class Info(NamedTuple):
    """What a step reports, valid until the next step.

    `evaluations` counts the score evaluations of the step, `at` is the position of the last one.
    `mean()` computes the new position without the noise of the step. `coefficients` is None for a
    step without a rule.
    """

    evaluations: int
    at: Vector
    mean: Callable[[], Vector]
    coefficients: Coefficients | None = None


@runtime_checkable
class Algebra(Protocol):
    """The operations of a step on vectors and scalars; each algebra is one interpretation of the
    samplers.
    """

    def combine(self, *terms: tuple[Scalar, Vector], over: Vector = None) -> Vector:
        """Return `sum_i c_i v_i` for the terms `(c_i, v_i)`, as a new vector or in the storage of
        `over`.

        A step gives the first term's vector as `over` if it does not read it again. No other
        storage is overwritten.
        """

    def norm(self, vector: Vector) -> Scalar:
        """Return the norm `<v>`, averaged over the batch, for each sample alone, or in
        expectation (mean field).
        """

    def sqrt(self, scalar: Scalar) -> Scalar:
        """Return the square root of a nonnegative scalar."""

    def divide(self, numerator: Scalar, denominator: Scalar) -> Scalar:
        """Return the quotient by the rules of IEEE 754: `x / 0` is infinite, `0 / 0` nan, and
        nothing is raised.
        """

    def clip(self, scalar: Scalar, low: float, high: float) -> Scalar:
        """Return `min(max(scalar, low), high)`, and `high` for nan, as in the code published
        with arXiv 2405.13726.
        """

    def begin_step(self, state: State) -> State:
        """Return the state with which the next step begins; the algebra may reuse storage or
        change its basis.
        """

    def finite(self, vector: Vector) -> bool:
        """Return whether every entry is finite."""


Score: TypeAlias = Callable[[Vector, Level], Vector]
"""`score(x, level)`: the gradient of the log-density at a noise level, as a new vector. A call
counts as one NFE.
"""

Noise: TypeAlias = Callable[[Vector], Vector]
"""`noise(x)`: the next standard Gaussian draw, shaped like `x`."""

Step: TypeAlias = Callable[[State, Score, Noise, Level, Algebra], tuple[State, Info]]
"""`step(state, score, noise, level, algebra) -> (state, info)`."""

Rule: TypeAlias = Callable[[State, Vector, Vector, Level, Algebra], Coefficients]
"""`rule(state, s, z, level, algebra)`, with the new score `s` and the noise `z` of the step."""
