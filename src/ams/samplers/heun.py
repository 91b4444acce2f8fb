"""Heun's method on the probability-flow ODE: second order, two score evaluations a step.

In `y = x / r`, `v = sigma / r` the ODE is `dy/dv = -sigma s(r y)`. With `h = v' - v` the step is

    k = -sigma s(x),   k' = -sigma' s(r' (y + h k)),   y' = y + h (k + k') / 2.

For `sigma' = 0` the second slope does not exist and the step is Euler's. Source: Karras et al. (arXiv 2206.00364),
algorithm 1.
"""

from ams.samplers.affine_transitions import flow_euler, next_level
from ams.samplers.base import Algebra, Info, Noise, Score, State
from ams.schedules import Level


def flow_heun(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
    """Take Heun's step to the next noise level; it draws nothing. Raises ValueError at the last noise level."""
    after, (p, q, _) = next_level(level), flow_euler(level)
    s = score(state.x, level)
    guess = algebra.combine((p, state.x), (q, s))
    if after.sigma == 0.0:
        return state._replace(x=guess), Info(1, state.x, lambda: guess)
    s_next = score(guess, after)
    x = algebra.combine((p, state.x), (q / 2, s), (q / 2 * (after.sigma / level.sigma), s_next))
    return state._replace(x=x), Info(2, guess, lambda: x)
