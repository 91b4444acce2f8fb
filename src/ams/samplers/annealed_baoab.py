r"""Annealed BAOAB: kinetic Langevin along the noise levels, with an unbiased stationary variance; one score a level.

In `y = x / r`, `v = sigma / r` (module `affine_transitions`), let `D = (x + sigma^2 s) / r` be the denoised point. If
the target is one point, `D` never changes and `y` has the distribution `N(D, v^2 I)`. Two moves leave it invariant:

- one step of BAOAB (module `kinetic`) at `dt = sqrt(2 u) v`: `a lam = u` at every noise level. With half of its kick
  done the velocity is independent of the position, with variance `1 - u/2` (claim K1);
- the probability flow `y = gamma y + (1 - gamma) D`, `gamma = v'/v`, which only changes the unit.

Both are combined into one step from `v` to `v'`, with `h = ln(v / v')`, `k = sqrt((1 - u/2) / (1 - u_/2))`,
`u_` and `h_` those of the step before, and `D_` its denoised point:

    p  = k (p + sqrt(u_/2) sigma s) + sqrt(u/2) sigma s       half a kick, the new variance, half a kick
    y' = gamma y + (1 - gamma) (D + h/(2 h_) (D - D_))        the flow, to second order in h
    y' = y' + sqrt(u/2) v' p;  p = e p + sqrt(1 - e^2) z;  y' = y' + sqrt(u/2) v' p

The *kinetic parameters* `(u, e)` of a step of length `h` are a function of `h` (`KineticSchedule`): `u` is the rate of
Langevin refreshment, `e` the momentum kept per step. The fixed one, `u = min(1/2, 10 h)` and `e = 1/2`, is the
default. `TAPERED` has a momentum of fixed length in log noise instead: `e = min(0.8, q)`, `u = 1.8 q`,
`q = exp(-4 h)`. A run of few steps cannot correct much, and is disturbed little; one of many has the time for
velocities to carry slow directions (claim K9, where these constants were chosen, and on what).

The first step draws `p` from N(0, (1 - u/2) I), does the second half of its kick only, and has no `D_`. The flow with
the extrapolation alone (`u = 0`) is DPM-Solver++(2M), arXiv 2211.01095, whose weight `h/(2 h_)` it is; with `e = 0` the
step is a relative of SDE-DPM-Solver++(2M). Splitting integrators for diffusion models (arXiv 2402.07211) split an
augmented reverse process instead. Nothing depends on a norm: no statistic of the batch, no coupling. Proposed with
this suite (claim K7).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from ams.samplers.affine_transitions import next_level
from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State, Step, Vector
from ams.samplers.loop import denoise
from ams.schedules import Level


class KineticParameters(NamedTuple):
    """`u = dt^2 / (2 v^2)` in [0, 2), the kinetic step in a noise level's own unit; `e` in [0, 1), momentum kept."""

    u: float
    e: float


KineticSchedule: TypeAlias = Callable[[float], KineticParameters]
"""`schedule(h)`, for a step `h` in log noise."""


class StepCoefficients(NamedTuple):
    """The scalars of one step: `u` here and of the step before, `e`, and the extrapolation's weight `h / (2 h_)`."""

    u: Scalar
    u_before: Scalar
    e: Scalar
    weight: Scalar


def fixed(e: float = 0.5, rate: float = 10.0, most: float = 0.5) -> KineticSchedule:
    """`u = min(most, rate h)`, one `e` for every step."""
    return lambda h: KineticParameters(min(most, rate * h), e)


def tapered(rate: float = 4.0, most: float = 1.8, e: float = 0.8) -> KineticSchedule:
    """`u = most q`, `min(e, q)`, `q = exp(-rate h)`: the longer the step, the less refreshment and momentum."""

    def schedule(h: float) -> KineticParameters:
        q = math.exp(-rate * h)
        return KineticParameters(most * q, min(e, q))

    return schedule


TAPERED = tapered()
"""The kinetic parameters of claim K9: `u = 1.8 q`, `e = min(0.8, q)`, `q = exp(-4 h)`."""


def annealed_baoab(schedule: KineticSchedule | None = None, extrapolate: bool = True) -> Step:
    """The step to the next noise level; to a noiseless last one (`sigma' = 0`) it is `y' = D`.

    `schedule` is `fixed()` by default. `extrapolate = False` leaves out `D - D_`, an order of accuracy. One
    evaluation; a draw, and one more at the first step.
    """
    parameters = schedule or fixed()

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        after = next_level(level)
        if after.sigma == 0.0:
            x = algebra.combine((after.scale, denoise(state.x, level, score, algebra)))
            return State(x), Info(1, state.x, lambda: x)
        h = math.log(level.sigma / level.scale) - math.log(after.sigma / after.scale)
        before = h if state.h is None else state.h
        u, e = parameters(h)
        coefficients = StepCoefficients(u, parameters(before).u, e, h / (2 * before) if extrapolate else 0.0)
        moved, info = level_transition(coefficients)(state, score, noise, level, algebra)
        return moved._replace(h=h), info

    return step


def level_transition(coefficients: StepCoefficients) -> Step:
    """The transition to the next noise level with given scalars, numbers or symbols."""
    u, _, e, weight = coefficients

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        after, s = next_level(level), score(state.x, level)
        d = algebra.combine((1 / level.scale, state.x), (level.sigma**2 / level.scale, s))
        p, z = _kicked(state, s, noise, level, coefficients, algebra), noise(state.x)
        gamma = after.sigma / after.scale * level.scale / level.sigma
        gain, half = (1 - gamma) * after.scale, algebra.sqrt(u / 2) * after.sigma
        ahead = [(gain, d)] if state.d is None else [(gain * (1 + weight), d), (-gain * weight, state.d)]
        flow = ((gamma * after.scale / level.scale, state.x), *ahead, (half * (1 + e), p))
        spread = algebra.sqrt(1 - e**2)
        info = Info(1, state.x, partial(algebra.combine, *flow))
        x = algebra.combine((half * spread, z), *flow)
        return State(x, p=algebra.combine((e, p), (spread, z)), d=d), info

    return step


def _kicked(
    state: State, s: Vector, noise: Noise, level: Level, coefficients: StepCoefficients, algebra: Algebra
) -> Vector:
    """Return the velocity after the kick, drawn where there is none yet."""
    deviation, half = algebra.sqrt(1 - coefficients.u / 2), algebra.sqrt(coefficients.u / 2) * level.sigma
    if state.p is None:
        return algebra.combine((deviation, noise(state.x)), (half, s))
    k = deviation / algebra.sqrt(1 - coefficients.u_before / 2)
    return algebra.combine((k, state.p), (k * algebra.sqrt(coefficients.u_before / 2) * level.sigma + half, s))
