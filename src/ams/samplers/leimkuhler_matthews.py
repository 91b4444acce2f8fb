"""Leimkuhler-Matthews: Langevin with the mean of two successive draws, one evaluation a step.

    x_{t+1} = x_t + a s(x_t) + sqrt(a / 2) (z_t + z_{t-1})

Exact on a Gaussian at any stable step, second order in `a` else. Source: Leimkuhler and Matthews, *Rational
construction of stochastic numerical methods for molecular sampling*, Appl. Math. Res. Express 2013, equation (1.4).
"""

from __future__ import annotations

from functools import partial

from ams.samplers.base import Algebra, Info, Noise, Score, State
from ams.schedules import Level


def leimkuhler_matthews(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
    """One step at the schedule's `a = level.step`; the first draws twice, for `z_{-1}` and `z_0`."""
    before = noise(state.x) if state.z is None else state.z
    s, z = score(state.x, level), noise(state.x)
    spread = algebra.sqrt(level.step / 2)
    drift = ((1.0, state.x), (level.step, s))
    x = algebra.combine(*drift, (spread, before), (spread, z))
    return state._replace(x=x, z=z), Info(1, state.x, partial(algebra.combine, *drift))
