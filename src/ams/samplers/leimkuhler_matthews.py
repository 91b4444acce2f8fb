"""The Leimkuhler-Matthews method: Langevin with the mean of two successive draws.

    x_{t+1} = x_t + a s(x_t) + sqrt(a / 2) (z_t + z_{t-1})

Its stationary distribution is exact on a Gaussian at any stable step, and has an error of order `a^2` otherwise.
Source: Leimkuhler and Matthews, *Rational construction of stochastic numerical methods for molecular sampling*, Appl.
Math. Res. Express 2013, equation (1.4).
"""

from functools import partial

from ams.samplers.base import Algebra, Info, Noise, Score, State
from ams.schedules import Level


def leimkuhler_matthews(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
    """Take one step with `a = level.step`: one score evaluation and one draw, at the first step two draws."""
    before = noise(state.x) if state.z is None else state.z
    s, z = score(state.x, level), noise(state.x)
    spread = algebra.sqrt(level.step / 2)
    drift = ((1.0, state.x), (level.step, s))
    x = algebra.combine(*drift, (spread, before), (spread, z))
    return state._replace(x=x, z=z), Info(1, state.x, partial(algebra.combine, *drift))
