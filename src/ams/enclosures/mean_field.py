r"""Runs of an adaptive rule in its mean field: recorded coefficients, and a bound of what they may
be off.

Ball arithmetic alone loses a few bits a step here, since it forgets how a norm's error and the
state's belong together. Instead the step runs with *recorded* coefficients, the exact midpoints of
what the rule gives, and the true run is compared with the recorded one: same start, same draws. Let
`X_i`, `M_i` bound the root mean squares of their differences in position and momentum in direction
i, d that of beta, `D_i` and `N_i` the root mean squares of `m_{t-1} - s_t` and `m_t` in the
recorded run, P the precision of the score, A the drift, a the base step. Then

    M' = beta M + (1 - beta) P X + d D
    X' = |1 - A (1 - beta) P| X + A beta M + d (A D + 2 a (1 + beta) N)
    W  = A M' + 2 a (1 + beta) d N                       of x_{t+1} - x_t

with the largest A and beta, since `m_t = beta m_{t-1} + (1 - beta) s_t`, `x_{t+1} = x_t + A m_t +
noise`, `A = a (1 + beta)^2`, `s = -P (x - mu)`. The next change of the score differs by `C = P' W +
|P' - P| X`, X before the step. A norm changes by at most the distance: `E|s_t - s_{t-1}|` by `|C|`,
`E|m_{t-1}|` by `|M|`. The rule is evaluated on norms that are so much wider, which gives the next
d. In the end `X_i` bounds the W2 distance of the two distributions in direction i, hence what the
mean and the standard deviation are off.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from flint import arb

from ams.enclosures.balls import Ball, raw
from ams.enclosures.law import BallLaw, Columns
from ams.samplers.base import Coefficients, Rule, State, Vector
from ams.samplers.rules import momentum
from ams.schedules import Level

_AROUND = arb(0, 1)
_GROWTH = 0.12  # bits a step
Bounds = list[arb]
"""An upper bound for each direction."""


class EnclosedStep(NamedTuple):
    """After a step of the mean field: its momentum coefficient, and what returns means and
    variances of x, as balls.
    """

    beta: Ball
    moments: Callable[[], tuple[list[Ball], list[Ball]]]


class _WiderNorms:
    """The algebra that a rule sees: the norm of `m` may be off by the length of `own`, any other
    by `change`'s.
    """

    def __init__(self, law: BallLaw, m: Columns | None, own: Bounds, change: Bounds) -> None:
        self.law, self.m, self.own, self.change = law, m, own, change

    def norm(self, vector: Columns) -> Ball:
        """Return the norm, widened."""
        off = self.own if vector is self.m else self.change
        square = sum(
            (n * each * each for n, each in zip(self.law.multiplicity, off, strict=True)), arb(0)
        )
        return Ball(self.law.norm(vector).value + square.upper().sqrt() * _AROUND)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.law, name)


def run_mean_field(
    law: BallLaw, rule: Rule, levels: Sequence[Level], state: State
) -> Iterator[EnclosedStep]:
    """Yield the enclosure after each step of `momentum(rule)` at these noise levels, from a state
    of `law.start`.

    `rule` is `momentum_rule(adaptive(...))`, with the drift factor `(1 + beta)^2` and the
    prescribed base step. The bounds grow by some tenth of a bit a step: early norms are enclosed
    with as many bits more.
    """
    bits = law.norm_bits
    none = [arb(0)] * len(law.variance)
    x_off, m_off, moved, older, before = none, none, none, none, none
    for number, level in enumerate(levels):
        law.norm_bits = bits + math.ceil(_GROWTH * (len(levels) - number))
        precision, a = [-slope for slope in law.slopes(level)], raw(level.step)
        change = _upper(
            (
                q * w + abs(q - p) * x
                for p, q, w, x in zip(before, precision, moved, older, strict=True)
            )
        )
        state = law.begin_step(state)
        given: list[Coefficients] = []
        seen = _WiderNorms(law, state.m, m_off, change)
        after, _ = momentum(_recorded(rule, seen, given))(state, law.score, law.noise, level, law)
        beta = raw(given[0].beta)
        gap = after.s if state.m is None else law.combine((1.0, state.m), (-1.0, after.s))
        length, size, off = law.lengths(after.m), law.lengths(gap), beta.rad()
        drift, more = (a * (1 + beta) ** 2).upper(), (2 * a * (1 + beta.upper()) * off).upper()
        rows = zip(precision, x_off, m_off, length, size, strict=True)
        older, m_before = x_off, m_off
        m_off = _upper(beta * m + (1 - beta) * p * x + off * d for p, x, m, _, d in rows)
        rows = zip(precision, older, m_before, length, size, strict=True)
        x_off = _upper(
            abs(1 - drift * (1 - beta) * p) * x + drift * (beta * m + off * d) + more * n
            for p, x, m, n, d in rows
        )
        moved = _upper(drift * m + more * n for m, n in zip(m_off, length, strict=True))
        state, before = after, precision
        yield EnclosedStep(Ball(beta), _moments(law, after, x_off))


def _recorded(rule: Rule, seen: _WiderNorms, given: list[Coefficients]) -> Rule:
    """Return the rule that notes what `rule` gives for wider norms, and steps with the middle of
    its beta.
    """

    def recorded(state: State, s: Vector, z: Vector, level: Level, algebra: Any) -> Coefficients:
        given.append(rule(state, s, z, level, seen))
        beta = Ball(raw(given[0].beta).mid())
        return given[0]._replace(beta=beta, drift=level.step * (1 + beta) ** 2)

    return recorded


def _upper(values: Iterator[arb]) -> Bounds:
    """Return the upper ends, which are exact."""
    return [value.upper() for value in values]


def _moments(
    law: BallLaw, state: State, off: Bounds
) -> Callable[[], tuple[list[Ball], list[Ball]]]:
    """Return what encloses the moments of x: mean and standard deviation are off by `off` at
    most.
    """

    def moments() -> tuple[list[Ball], list[Ball]]:
        means, variances = law.moments(state.x)
        wider = [Ball(mean.value + each * _AROUND) for mean, each in zip(means, off, strict=True)]
        spreads = [v.value.sqrt() + each * _AROUND for v, each in zip(variances, off, strict=True)]
        return wider, [Ball(each * each) for each in spreads]

    return moments
