r"""Graph samplers: the library's steps on two coupled states, node features and adjacency.

The two run side by side, each the library's own loop with its own program, noise and algebra. A *round* is a number of
steps of one, then as many of the other, both scores at the partner as it was before the round (Jacobi), as released:
a corrector's call of several inner steps is a round, a predictor's step another.

Correctors find their step from the draw, `a = 2 alpha (snr <z> / <g>)^2`, and scale the noise by `scale_eps`. Their
norm `<g>` is the score's (Langevin, Leimkuhler-Matthews) or the updated momentum's. The release never
stores the adjacency's momentum, so that its adjacency is plain Langevin (`memoryless`); as described, both states keep
it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeAlias

from torch import Tensor

from ams.samplers import (
    Algebra,
    Info,
    Noise,
    Program,
    Score,
    State,
    Step,
    adaptive,
    affine,
    constant,
    langevin,
    last,
    leimkuhler_matthews,
    memoryless,
    momentum,
    momentum_rule,
    predictor_corrector,
    run,
    snr_of_momentum,
    snr_of_score,
)
from ams.samplers.rules import MomentumCoefficient, Size
from ams.schedules import Level
from experiments.graphs.systems import CoupledScore, Pair, System

DELTA = 1e-4
"""The clip of the released graph correctors."""


Predictor: TypeAlias = Callable[[System, int], Step]
"""`predictor(system, n)`: the step of one system in a run of `n`."""


class Correctors(NamedTuple):
    """The corrector of each state."""

    features: Step
    adjacency: Step


def scaled_noise(step: Step, scale: float) -> Step:
    """The step with its noise times `scale`.

    A step size that is found from the draw sees the scaled one: give it `snr / scale`.
    """

    def scaled(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        return step(state, score, lambda x: algebra.combine((scale, noise(x))), level, algebra)

    return scaled


def sized(step: Step, size: Size) -> Step:
    """A step of the schedule's `level.step`, with the step that `size` finds from score and draw in its place."""

    def found(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        s = score(state.x, level)
        if state.z is None:
            state = state._replace(z=noise(state.x))
        z = noise(state.x)
        a = size(state, s, z, 0.0, level, algebra)
        return step(state, lambda x, at: s, lambda x: z, level._replace(step=a), algebra)

    return found


def langevin_corrector(snr: float, scale_eps: float) -> Correctors:
    """Langevin for both, as GDSS has it."""
    step = scaled_noise(langevin(snr_of_score(snr / scale_eps)), scale_eps)
    return Correctors(step, step)


def averaged_noise_corrector(snr: float, scale_eps: float) -> Correctors:
    """Leimkuhler-Matthews for both."""
    step = scaled_noise(sized(leimkuhler_matthews, snr_of_score(snr / scale_eps)), scale_eps)
    return Correctors(step, step)


def released_momentum(damping: MomentumCoefficient, snr: float, scale_eps: float) -> Correctors:
    """Momentum as released: the adjacency's is lost after each step."""
    described = described_momentum(damping, snr, scale_eps)
    return described._replace(adjacency=memoryless(described.adjacency))


def described_momentum(damping: MomentumCoefficient, snr: float, scale_eps: float) -> Correctors:
    """Momentum as described: both states keep theirs."""
    step = scaled_noise(momentum(momentum_rule(damping, snr_of_momentum(snr / scale_eps))), scale_eps)
    return Correctors(step, step)


def released_adaptive(snr: float, scale_eps: float) -> Correctors:
    """Adaptive momentum as released."""
    return released_momentum(adaptive(DELTA), snr, scale_eps)


def described_adaptive(snr: float, scale_eps: float) -> Correctors:
    """Adaptive momentum as described."""
    return described_momentum(adaptive(DELTA), snr, scale_eps)


def released_constant(snr: float, scale_eps: float, beta: float = 0.8) -> Correctors:
    """Constant momentum as released."""
    return released_momentum(constant(beta), snr, scale_eps)


def described_constant(snr: float, scale_eps: float, beta: float = 0.8) -> Correctors:
    """Constant momentum as described."""
    return described_momentum(constant(beta), snr, scale_eps)


class Run(NamedTuple):
    """What both states do: a program each, and `rounds`, how many steps of each lie between two exchanges."""

    features: Program
    adjacency: Program
    rounds: list[int]


def predicted(pair: Pair, predictor: Predictor, n: int, end: float) -> Run:
    """Return `n` steps of a predictor alone."""
    features, adjacency = ([(predictor(system, n), level) for level in system.levels(n, end)] for system in pair)
    return Run(features, adjacency, [1] * n)


def corrected(pair: Pair, predictor: Predictor, correctors: Correctors, n: int, end: float, inner: int = 1) -> Run:
    """Return `n` times `inner` steps of the corrector, then one of the predictor."""
    features, adjacency = (
        predictor_corrector(predictor(system, n), corrector, system.levels(n, end), inner)
        for system, corrector in zip(pair, correctors, strict=True)
    )
    return Run(features, adjacency, [inner, 1] * n)


def euler_maruyama(system: System, n: int) -> Step:
    """Euler-Maruyama as released."""
    return affine(system.euler(n))


def reverse_diffusion(system: System, n: int) -> Step:
    """Reverse diffusion as released."""
    return affine(system.reverse(n))


def s4(snr: float, scale_eps: float) -> Predictor:
    """S4: one score a step, for a Langevin correction and the reverse drift between two half steps of the forward one.

        x = x + a s + scale_eps sqrt(2 a) z_1;   y = p x + r z_2 + g(t)^2 s / n;   x' = p' y + r' z_3

    `p`, `r` of the half steps from `t` and `t + h`, `h = -1 / (2 n)`. `Info.mean` is without `z_3`.
    """
    corrector, _ = langevin_corrector(snr, scale_eps)

    def predictor(system: System, n: int) -> Step:
        h = -0.5 / n

        def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
            s = score(state.x, level)
            x = corrector(state, lambda x, at: s, noise, level, algebra)[0].x
            first, second = system.half_step(level.t, h), system.half_step(level.t + h, h)
            y = algebra.combine((first.p, x), (first.r, noise(x)), (system.process.diffusion2(level.t) / n, s))
            mean = partial(algebra.combine, (second.p, y))
            return state._replace(x=algebra.combine((second.p, y), (second.r, noise(y)))), Info(1, state.x, mean)

        return step

    return predictor


class Half(NamedTuple):
    """What one of the two states starts from and is moved by."""

    start: Tensor
    score: CoupledScore
    noise: Noise
    algebra: Algebra


@dataclass
class _Partners:
    """Both positions as they were before the round."""

    features: Tensor
    adjacency: Tensor


Reached: TypeAlias = tuple[State, Info]


def coupled(plan: Run, features: Half, adjacency: Half) -> Iterator[tuple[Reached, Reached]]:
    """Yield both states, each with its info, after each round; valid until the next.

    Raises NonFiniteState as `run` does, and ValueError where a program ends before the rounds do.
    """
    before = _Partners(features.start, adjacency.start)

    def of_features(x: Tensor, level: Level) -> Tensor:
        return features.score(x, before.adjacency, level)

    def of_adjacency(a: Tensor, level: Level) -> Tensor:
        return adjacency.score(a, before.features, level)

    first = run(plan.features, State(features.start), of_features, features.noise, features.algebra)
    second = run(plan.adjacency, State(adjacency.start), of_adjacency, adjacency.noise, adjacency.algebra)
    for steps in plan.rounds:
        one, other = last(islice(first, steps)), last(islice(second, steps))
        before.features, before.adjacency = one[0].x.clone(), other[0].x.clone()
        yield one, other


class Denoised(NamedTuple):
    """The result of a run: both states without the last noise."""

    features: Tensor
    adjacency: Tensor


def denoised_end(rounds: Iterable[tuple[Reached, Reached]]) -> Denoised:
    """Return both means at the last round. Raises ValueError for none."""
    end = deque(rounds, maxlen=1)
    if not end:
        raise ValueError("a run of no rounds has no result")
    return Denoised(*(info.mean() for _, info in end[0]))
