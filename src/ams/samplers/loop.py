"""The one loop. A run is a program: the (step, level) pairs in order; composition is concatenation.

An annealed run repeats one step at each level; predictor-corrector interleaves two. The loop yields every state, so a
trajectory, a budget's prefix or a last state cost the same code, and it prints nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from ams.samplers.base import Algebra, Info, Noise, Score, State, Step, Vector
from ams.samplers.noise_sources import generated
from ams.samplers.particles import Particles
from ams.schedules import Level

Program: TypeAlias = Iterable[tuple[Step, Level]]
WATCH = 16
"""After how many steps `sample`, which shows no state but the last, looks whether it is finite."""


class NonFiniteState(ArithmeticError):
    """A state with an infinite or undefined entry; the message names step, level and norms."""


def annealed(step: Step, levels: Sequence[Level], repeats: int) -> Program:
    """`repeats` (the paper's T) steps at each level."""
    return [(step, level) for level in levels for _ in range(repeats)]


def predictor_corrector(predictor: Step, corrector: Step, levels: Sequence[Level], inner: int = 1) -> Program:
    """At each level `inner` corrector steps, then one predictor step (arXiv 2011.13456, algorithm 1)."""
    return [pair for level in levels for pair in [*[(corrector, level)] * inner, (predictor, level)]]


def one_step_per_level(step: Step, levels: Sequence[Level]) -> Program:
    """One step from each level to its successor."""
    return [(step, level) for level in levels if level.next is not None]


def run(
    program: Program, state: State, score: Score, noise: Noise, algebra: Algebra, watch: int = 1
) -> Iterator[tuple[State, Info]]:
    """Yield `(state, info)` after each step of the program; both are valid until the next one.

    Whether the position is finite is looked at after every `watch` steps, and at the end. A step adds to the position,
    so what is not finite stays so: nothing is missed, it is found later.

    Raises NonFiniteState where it is not.
    """
    number = -1
    for number, (step, level) in enumerate(program):
        state, info = step(algebra.begin_step(state), score, noise, level, algebra)
        if not (number + 1) % watch:
            _look(number, watch, level, state, info, algebra)
        yield state, info
    if (number + 1) % watch:
        _look(number, (number + 1) % watch, level, state, info, algebra)


def last(states: Iterable[tuple[State, Info]]) -> tuple[State, Info]:
    """Return the last state and info of a run. Raises ValueError where there is none."""
    end = deque(states, maxlen=1)
    if not end:
        raise ValueError("an empty program has no last state")
    return end[0]


def spent(states: Iterable[tuple[State, Info]], start: State) -> tuple[State, int]:
    """Return the last state of a run (`start` where it has none) and its score evaluations (NFE)."""
    state, evaluations = start, 0
    for after, info in states:
        state, evaluations = after, evaluations + info.evaluations
    return state, evaluations


def _look(number: int, steps: int, level: Level, state: State, info: Info, algebra: Algebra) -> None:
    """Raise NonFiniteState where the position after step `number` is not finite, the first look in so many steps."""
    if algebra.finite(state.x):
        return
    since = f" or up to {steps - 1} before, which run(...) tells" if steps > 1 else ""
    norms = {"x": state.x, "x before": info.at, "momentum": state.m, "score": state.s}
    told = ", ".join(f"<{name}> = {algebra.norm(v)}" for name, v in norms.items() if v is not None)
    raise NonFiniteState(
        f"state not finite after step {number} (level {level.number}, sigma {level.sigma:g}){since}: {told}; "
        f"{info.coefficients}; try a smaller step"
    )


def sample(
    program: Program,
    x: Tensor,
    score: Score,
    generator: torch.Generator,
    algebra: Particles | None = None,
) -> tuple[State, Info, int]:
    """Run a program on particles from `x` to its end.

    Returns the last state, its info and the number of score evaluations (NFE). Raises ValueError on an empty program,
    and NonFiniteState, at most `WATCH` steps late: to look at each step takes a tenth of one in the plane.
    """
    algebra, evaluations = algebra or Particles(), 0
    reached: tuple[State, Info] | None = None
    for reached in run(program, State(x), score, generated(generator, algebra.empty_like), algebra, WATCH):
        evaluations += reached[1].evaluations
    if reached is None:
        raise ValueError("an empty program has no last state")
    return *reached, evaluations


def denoised(info: Info, state: State, level: Level, algebra: Algebra) -> Vector:
    """Return Tweedie's `(y + sigma^2 s(y)) / scale` at the last evaluation's point `y`.

    The last move and its noise are discarded, as in the released annealed samplers. Needs a step that keeps `s`.
    """
    if state.s is None:
        raise ValueError("this sampler keeps no score: denoise with score(x, level) instead")
    return algebra.combine((1.0 / level.scale, info.at), (level.sigma**2 / level.scale, state.s))


def denoise(x: Vector, level: Level, score: Score, algebra: Algebra) -> Vector:
    """Return Tweedie's `(x + sigma^2 s(x)) / scale`: the posterior mean of `x_0`, for one more evaluation."""
    return algebra.combine((1.0 / level.scale, x), (level.sigma**2 / level.scale, score(x, level)))
