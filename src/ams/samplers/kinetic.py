r"""Kinetic (underdamped) Langevin: samplers with a velocity, whose noise is added within the
velocity's update.

The distribution `pi(x) N(p; 0, I)` of position and velocity is invariant under the Hamiltonian flow
and under the thermostat. Splitting the Hamiltonian flow in two gives three flows with exact
solutions:

    kick     p += t s(x)
    drift    x += t p
    refresh  p = e p + sqrt(1 - e^2) z                  `e` is the momentum kept per step

A method composes them over one step `dt = sqrt(2 a)`, where `a = level.step` is the base step of
Langevin. With `u = a lam`, the stationary variance of the position on a Gaussian of precision `lam`
is (claims K1, K3)

    baoab    kick dt, drift dt/2, refresh, drift dt/2   lam Var x = 1
    obabo    kick dt/2, refresh, kick dt/2, drift dt    lam Var x = 1 / (1 - u/2)
    bao      kick dt, drift dt, refresh                 lam Var x = (1 + e)^2 / (2 (1 + e - u))
    sghmc    p = e p + dt s + sqrt(2 (1 - e)) z, drift  lam Var x = (1 + e) / (1 + e - u)

Each splitting is rotated so that its kicks come first: a step takes one score evaluation and one
draw. The rotation moves parts that do not change the position, so the distribution of the position
stays the same. `exponential_euler` is no splitting: it holds the score fixed during a step and
solves the rest exactly.

Sources: Leimkuhler and Matthews, Appl. Math. Res. Express 2013 (BAOAB); Bussi and Parrinello, Phys.
Rev. E 75 (2007) (OBABO); Chen, Fox and Guestrin, arXiv 1402.4102 (SGHMC); Cheng et al., arXiv
1707.03663 (exponential Euler).
"""

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import TypeAlias

from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State, Step, Vector
from ams.schedules import Level

Part: TypeAlias = Callable[[State, Vector, Noise, Scalar, Algebra], State]
"""`part(state, s, noise, dt, algebra)`: one flow; `s` is the score at the position where the
step began.
"""


def kick(share: float = 1.0) -> Part:
    """Return the flow `p + share dt s`. It must come before the first drift of a step, which
    changes the score.
    """

    def part(state: State, s: Vector, noise: Noise, dt: Scalar, algebra: Algebra) -> State:
        return state._replace(p=algebra.combine((1.0, state.p), (share * dt, s)))

    return part


def drift(share: float = 1.0) -> Part:
    """Return the flow `x + share dt p`."""

    def part(state: State, s: Vector, noise: Noise, dt: Scalar, algebra: Algebra) -> State:
        return state._replace(x=algebra.combine((1.0, state.x), (share * dt, state.p)))

    return part


def refresh(e: Scalar) -> Part:
    """Return the Ornstein-Uhlenbeck flow `e p + sqrt(1 - e^2) z`, where `e = exp(-friction dt)`
    is in [0, 1).
    """
    return _mixed(e, 1 - e**2)


def _mixed(e: Scalar, variance: Scalar) -> Part:
    """Return the flow `e p + sqrt(variance) z`."""

    def part(state: State, s: Vector, noise: Noise, dt: Scalar, algebra: Algebra) -> State:
        return state._replace(
            p=algebra.combine((e, state.p), (algebra.sqrt(variance), noise(state.x)))
        )

    return part


def splitting(*parts: Part) -> Step:
    """Return the step that applies `parts` in order. The first step draws its velocity from N(0,
    I) before them.
    """

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        s, dt = score(state.x, level), algebra.sqrt(2 * level.step)
        begin = state._replace(p=noise(state.x)) if state.p is None else state

        def result(draw: Noise) -> State:
            return reduce(lambda now, part: part(now, s, draw, dt, algebra), parts, begin)

        return result(noise), Info(
            1, state.x, lambda: result(lambda x: algebra.combine((0.0, x))).x
        )

    return step


def baoab(e: Scalar) -> Step:
    """Return the step of BAOAB, rotated to begin with the kick: kick, half drift, refresh, half
    drift.
    """
    return splitting(kick(), drift(0.5), refresh(e), drift(0.5))


def obabo(e: Scalar) -> Step:
    """Return the step of OBABO, rotated: half kick, refresh (two half refreshes in a row), half
    kick, drift.
    """
    return splitting(kick(0.5), refresh(e), kick(0.5), drift())


def bao(e: Scalar) -> Step:
    """Return the step of symplectic Euler with a refresh: kick, drift, refresh."""
    return splitting(kick(), drift(), refresh(e))


def sghmc(e: Scalar) -> Step:
    """Return the step of stochastic-gradient HMC: `p = e p + dt s + sqrt(2 (1 - e)) z`, `x = x +
    dt p`.
    """
    return splitting(_mixed(e, 2 * (1 - e)), kick(), drift())


def exponential_euler(e: float) -> Step:
    """Return the step that solves kinetic Langevin with the score held fixed; `e = exp(-g dt)` in
    (0, 1), friction g.

    With `f = (1 - e)/g` it is `x' = x + f p + (dt - f) s / g + w`, `p' = e p + f s + v`. The noises
    `v` and `w` are jointly Gaussian with `Var v = 1 - e^2`, `Cov = g f^2`, `Var w = (2 g dt - 3 + 4
    e - e^2) / g^2`. A step takes one score evaluation and two draws.
    """
    friction, velocity = -math.log(e), 1 - e**2
    f, shared = (1 - e) / friction, (1 - e) ** 2 / friction
    position = (2 * friction - 3 + 4 * e - e**2) / friction**2
    alone = math.sqrt(position - shared**2 / velocity)

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        s, dt = score(state.x, level), algebra.sqrt(2 * level.step)
        p = noise(state.x) if state.p is None else state.p
        one, other = noise(state.x), noise(state.x)
        flow = ((1.0, state.x), (dt * f, p), (dt**2 * (1 - f) / friction, s))
        x = algebra.combine(*flow, (dt * shared / math.sqrt(velocity), one), (dt * alone, other))
        kicked = algebra.combine((e, p), (dt * f, s), (math.sqrt(velocity), one))
        return state._replace(x=x, p=kicked), Info(1, state.x, partial(algebra.combine, *flow))

    return step


def baoab_positions(e: Scalar) -> Step:
    """Return the step of BAOAB with the velocity eliminated, at a constant step `a` (claim K1):

        x_{n+1} = x_n + e (x_n - x_{n-1}) + (1 + e) a s(x_n) + sqrt(2 a (1 - e^2)) (z_n + z_{n-1}) /
        2

    The state's `p` is `(x_n - x_{n-1}) / sqrt(2 a)`. The first step draws `z_{-1}` and takes
    `x_{-1} = x_0`, so that `e = 0` is the Leimkuhler-Matthews method.
    """

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        dt = algebra.sqrt(2 * level.step)
        z_before = noise(state.x) if state.z is None else state.z
        s, z = score(state.x, level), noise(state.x)
        inertia = [] if state.p is None else [(e, state.p)]
        drift_term, spread = ((1 + e) * dt / 2, s), algebra.sqrt(1 - e**2) / 2
        p = algebra.combine((spread, z), drift_term, (spread, z_before), *inertia)
        x = algebra.combine((1.0, state.x), (dt, p))
        mean = partial(algebra.combine, (1.0, x), (-dt * spread, z))
        return state._replace(x=x, p=p, z=z), Info(1, state.x, mean)

    return step


def leimkuhler_matthews(
    state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
) -> tuple[State, Info]:
    """Take a step of the Leimkuhler-Matthews method, Langevin with the mean of two successive
    draws:

        x_{t+1} = x_t + a s(x_t) + sqrt(a / 2) (z_t + z_{t-1}),    a = level.step

    Its stationary distribution is exact on a Gaussian at any stable step, and has an error of order
    `a^2` otherwise. A step takes one score evaluation and one draw, the first step two draws.
    Source: Leimkuhler and Matthews, Appl. Math. Res. Express 2013, equation (1.4).
    """
    before = noise(state.x) if state.z is None else state.z
    s, z = score(state.x, level), noise(state.x)
    spread = algebra.sqrt(level.step / 2)
    drift = ((1.0, state.x), (level.step, s))
    x = algebra.combine(*drift, (spread, before), (spread, z))
    return state._replace(x=x, z=z), Info(1, state.x, partial(algebra.combine, *drift))
