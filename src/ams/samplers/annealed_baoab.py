r"""Annealed BAOAB: kinetic Langevin along the noise levels, with an unbiased stationary variance
(claim K7).

In `y = x / r`, `v = sigma / r`, let `D = (x + sigma^2 s) / r` be the denoised point. If the target
is one point, `D` is constant and `y` has the distribution `N(D, v^2 I)`. Two transitions leave this
distribution invariant:

- one step of BAOAB (module `kinetic`) with `dt = sqrt(2 u) v`. After half of its kick, the velocity
  is independent of the position and has variance `1 - u/2` (claim K1);
- the probability flow `y = gamma y + (1 - gamma) D`, `gamma = v'/v`, which only changes the unit.

The sampler combines both into one step from `v` to `v'`. With `h = ln(v / v')`, `k = sqrt((1 - u/2)
/ (1 - u_/2))`, and `u_`, `h_`, `D_` of the previous step, it is

    p  = k (p + sqrt(u_/2) sigma s) + sqrt(u/2) sigma s  half a kick, the new variance, half a kick
    y' = gamma y + (1 - gamma) (D + h/(2 h_) (D - D_))        the flow, to second order in h
    y' = y' + sqrt(u/2) v' p;  p = e p + sqrt(1 - e^2) z;  y' = y' + sqrt(u/2) v' p

The *kinetic parameters* `(u, e)` are a function of the step `h` (`KineticSchedule`): `u` is the
rate of Langevin refreshment, `e` the momentum kept per step. The default has `u = min(1/2, 10 h)`,
`e = 1/2`. `TAPERED` has `u = 1.8 q`, `e = min(0.8, q)`, `q = exp(-4 h)`, so that the momentum has a
fixed length in log noise.

The first step draws `p` from N(0, (1 - u/2) I), does only the second half of its kick, and does not
extrapolate. For `u = 0` the sampler is DPM-Solver++(2M) (arXiv 2211.01095), from which it takes the
weight `h/(2 h_)`. For `e = 0` it is related to SDE-DPM-Solver++(2M). For `e = 1` it is a splitting
integrator of critically damped Langevin diffusion's flow (arXiv 2402.07211). No coefficient depends
on a norm, so samples of a batch are independent.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from ams.samplers.affine_transitions import next_level
from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State, Step, Vector
from ams.samplers.loop import denoise
from ams.schedules import Level


class KineticParameters(NamedTuple):
    """The kinetic step `u = dt^2 / (2 v^2)` in [0, 2), without unit, and the momentum kept per
    step, `e` in [0, 1).
    """

    u: float
    e: float


KineticSchedule: TypeAlias = Callable[[float], KineticParameters]
"""`schedule(h)`, for a step `h` in log noise."""


class StepCoefficients(NamedTuple):
    """The scalars of one step: `u` of this and of the previous step, `e`, the extrapolation
    weight `h / (2 h_)`.
    """

    u: Scalar
    u_before: Scalar
    e: Scalar
    weight: Scalar


def fixed(e: float = 0.5, rate: float = 10.0, most: float = 0.5) -> KineticSchedule:
    """Return the schedule `u = min(most, rate h)` with the same `e` for every step."""
    return lambda h: KineticParameters(min(most, rate * h), e)


def tapered(rate: float = 4.0, most: float = 1.8, e: float = 0.8) -> KineticSchedule:
    """Return the schedule `u = most q`, `e = min(e, q)`, `q = exp(-rate h)`: longer steps
    refresh and keep less.
    """

    def schedule(h: float) -> KineticParameters:
        q = math.exp(-rate * h)
        return KineticParameters(most * q, min(e, q))

    return schedule


TAPERED = tapered()
"""The default of `tapered`: `u = 1.8 q`, `e = min(0.8, q)`, `q = exp(-4 h)`."""


def annealed_baoab(schedule: KineticSchedule | None = None, extrapolate: bool = True) -> Step:
    """Return the step to the next noise level; where that has `sigma' = 0`, the step is `y' = D`.

    `schedule` is `fixed()` by default. Without `extrapolate` the term `D - D_` is left out, which
    costs an order of accuracy. A step takes one score evaluation and one draw, the first step two
    draws. It raises ValueError at the last noise level.
    """
    parameters = schedule or fixed()

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        after = next_level(level)
        if after.sigma == 0.0:
            x = algebra.combine((after.scale, denoise(state.x, level, score, algebra)))
            return State(x), Info(1, state.x, lambda: x)
        h = math.log(level.sigma / level.scale) - math.log(after.sigma / after.scale)
        h_before = h if state.h is None else state.h
        u, e = parameters(h)
        coefficients = StepCoefficients(
            u, parameters(h_before).u, e, h / (2 * h_before) if extrapolate else 0.0
        )
        result, info = level_transition(coefficients)(state, score, noise, level, algebra)
        return result._replace(h=h), info

    return step


def level_transition(coefficients: StepCoefficients) -> Step:
    """Return the step to the next noise level with given coefficients, which may be numbers or
    symbols.
    """
    u, _, e, weight = coefficients

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        after, s = next_level(level), score(state.x, level)
        d = algebra.combine((1 / level.scale, state.x), (level.sigma**2 / level.scale, s))
        p, z = _kicked(state, s, noise, level, coefficients, algebra), noise(state.x)
        gamma = after.sigma / after.scale * level.scale / level.sigma
        gain, half = (1 - gamma) * after.scale, algebra.sqrt(u / 2) * after.sigma
        ahead = (
            [(gain, d)]
            if state.d is None
            else [(gain * (1 + weight), d), (-gain * weight, state.d)]
        )
        flow = ((gamma * after.scale / level.scale, state.x), *ahead, (half * (1 + e), p))
        spread = algebra.sqrt(1 - e**2)
        info = Info(1, state.x, partial(algebra.combine, *flow))
        x = algebra.combine((half * spread, z), *flow)
        return State(x, p=algebra.combine((e, p), (spread, z)), d=d), info

    return step


def _kicked(
    state: State,
    s: Vector,
    noise: Noise,
    level: Level,
    coefficients: StepCoefficients,
    algebra: Algebra,
) -> Vector:
    """Return the velocity after the kick; the first one is drawn."""
    deviation, half = (
        algebra.sqrt(1 - coefficients.u / 2),
        algebra.sqrt(coefficients.u / 2) * level.sigma,
    )
    if state.p is None:
        return algebra.combine((deviation, noise(state.x)), (half, s))
    k = deviation / algebra.sqrt(1 - coefficients.u_before / 2)
    return algebra.combine(
        (k, state.p), (k * algebra.sqrt(coefficients.u_before / 2) * level.sigma + half, s)
    )
