"""The loop that runs every sampler. A run is a program: the pairs (step, noise level) in order.

An annealed run repeats one step at each noise level; a predictor-corrector run alternates two. The
loop yields every state, so that trajectories and last states need the same code.
"""

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
"""The pairs (step, noise level) of a run, in order."""

WATCH = 16
"""The number of steps between two checks of `sample` that its state is finite."""


class NonFiniteState(ArithmeticError):
    """A state with an infinite or undefined entry; the message has the step, the noise level and
    the norms.
    """


def annealed(step: Step, levels: Sequence[Level], repeats: int) -> Program:
    """Return the program of `repeats` (the paper's T) steps at each noise level."""
    return [(step, level) for level in levels for _ in range(repeats)]


def predictor_corrector(
    predictor: Step, corrector: Step, levels: Sequence[Level], inner: int = 1
) -> Program:
    """Return `inner` corrector steps, then a predictor step, at each noise level (arXiv
    2011.13456, algorithm 1).
    """
    return [
        pair for level in levels for pair in [*[(corrector, level)] * inner, (predictor, level)]
    ]


def one_step_per_level(step: Step, levels: Sequence[Level]) -> Program:
    """Return the program of one step from each noise level to the next."""
    return [(step, level) for level in levels if level.next is not None]


def run(
    program: Program, state: State, score: Score, noise: Noise, algebra: Algebra, watch: int = 1
) -> Iterator[tuple[State, Info]]:
    """Yield `(state, info)` after each step of the program; both are valid until the next step.

    After every `watch` steps and at the end the loop checks that the position is finite. A step
    adds to the position, so NaN and infinity propagate and a late check still finds them. Raises
    NonFiniteState where it finds them.
    """
    number = -1
    for number, (step, level) in enumerate(program):
        state, info = step(algebra.begin_step(state), score, noise, level, algebra)
        if not (number + 1) % watch:
            _check_finite(number, watch, level, state, info, algebra)
        yield state, info
    if (number + 1) % watch:
        _check_finite(number, (number + 1) % watch, level, state, info, algebra)


def last(states: Iterable[tuple[State, Info]]) -> tuple[State, Info]:
    """Return the last state and info of a run. Raises ValueError for a run without steps."""
    end = deque(states, maxlen=1)
    if not end:
        raise ValueError("an empty program has no last state")
    return end[0]


def spent(states: Iterable[tuple[State, Info]], start: State) -> tuple[State, int]:
    """Return the last state of a run, `start` for a run without steps, and its score evaluations
    (NFE).
    """
    state, evaluations = start, 0
    for after, info in states:
        state, evaluations = after, evaluations + info.evaluations
    return state, evaluations


def _check_finite(
    number: int, steps: int, level: Level, state: State, info: Info, algebra: Algebra
) -> None:
    """Raise NonFiniteState if the position after step `number` is not finite; the last check was
    `steps` earlier.
    """
    if algebra.finite(state.x):
        return
    since = f" or up to {steps - 1} steps earlier, see run(..., watch=1)" if steps > 1 else ""
    vectors = {"x": state.x, "x before": info.at, "momentum": state.m, "score": state.s}
    norms = ", ".join(
        f"<{name}> = {algebra.norm(v)}" for name, v in vectors.items() if v is not None
    )
    raise NonFiniteState(
        f"state not finite after step {number} (noise level {level.number}, sigma "
        f"{level.sigma:g}){since}: {norms}; "
        f"{info.coefficients}; try a smaller step"
    )


def sample(
    program: Program,
    x: Tensor,
    score: Score,
    generator: torch.Generator,
    algebra: Particles | None = None,
) -> tuple[State, Info, int]:
    """Run a program on particles that start at `x`, of shape (batch, *shape).

    Returns the last state, its info and the number of score evaluations (NFE). Raises ValueError on
    an empty program. Raises NonFiniteState up to `WATCH` steps late, since a check takes a tenth of
    a step on small states.
    """
    algebra, evaluations = algebra or Particles(), 0
    end: tuple[State, Info] | None = None
    for end in run(
        program, State(x), score, generated(generator, algebra.empty_like), algebra, WATCH
    ):
        evaluations += end[1].evaluations
    if end is None:
        raise ValueError("an empty program has no last state")
    return *end, evaluations


def denoised(info: Info, state: State, level: Level, algebra: Algebra) -> Vector:
    """Return `(y + sigma^2 s(y)) / scale` (Tweedie's formula) at the point `y` of the last score
    evaluation.

    This discards the last step and its noise, as do the annealed samplers of the code published
    with arXiv 2405.13726. Raises ValueError for a sampler whose state has no score.
    """
    if state.s is None:
        raise ValueError(
            "this sampler's state has no score: use denoise(x, level, score, algebra) instead"
        )
    return algebra.combine((1.0 / level.scale, info.at), (level.sigma**2 / level.scale, state.s))


def denoise(x: Vector, level: Level, score: Score, algebra: Algebra) -> Vector:
    """Return the posterior mean of `x_0`, `(x + sigma^2 s(x)) / scale` (Tweedie's formula): one
    score evaluation.
    """
    return algebra.combine((1.0 / level.scale, x), (level.sigma**2 / level.scale, score(x, level)))
