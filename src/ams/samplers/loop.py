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

from ams.noise import Level
from ams.samplers.base import Algebra, Info, Noise, Score, State, Step, Vector
from ams.samplers.draws import generated
from ams.samplers.particles import Particles

Program: TypeAlias = Iterable[tuple[Step, Level]]


class NonFiniteState(ArithmeticError):
    """A state with an infinite or undefined entry; the message names step, level and norms."""


def annealed(step: Step, levels: Sequence[Level], repeats: int) -> Program:
    """`repeats` (the paper's T) steps at each level."""
    return [(step, level) for level in levels for _ in range(repeats)]


def predictor_corrector(predictor: Step, corrector: Step, levels: Sequence[Level], inner: int = 1) -> Program:
    """At each level `inner` corrector steps, then one predictor step (arXiv 2011.13456, algorithm 1)."""
    return [pair for level in levels for pair in [*[(corrector, level)] * inner, (predictor, level)]]


def downward(step: Step, levels: Sequence[Level]) -> Program:
    """One step from each level to its successor."""
    return [(step, level) for level in levels if level.next is not None]


def run(program: Program, state: State, score: Score, noise: Noise, algebra: Algebra) -> Iterator[tuple[State, Info]]:
    """Yield `(state, info)` after each step of the program; both are valid until the next one.

    Raises NonFiniteState at the first step whose position is not finite.
    """
    for number, (step, level) in enumerate(program):
        state, info = step(algebra.settle(state), score, noise, level, algebra)
        if not algebra.finite(state.x):
            raise NonFiniteState(_complaint(number, level, state, info, algebra))
        yield state, info


def last(states: Iterable[tuple[State, Info]]) -> tuple[State, Info]:
    """Return the last state and info of a run. Raises ValueError where there is none."""
    end = deque(states, maxlen=1)
    if not end:
        raise ValueError("an empty program has no last state")
    return end[0]


def _complaint(number: int, level: Level, state: State, info: Info, algebra: Algebra) -> str:
    norms = {"x": state.x, "x before": info.at, "momentum": state.m, "score": state.s}
    told = ", ".join(f"<{name}> = {algebra.norm(v)}" for name, v in norms.items() if v is not None)
    return (
        f"state not finite after step {number} (level {level.number}, sigma {level.sigma:g}): {told}; "
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

    Returns the last state, its info and the number of score evaluations (NFE). Raises ValueError on an empty program.
    """
    algebra, evaluations = algebra or Particles(), 0
    reached: tuple[State, Info] | None = None
    for reached in run(program, State(x), score, generated(generator, algebra.empty_like), algebra):
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
