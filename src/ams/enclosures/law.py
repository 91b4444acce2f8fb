"""The exact law in ball arithmetic: the algebra that encloses a step's Gaussian distribution.

As in `ams.laws.gaussian` a vector has, in each eigendirection of the target, coefficients on the
basis (1, the components of the last state, the draws of the step); mean and covariance of the
components are carried from step to step. Here they are balls. A number for each direction is a
column, and one that is zero by construction is the integer 0, the same in all directions: so
Python's own time is shared by the directions.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from flint import arb

from ams.enclosures.balls import Ball, Undecided, Value, ball, constant_term, raw
from ams.enclosures.expected_norm import expected_norm
from ams.laws.gaussian import GaussianLaw
from ams.samplers.base import Info, State
from ams.samplers.loop import Program, last, run
from ams.samplers.scalars import FloatScalars
from ams.schedules import Level

Column: TypeAlias = Any
"""A ball for each direction, or `ZERO`."""
Columns: TypeAlias = list[Column]
"""A vector: a column for each element of the basis."""
_DRAWS = 2
ZERO = 0
"""The column that is zero by construction, told by identity."""


def _plus(one: Column, other: Column) -> Column:
    if one is ZERO or other is ZERO:
        return other if one is ZERO else one
    return [a + b for a, b in zip(one, other, strict=True)]


def _dot(ones: Sequence[Column], others: Sequence[Column]) -> Column:
    """Return the sum of products of columns."""
    total = ZERO
    for one, other in zip(ones, others, strict=True):
        if one is not ZERO and other is not ZERO:
            total = _plus(total, [a * b for a, b in zip(one, other, strict=True)])
    return total


def in_direction(vector: Columns, number: int) -> list[Value]:
    """Return a vector's coefficients in one direction."""
    return [arb(0) if column is ZERO else column[number] for column in vector]


class BallLaw:
    """The algebra on the Gaussian target of a `GaussianLaw`, whose variances and means are taken as
    exact doubles.

    `norm_bits` is how narrow the quadrature of the norm is in several directions. Raises ValueError
    for a multiplicity that is no integer.
    """

    def __init__(self, law: GaussianLaw, norm_bits: int = 80) -> None:
        self.variance, self.mean = (
            [arb(each) for each in part.tolist()] for part in (law.variance, law.mean)
        )
        counts = law.multiplicity.tolist()
        if not all(count.is_integer() for count in counts):
            raise ValueError(f"multiplicities must be integers, got {counts}")
        self.multiplicity, self.norm_bits = [int(count) for count in counts], norm_bits
        self._ones = [arb(1)] * len(counts)
        self.carry([], [])

    def carry(self, mean: Columns, covariance: list[Columns]) -> None:
        """Set mean and covariance of the basis, columns of each component and pair of them, and
        begin a step.
        """
        self._drawn, self._mean, self._covariance = 0, mean, covariance

    def start(self, mean: float | Sequence[float], variance: float | Sequence[float]) -> State:
        """Return the state whose position has this mean and variance, exact doubles, and begin a
        run.
        """
        columns = [
            [part] * len(self._ones) if isinstance(part, int | float) else part
            for part in (mean, variance)
        ]
        means, roots = ([arb(each) for each in part] for part in columns)
        self.carry([], [])
        return self.begin_step(State([means, [each.sqrt() for each in roots], ZERO]))

    def slopes(self, level: Level) -> list[arb]:
        """Return the score's slope in each direction, `-1 / (scale^2 variance + sigma^2)`."""
        scale, sigma = (
            raw(part) if isinstance(part, Ball) else arb(part)
            for part in (level.scale, level.sigma)
        )
        return [-1 / (scale * scale * variance + sigma * sigma) for variance in self.variance]

    def score(self, x: Columns, level: Level) -> Columns:
        """Return the score at a noise level, `slope (x - scale mean)`."""
        scale, slopes = (
            raw(level.scale) if isinstance(level.scale, Ball) else arb(level.scale),
            self.slopes(level),
        )
        s = [
            ZERO if column is ZERO else [a * b for a, b in zip(slopes, column, strict=True)]
            for column in x
        ]
        if not all(mean.is_zero() for mean in self.mean):
            s[0] = _plus(
                s[0], [-slope * scale * mean for slope, mean in zip(slopes, self.mean, strict=True)]
            )
        return s

    def noise(self, x: Columns) -> Columns:
        """Return the basis vector of the step's next draw. Raises ValueError if a step draws
        more than twice.
        """
        if self._drawn == _DRAWS:
            raise ValueError(
                f"the exact law has room for {_DRAWS} draws a step, this step takes more"
            )
        self._drawn += 1
        return self._basis(len(x), len(x) - _DRAWS + self._drawn - 1)

    def _basis(self, width: int, place: int) -> Columns:
        return [self._ones if j == place else ZERO for j in range(width)]

    def combine(self, *terms: tuple[Ball | float, Columns], over: Columns | None = None) -> Columns:
        """Return the linear combination. Raises TypeError for a coefficient or vector that is
        not of balls.
        """
        if not all(isinstance(vector, list) for _, vector in terms):
            raise TypeError(
                "a vector of this algebra is columns of balls: another algebra's "
                "vector stands among them"
            )
        total = [ZERO] * len(terms[0][1])
        for c, vector in ((raw(c), vector) for c, vector in terms):
            for j, column in enumerate(vector):
                if column is not ZERO:
                    total[j] = _plus(total[j], [c * each for each in column])
        return total

    def begin_step(self, state: State) -> State:
        """Compute mean and covariance of the components of `state`, and make them the new basis."""
        vectors = state.vectors()
        self.carry(*self._joint(vectors))
        width = 1 + len(vectors) + _DRAWS
        return state.with_vectors([self._basis(width, 1 + i) for i in range(len(vectors))])

    def _joint(self, vectors: Sequence[Columns]) -> tuple[Columns, list[Columns]]:
        """Return means and covariances of vectors."""
        n = len(self._mean)
        old, drawn = (
            [vector[1 : 1 + n] for vector in vectors],
            [vector[1 + n :] for vector in vectors],
        )
        means = [
            _plus(vector[0], _dot(part, self._mean))
            for vector, part in zip(vectors, old, strict=True)
        ]
        half = [[_dot(part, column) for column in self._covariance] for part in old]
        joint = [[ZERO] * len(vectors) for _ in vectors]
        for i, ahead in enumerate(half):
            for j in range(i + 1):
                joint[i][j] = joint[j][i] = _plus(_dot(ahead, old[j]), _dot(drawn[i], drawn[j]))
        return means, joint

    def _moments(self, vector: Columns) -> tuple[list[arb], list[arb]]:
        """Return mean and variance of a vector in each direction."""
        (mean,), ((variance,),) = self._joint([vector])
        none = [arb(0)] * len(self._ones)
        return _plus(mean, none), _plus(variance, none)

    def moments(self, vector: Columns) -> tuple[list[Ball], list[Ball]]:
        """Return mean and variance in each direction of a vector of the last state or info."""
        mean, variance = self._moments(vector)
        return [Ball(each) for each in mean], [Ball(each) for each in variance]

    def lengths(self, vector: Columns) -> list[arb]:
        """Return an upper bound of the root mean square of a vector in each direction."""
        squares = (m * m + v for m, v in zip(*self._moments(vector), strict=True))
        return [square.upper().sqrt().upper() for square in squares]

    def norm(self, vector: Columns) -> Ball:
        """Return the expectation `E|v|` over all directions with their multiplicities."""
        return Ball(expected_norm(*self._moments(vector), self.multiplicity, self.norm_bits))

    def sqrt(self, scalar: Ball | float) -> Ball:
        """Return the square root."""
        return Ball(raw(scalar).sqrt())

    def divide(self, numerator: Ball, denominator: Ball) -> Ball:
        """Return the quotient. Raises Undecided where the denominator may be 0."""
        if constant_term(raw(denominator)).contains(0):
            raise Undecided(f"the denominator {denominator!r} may be 0")
        return numerator / denominator

    def clip(self, scalar: Ball, low: Ball | float, high: Ball | float) -> Ball:
        """Return `min(max(scalar, low), high)`. Raises Undecided for a series whose value is not
        inside.
        """
        value, low, high = (raw(each) for each in (scalar, low, high))
        if isinstance(value, arb):
            return Ball(value.max(low).min(high))
        if low < value[0] < high:
            return scalar
        raise Undecided(f"{scalar!r} is not inside ({low}, {high})")

    def w2(self, mean: Sequence[Ball], variance: Sequence[Ball]) -> Ball:
        """Return the W2 distance to the target, `sqrt(sum_i n_i ((m_i - m'_i)^2 + (sqrt v_i -
        sqrt v'_i)^2))`.
        """
        total = arb(0)
        for m, v, tm, tv, n in zip(
            mean, variance, self.mean, self.variance, self.multiplicity, strict=True
        ):
            total += n * ((m.value - tm) ** 2 + (v.value.sqrt() - tv.sqrt()) ** 2)
        return Ball(total.sqrt())

    def kl(self, mean: Sequence[Ball], variance: Sequence[Ball]) -> Ball:
        """Return KL to the target, `sum_i n_i (r_i - 1 - log r_i + (m_i - m'_i)^2 / v'_i) / 2`,
        `r = v / v'`.
        """
        total = arb(0)
        for m, v, tm, tv, n in zip(
            mean, variance, self.mean, self.variance, self.multiplicity, strict=True
        ):
            ratio = v.value / tv
            total += n * (ratio - 1 - ratio.log() + (m.value - tm) ** 2 / tv)
        return Ball(total / 2)

    def finite(self, vector: Columns) -> bool:
        """Return whether mean and variance in every direction are balls with ends."""
        return all(each.value.is_finite() for part in self.moments(vector) for each in part)

    def run(self, program: Program, start: State) -> Iterator[tuple[State, Info]]:
        """Yield `(state, info)` after each step of a program from `start`, with the score of
        this target.
        """
        return run(program, start, self.score, self.noise, self, watch=64)

    def end(self, program: Program, start: State) -> tuple[State, Info]:
        """Return the last state and info of a program from `start`. Raises ValueError for an
        empty program.
        """
        return last(self.run(program, start))


def lifted(program: Program) -> Program:
    """Return a program whose noise levels and step sizes are balls about its doubles."""
    return [(step, lifted_level(level)) for step, level in program]


def lifted_level(level: Level) -> Level:
    """Return a noise level with balls about its doubles, without successor."""
    return level._replace(sigma=ball(level.sigma), step=ball(level.step), next=None)


class GivenCoefficients(FloatScalars, BallLaw):  # type: ignore[misc]
    """The algebra whose scalars are floats, each an exact number; vectors are those of `BallLaw`.

    The coefficients of most samplers follow from the noise schedule alone, and the program computes
    them in float64. Taken as they are, they give the distribution that results if all else is
    exact. A norm has no place here, since a coefficient that depends on the distribution must be a
    ball.
    """

    begin_step = BallLaw.begin_step

    def combine(self, *terms: tuple[Ball | float, Columns], over: Columns | None = None) -> Columns:
        """Return the linear combination of rows, by the doubles that the coefficients are."""
        return super().combine(*((ball(float(c)), rows) for c, rows in terms))

    def norm(self, vector: Columns) -> Ball:
        """Raise TypeError: a rule needs `BallLaw`."""
        raise TypeError(
            "the coefficients are given doubles: a rule that asks for a norm runs on BallLaw"
        )
