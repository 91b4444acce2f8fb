"""The exact law in ball arithmetic: the algebra that encloses a step's Gaussian distribution.

As in `ams.laws.gaussian` a vector has, in each eigendirection of the target, coefficients on the basis (1, the
components of the last state, the draws of the step); mean and covariance of the components are carried from step to
step. Here they are balls, and a coefficient that is zero by construction is the integer 0.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from flint import arb

from ams.enclosures.balls import Ball, Undecided, Value, ball, constant_term, raw
from ams.enclosures.expected_norm import expected_norm
from ams.laws.gaussian import GaussianLaw
from ams.samplers.base import Info, State
from ams.samplers.loop import Program, last, run
from ams.schedules import Level

Row: TypeAlias = list[list[Any]]
"""A vector: for each direction its coefficients, balls or the integers 0 and 1."""
_DRAWS = 2
ZERO = 0
"""What is zero by construction, told from a ball by identity."""


@functools.lru_cache(maxsize=64)
def _basis(directions: int, components: int) -> list[Row]:
    """Return the rows of the components themselves; all steps share them, so they must not be changed."""
    width = 1 + components + _DRAWS
    return [[[int(j == i + 1) for j in range(width)]] * directions for i in range(components)]


class BallLaw:
    """The algebra on the Gaussian target of a `GaussianLaw`, whose variances and means are taken as exact doubles.

    `norm_bits` is how narrow the quadrature of the norm is in several directions. Raises ValueError for a multiplicity
    that is no integer.
    """

    def __init__(self, law: GaussianLaw, norm_bits: int = 80) -> None:
        self.variance, self.mean = ([arb(each) for each in part.tolist()] for part in (law.variance, law.mean))
        counts = law.multiplicity.tolist()
        if not all(count.is_integer() for count in counts):
            raise ValueError(f"multiplicities must be integers, got {counts}")
        self.multiplicity, self.norm_bits = [int(count) for count in counts], norm_bits
        self.carry([[] for _ in counts], [[] for _ in counts])

    def carry(self, mean: list[list[Value]], covariance: list[list[list[Value]]]) -> None:
        """Set mean and covariance of the basis, direction by direction, and begin a step."""
        self._drawn, self._mean, self._covariance = 0, mean, covariance

    def start(self, mean: float | Sequence[float], variance: float | Sequence[float]) -> State:
        """Return the state whose position has this mean and variance, exact doubles, and begin a run."""
        every = range(len(self.variance))
        means, variances = ([each] * len(every) if isinstance(each, int | float) else each for each in (mean, variance))
        self.carry([[] for _ in every], [[] for _ in every])
        rows = [[arb(m) if m else 0, arb(v).sqrt() if v else 0, 0] for m, v in zip(means, variances, strict=True)]
        return self.begin_step(State(rows))

    def slopes(self, level: Level) -> list[arb]:
        """Return the score's slope in each direction, `-1 / (scale^2 variance + sigma^2)`."""
        scale, sigma = (raw(part) if isinstance(part, Ball) else arb(part) for part in (level.scale, level.sigma))
        return [-1 / (scale * scale * variance + sigma * sigma) for variance in self.variance]

    def score(self, x: Row, level: Level) -> Row:
        """Return the score at a noise level, `slope (x - scale mean)`."""
        scale, rows = raw(level.scale) if isinstance(level.scale, Ball) else arb(level.scale), []
        for row, slope, mean in zip(x, self.slopes(level), self.mean, strict=True):
            s = [slope * c if c is not ZERO else 0 for c in row]
            if not mean.is_zero():
                s[0] = s[0] - slope * scale * mean
            rows.append(s)
        return rows

    def noise(self, x: Row) -> Row:
        """Return the basis vector of the step's next draw. Raises ValueError if a step draws more than twice."""
        if self._drawn == _DRAWS:
            raise ValueError(f"the exact law has room for {_DRAWS} draws a step, this step takes more")
        place = len(x[0]) - _DRAWS + self._drawn
        self._drawn += 1
        return [[int(j == place) for j in range(len(x[0]))]] * len(x)

    def combine(self, *terms: tuple[Ball | float, Row], over: Row | None = None) -> Row:
        """Return the linear combination of rows. Raises TypeError for a coefficient or vector that is not of balls."""
        if not all(isinstance(rows, list) for _, rows in terms):
            raise TypeError("a vector of this algebra is rows of balls: another algebra's vector stands among them")
        coefficients = [raw(c) for c, _ in terms]
        total = []
        for rows in zip(*(rows for _, rows in terms), strict=True):
            sums = [0] * len(rows[0])
            for c, row in zip(coefficients, rows, strict=True):
                for j, v in enumerate(row):
                    if v is not ZERO:
                        sums[j] = sums[j] + c * v
            total.append(sums)
        return total

    def begin_step(self, state: State) -> State:
        """Compute mean and covariance of the components of `state`, and make them the new basis."""
        vectors = state.vectors()
        self.carry(*self._joint(vectors))
        return state.with_vectors(_basis(len(self.variance), len(vectors)))

    def _joint(self, vectors: Sequence[Row]) -> tuple[list[list[Value]], list[list[list[Value]]]]:
        """Return means and covariances of vectors, direction by direction."""
        means, covariances = [], []
        for rows, mean, covariance in zip(zip(*vectors, strict=True), self._mean, self._covariance, strict=True):
            n = len(mean)
            if n == len(rows) == 1:  # of most samplers: the general case below is slow in Python
                c, square = rows[0][1], sum((a * a for a in rows[0][2:] if a is not ZERO), 0)
                means.append([c * mean[0] + rows[0][0]])
                covariances.append([[c * c * covariance[0][0] + square]])
                continue
            old = [[(k, c) for k, c in enumerate(row[1 : 1 + n]) if c is not ZERO] for row in rows]
            new = [row[1 + n :] for row in rows]
            means.append([sum((c * mean[k] for k, c in part), row[0]) for part, row in zip(old, rows, strict=True)])
            half = [[sum((c * covariance[k][j] for k, c in part), 0) for j in range(n)] for part in old]
            joint: list[list[Value]] = [[0] * len(rows) for _ in rows]
            for i, ahead in enumerate(half):
                for j in range(i + 1):
                    drawn = sum(
                        (a * b for a, b in zip(new[i], new[j], strict=True) if a is not ZERO and b is not ZERO), 0
                    )
                    joint[i][j] = joint[j][i] = sum((ahead[k] * c for k, c in old[j]), drawn)
            covariances.append(joint)
        return means, covariances

    def moments(self, vector: Row) -> tuple[list[Ball], list[Ball]]:
        """Return mean and variance in each direction of a vector of the last state or info."""
        mean, covariance = self._joint([vector])
        return [_as_ball(m[0]) for m in mean], [_as_ball(c[0][0]) for c in covariance]

    def lengths(self, vector: Row) -> list[arb]:
        """Return an upper bound of the root mean square of a vector in each direction."""
        mean, covariance = self._joint([vector])
        squares = (m[0] * m[0] + c[0][0] + arb(0) for m, c in zip(mean, covariance, strict=True))
        return [square.upper().sqrt().upper() for square in squares]

    def norm(self, vector: Row) -> Ball:
        """Return the expectation `E|v|` over all directions with their multiplicities."""
        mean, covariance = self._joint([vector])
        variance = [c[0][0] + arb(0) for c in covariance]
        return Ball(expected_norm([m[0] + arb(0) for m in mean], variance, self.multiplicity, self.norm_bits))

    def sqrt(self, scalar: Ball | float) -> Ball:
        """Return the square root."""
        return Ball(raw(scalar).sqrt())

    def divide(self, numerator: Ball, denominator: Ball) -> Ball:
        """Return the quotient. Raises Undecided where the denominator may be 0."""
        if constant_term(raw(denominator)).contains(0):
            raise Undecided(f"the denominator {denominator!r} may be 0")
        return numerator / denominator

    def clip(self, scalar: Ball, low: Ball | float, high: Ball | float) -> Ball:
        """Return `min(max(scalar, low), high)`. Raises Undecided for a series whose value is not inside."""
        value, low, high = (raw(each) for each in (scalar, low, high))
        if isinstance(value, arb):
            return Ball(value.max(low).min(high))
        if low < value[0] < high:
            return scalar
        raise Undecided(f"{scalar!r} is not inside ({low}, {high})")

    def finite(self, vector: Row) -> bool:
        """Return whether mean and variance in every direction are balls with ends."""
        return all(each.value.is_finite() for part in self.moments(vector) for each in part)

    def run(self, program: Program, start: State) -> Iterator[tuple[State, Info]]:
        """Yield `(state, info)` after each step of a program from `start`, with the score of this target."""
        return run(program, start, self.score, self.noise, self, watch=64)

    def end(self, program: Program, start: State) -> tuple[State, Info]:
        """Return the last state and info of a program from `start`. Raises ValueError for an empty program."""
        return last(self.run(program, start))


def _as_ball(value: Value) -> Ball:
    return Ball(value + arb(0))


def lifted(program: Program) -> Program:
    """Return a program whose noise levels and step sizes are balls about its doubles."""
    return [(step, lifted_level(level)) for step, level in program]


def lifted_level(level: Level) -> Level:
    """Return a noise level with balls about its doubles, without successor."""
    return level._replace(sigma=ball(level.sigma), step=ball(level.step), next=None)
