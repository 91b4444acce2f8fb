"""Restart: a descent that goes back up by fresh noise a few times, and down again (Xu et al., arXiv
2306.14878).

The run descends to `low`. Then, `times` over, noise `sqrt(high^2 - low^2) z` takes it up to `high`,
and the descent down to `low` again: on a Gaussian each return shrinks a direction's error by the
factor that the descent from `high` to `low` has for it, so that errors in directions of variance
below `high^2` fade. It ends with the rest of the descent.
"""

import math

from ams.samplers.affine_transitions import next_level
from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.samplers.corrected_descent import descent_between, joined
from ams.samplers.loop import Program
from ams.schedules import Level


def raised(
    state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
) -> tuple[State, Info]:
    """Add the noise that leads from `level` up to the next one: no evaluation, one draw."""
    spread = math.sqrt(next_level(level).sigma ** 2 - level.sigma**2)
    x = algebra.combine((1.0, state.x), (spread, noise(state.x)))
    return State(x), Info(0, state.x, lambda: algebra.combine((1.0, state.x)))


def restart(
    descent: Step,
    sigmas: tuple[float, float],
    interval: tuple[float, float],
    budget: int,
    share: float,
    times: int,
) -> Program:
    """Return a run of at most `budget` evaluations between `sigmas`; a `share` of them is spent in
    the restarts.

    `descent` takes one evaluation, on geometric noise levels throughout. `interval` is `(low,
    high)`, `low` at most the first noise level. Fewer restarts are done where the budget does not
    allow one step for each.
    """
    first, last = sigmas
    low, high = min(interval[0], first), interval[1]
    spent = min(round(share * budget), budget - 2)
    times = min(times, spent)
    steps = budget - (spent // times) * times if times else budget
    above = math.log(first / low) / math.log(first / last)
    down = min(max(round(above * steps), 1), steps - 1) if above > 0.0 else 0
    up = [(raised, Level(0, sigma=low, next=Level(1, sigma=high)))]
    parts: list[Program] = [descent_between(descent, first, low, down)]
    for _ in range(times):
        parts += [up, descent_between(descent, high, low, spent // times)]
    return joined([*parts, descent_between(descent, low, last, steps - down)])
