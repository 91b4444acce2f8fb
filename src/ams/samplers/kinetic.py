r"""Kinetic (underdamped) Langevin: noise added within the momentum update, with an unbiased stationary variance.

Position and velocity have the distribution `pi(x) N(p; 0, I)`. The Hamiltonian flow and the thermostat leave it
invariant; the former is split into two flows, and all three are solved exactly:

    kick     p += t s(x)                                velocity, by the score
    drift    x += t p                                   position, by the velocity
    refresh  p = e p + sqrt(1 - e^2) z                  velocity, by the thermostat; `e` is the momentum kept per step

A method is an order of them over one step `dt = sqrt(2 a)`, `a = level.step` being Langevin's own base step:

    baoab    kick dt, drift dt/2, refresh, drift dt/2   the position's distribution on a Gaussian is exact (K1)
    obabo    kick dt/2, refresh, kick dt/2, drift dt    lam Var x = 1 / (1 - u/2), u = a lam (K3)
    bao      kick dt, drift dt, refresh                 (1 + e)^2 / (2 (1 + e - u)): a variance too small (K3)
    sghmc    p = e p + dt s + sqrt(2 (1 - e)) z, then drift dt: the noise is Euler's, not the refresh's (K3)

Exponential Euler (`exponential_euler`) is no splitting: it freezes the score over a step and solves the rest exactly.

Each splitting is rotated so that its kicks come first: one evaluation and one draw a step. Rotating a cycle past parts
that leave the position alone leaves the position's distribution alone.

Sources: Leimkuhler and Matthews, Appl. Math. Res. Express 2013 (BAOAB); Bussi and Parrinello, Phys. Rev. E 75 (2007)
(OBABO); Chen, Fox and Guestrin, arXiv 1402.4102 (SGHMC); Cheng et al., arXiv 1707.03663 (exponential Euler).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import TypeAlias

from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State, Step, Vector
from ams.schedules import Level

Part: TypeAlias = Callable[[State, Vector, Noise, Scalar, Algebra], State]
"""`part(state, s, noise, dt, algebra)`: a flow of position and velocity, `s` the score where the step began."""


def kick(share: float = 1.0) -> Part:
    """`p + share dt s`; before the first drift of a step, as `s` belongs to the position that it began at."""

    def part(state: State, s: Vector, noise: Noise, dt: Scalar, algebra: Algebra) -> State:
        return state._replace(p=algebra.combine((1.0, state.p), (share * dt, s)))

    return part


def drift(share: float = 1.0) -> Part:
    """`x + share dt p`."""

    def part(state: State, s: Vector, noise: Noise, dt: Scalar, algebra: Algebra) -> State:
        return state._replace(x=algebra.combine((1.0, state.x), (share * dt, state.p)))

    return part


def refresh(e: Scalar) -> Part:
    """`e p + sqrt(1 - e^2) z`, the exact Ornstein-Uhlenbeck flow, `e = exp(-friction dt)` in [0, 1)."""
    return _mixed(e, 1 - e**2)


def _mixed(e: Scalar, spread: Scalar) -> Part:
    """`e p + sqrt(spread) z`."""

    def part(state: State, s: Vector, noise: Noise, dt: Scalar, algebra: Algebra) -> State:
        return state._replace(p=algebra.combine((e, state.p), (algebra.sqrt(spread), noise(state.x))))

    return part


def splitting(*parts: Part) -> Step:
    """The step that goes through `parts` in order; a first call draws the velocity from N(0, I), before anything."""

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        s, dt = score(state.x, level), algebra.sqrt(2 * level.step)
        begin = state._replace(p=noise(state.x)) if state.p is None else state

        def through(drawn: Noise) -> State:
            return reduce(lambda now, part: part(now, s, drawn, dt, algebra), parts, begin)

        return through(noise), Info(1, state.x, lambda: through(partial(_nothing, algebra)).x)

    return step


def _nothing(algebra: Algebra, like: Vector) -> Vector:
    return algebra.combine((0.0, like))


def baoab(e: Scalar) -> Step:
    """BAOAB between two kicks: kick, half drift, refresh, half drift."""
    return splitting(kick(), drift(0.5), refresh(e), drift(0.5))


def obabo(e: Scalar) -> Step:
    """OBABO between two drifts: half kick, refresh, half kick, drift (two half refreshes in a row are one)."""
    return splitting(kick(0.5), refresh(e), kick(0.5), drift())


def bao(e: Scalar) -> Step:
    """Symplectic Euler, then the refresh: kick, drift, refresh."""
    return splitting(kick(), drift(), refresh(e))


def sghmc(e: Scalar) -> Step:
    """Stochastic-gradient HMC: `p = e p + dt s + sqrt(2 (1 - e)) z`, `x = x + dt p`."""
    return splitting(_mixed(e, 2 * (1 - e)), kick(), drift())


def exponential_euler(e: float) -> Step:
    """The exact flow of position, velocity and friction under a frozen score; `e = exp(-g dt)` in (0, 1).

    With `f = (1 - e)/g`: `x' = x + f p + (dt - f) s / g + w`, `p' = e p + f s + v`, where `v`, `w` are jointly Gaussian
    with `Var v = 1 - e^2`, `Cov = g f^2`, `Var w = (2 g dt - 3 + 4 e - e^2) / g^2`. One evaluation, two draws.
    """
    friction, velocity = -math.log(e), 1 - e**2
    f, shared = (1 - e) / friction, (1 - e) ** 2 / friction
    position = (2 * friction - 3 + 4 * e - e**2) / friction**2
    alone = math.sqrt(position - shared**2 / velocity)

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        s, dt = score(state.x, level), algebra.sqrt(2 * level.step)
        p = noise(state.x) if state.p is None else state.p
        one, other = noise(state.x), noise(state.x)
        flow = ((1.0, state.x), (dt * f, p), (dt**2 * (1 - f) / friction, s))
        x = algebra.combine(*flow, (dt * shared / math.sqrt(velocity), one), (dt * alone, other))
        kicked = algebra.combine((e, p), (dt * f, s), (math.sqrt(velocity), one))
        return state._replace(x=x, p=kicked), Info(1, state.x, partial(algebra.combine, *flow))

    return step


def baoab_positions(e: Scalar) -> Step:
    """BAOAB with the velocity eliminated, at a constant step `a` (claim K1):

        x_{n+1} = x_n + e (x_n - x_{n-1}) + (1 + e) a s(x_n) + sqrt(2 a (1 - e^2)) (z_n + z_{n-1}) / 2

    The state's `p` is the last move over `dt = sqrt(2 a)`. A first call draws `z_{-1}` and has not moved yet, so
    `e = 0` is the step `leimkuhler_matthews`.
    """

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        dt = algebra.sqrt(2 * level.step)
        before = noise(state.x) if state.z is None else state.z
        s, z = score(state.x, level), noise(state.x)
        moved = [] if state.p is None else [(e, state.p)]
        kick_term, spread = ((1 + e) * dt / 2, s), algebra.sqrt(1 - e**2) / 2
        p = algebra.combine((spread, z), kick_term, (spread, before), *moved)
        x = algebra.combine((1.0, state.x), (dt, p))
        mean = partial(_without, algebra, x, dt * spread, z)
        return state._replace(x=x, p=p, z=z), Info(1, state.x, mean)

    return step


def _without(algebra: Algebra, x: Vector, spread: Scalar, z: Vector) -> Vector:
    return algebra.combine((1.0, x), (-spread, z))
