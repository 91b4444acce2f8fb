r"""Annealed kinetic Langevin at constant temperature: the sampler of claim K7, one score a level.

In `y = x / r`, `v = sigma / r` (module `moves`), let `D = (x + sigma^2 s) / r` be the denoised point. If the target is
one point `D` never changes, `y` has the law `N(D, v^2 I)`, and two moves leave that invariant, exactly:

- one step of BAOAB (module `kinetic`) at `dt = sqrt(2 u) v`: `a lam = u` at every level. With half of its kick done
  the velocity is independent of the position, with variance `1 - u/2` (claim K1);
- the probability flow `y = gamma y + (1 - gamma) D`, `gamma = v'/v`, which only changes the unit.

Both are combined into one step from `v` to `v'`, with `h = ln(v / v')`, `k = sqrt((1 - u/2) / (1 - u_/2))`,
`u_` and `h_` those of the step before, and `D_` its denoised point:

    p  = k (p + sqrt(u_/2) sigma s) + sqrt(u/2) sigma s       half a kick, the new variance, half a kick
    y' = gamma y + (1 - gamma) (D + h/(2 h_) (D - D_))        the flow, to second order in h
    y' = y' + sqrt(u/2) v' p;  p = e p + sqrt(1 - e^2) z;  y' = y' + sqrt(u/2) v' p

How much is stirred, and what is kept, is a *pace*: `u` and `e` for a step of length `h` (`Pacing`). The fixed one,
`u = min(1/2, 10 h)` and `e = 1/2`, is the default. `tapered` has a memory of fixed length in log noise instead:
`e = min(0.8, q)`, `u = 1.8 q`, `q = exp(-4 h)`. A run of few steps cannot repair much, and is disturbed little; one of
many has the time for velocities to carry slow directions (claim K9, where these constants were chosen, and on what).

The first step draws `p` from N(0, (1 - u/2) I), does the second half of its kick only, and has no `D_`. The flow with
the extrapolation alone (`u = 0`) is DPM-Solver++(2M), arXiv 2211.01095, whose weight `h/(2 h_)` it is. Nothing depends
on a norm: no statistic of the batch, no coupling. Proposed with this suite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from ams.samplers.affine_transitions import following
from ams.samplers.base import Algebra, Info, Noise, Scalar, Score, State, Step, Vector
from ams.samplers.loop import denoise
from ams.schedules import Level

Stirring: TypeAlias = Callable[[float], float]
"""`u(h)` in [0, 2): the kinetic step in a level's own unit, `dt^2 / (2 v^2)`, for a step `h` in log noise."""


class Pace(NamedTuple):
    """`u` of the kinetic step, and `kept`, the `e` that its refresh leaves of the velocity, in [0, 1)."""

    u: float
    kept: float


Pacing: TypeAlias = Callable[[float], Pace]
"""`pacing(h)`, for a step `h` in log noise."""


class Passage(NamedTuple):
    """The scalars of one step: `u` here and of the step before, `e`, and the extrapolation's weight `h / (2 h_)`."""

    u: Scalar
    u_before: Scalar
    kept: Scalar
    weight: Scalar


def stirred(rate: float = 10.0, most: float = 0.5) -> Stirring:
    """`u = min(most, rate h)`."""
    return lambda h: min(most, rate * h)


def tapering(rate: float = 4.0, most: float = 1.8, kept: float = 0.8) -> Pacing:
    """`u = most q`, `e = min(kept, q)`, `q = exp(-rate h)`: the longer the step, the less is stirred and kept."""

    def pacing(h: float) -> Pace:
        q = math.exp(-rate * h)
        return Pace(most * q, min(kept, q))

    return pacing


tapered = tapering()
"""The pace of claim K9: `u = 1.8 q`, `e = min(0.8, q)`, `q = exp(-4 h)`."""


def isothermal(kept: float = 0.5, stirring: Stirring | None = None, extrapolate: bool = True) -> Step:
    """The sampler with one `e` for every step, `kept`; `stirring` is by default `stirred()`. See `paced`."""
    strength = stirring or stirred()
    return paced(lambda h: Pace(strength(h), kept), extrapolate)


def paced(pacing: Pacing, extrapolate: bool = True) -> Step:
    """The step to the next level; to a noiseless last level (`sigma' = 0`) it is `y' = D`.

    `extrapolate = False` leaves out `D - D_`, an order of accuracy. One evaluation; a draw, and one more at the first
    step.
    """

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        after = following(level)
        if after.sigma == 0.0:
            x = algebra.combine((after.scale, denoise(state.x, level, score, algebra)))
            return State(x), Info(1, state.x, lambda: x)
        h = math.log(level.sigma / level.scale) - math.log(after.sigma / after.scale)
        before = h if state.h is None else state.h
        u, kept = pacing(h)
        passage = Passage(u, pacing(before).u, kept, h / (2 * before) if extrapolate else 0.0)
        moved, info = crossing(passage)(state, score, noise, level, algebra)
        return moved._replace(h=h), info

    return step


def crossing(passage: Passage) -> Step:
    """The step to the next level with given scalars, numbers or symbols."""
    u, _, kept, weight = passage

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        after, s = following(level), score(state.x, level)
        d = algebra.combine((1 / level.scale, state.x), (level.sigma**2 / level.scale, s))
        p, z = _kicked(state, s, noise, level, passage, algebra), noise(state.x)
        gamma = after.sigma / after.scale * level.scale / level.sigma
        pull, half = (1 - gamma) * after.scale, algebra.sqrt(u / 2) * after.sigma
        ahead = [(pull, d)] if state.d is None else [(pull * (1 + weight), d), (-pull * weight, state.d)]
        flow = ((gamma * after.scale / level.scale, state.x), *ahead, (half * (1 + kept), p))
        spread = algebra.sqrt(1 - kept**2)
        info = Info(1, state.x, partial(algebra.combine, *flow))
        x = algebra.combine((half * spread, z), *flow)
        return State(x, p=algebra.combine((kept, p), (spread, z)), d=d), info

    return step


def _kicked(state: State, s: Vector, noise: Noise, level: Level, passage: Passage, algebra: Algebra) -> Vector:
    """Return the velocity after the kick, drawn where there is none yet."""
    still, half = algebra.sqrt(1 - passage.u / 2), algebra.sqrt(passage.u / 2) * level.sigma
    if state.p is None:
        return algebra.combine((still, noise(state.x)), (half, s))
    k = still / algebra.sqrt(1 - passage.u_before / 2)
    return algebra.combine((k, state.p), (k * algebra.sqrt(passage.u_before / 2) * level.sigma + half, s))
