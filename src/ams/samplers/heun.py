"""Heun's method on the probability-flow ODE: second order, two evaluations a step.

In `y = x / r`, `v = sigma / r` (module `moves`) the ODE is `dy/dv = -sigma s(r y)`, so with `h = v' - v`

    k = -sigma s(x),   k' = -sigma' s(r' (y + h k)),   y' = y + h (k + k') / 2.

At a noiseless last level (`sigma' = 0`) the second slope does not exist and the step is Euler's, as in
Karras et al. (arXiv 2206.00364, algorithm 1).
"""

from __future__ import annotations

from ams.samplers.affine_transitions import flow_euler, next_level
from ams.samplers.base import Algebra, Info, Noise, Score, State
from ams.schedules import Level


def flow_heun(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
    """One step to the next level; draws nothing."""
    after, move = next_level(level), flow_euler(level)
    s = score(state.x, level)
    guess = algebra.combine((move.p, state.x), (move.q, s))
    if after.sigma == 0.0:
        return state._replace(x=guess), Info(1, state.x, lambda: guess)
    ratio = after.sigma / level.sigma
    s_next = score(guess, after)
    x = algebra.combine((move.p, state.x), (move.q / 2, s), (move.q / 2 * ratio, s_next))
    return state._replace(x=x), Info(2, guess, lambda: x)
