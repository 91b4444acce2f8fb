r"""Graph samplers: the library's steps on two coupled states, node features and adjacency.

The two run side by side, each the library's own loop with its own program, noise and algebra. A
*round* is a number of steps of one, then as many of the other, both scores at the partner as it was
before the round (Jacobi), as in the authors' code: a corrector's call of several inner steps is a
round, a predictor's step another.

Correctors find their step size from the noise, `a = 2 alpha (snr <z> / <g>)^2`, and scale the noise
by `scale_eps`. Their norm `<g>` is that of the score (Langevin, Leimkuhler-Matthews) or of the
updated momentum. The authors' code never stores the adjacency's momentum, so its adjacency is plain
Langevin (`memoryless`). As described in the paper, both states have momentum.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeAlias

from torch import Tensor

from ams import samplers
from ams.samplers import Algebra, Info, Noise, Program, Score, State, Step
from ams.samplers.rules import MomentumCoefficient, Size
from ams.schedules import Level
from experiments.graphs.graph_layout import Layout
from experiments.graphs.systems import CoupledScore, Pair, System

ADAPTIVE, CONSTANT = samplers.adaptive(1e-4), samplers.constant(0.8)
"""Momentum coefficients of the authors' graph correctors."""
Predictor: TypeAlias = Callable[[System, int], Step]
"""`predictor(system, n)`: the step of one system in a run of `n`."""


Correctors: TypeAlias = tuple[Step, Step]
"""The correctors of features and adjacency."""
Corrector: TypeAlias = Callable[[float, float], Correctors]
"""`corrector(snr, scale_eps)`: the correctors of both states."""


def scaled_noise(step: Step, scale: float) -> Step:
    """The step with its noise times `scale`.

    A step size that is found from the noise sees the scaled noise: give it `snr / scale`.
    """

    def scaled(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        return step(state, score, lambda x: algebra.combine((scale, noise(x))), level, algebra)

    return scaled


def sized(step: Step, size: Size) -> Step:
    """A step of the schedule's `level.step`, with the step size that `size` finds from score and
    noise in its place.
    """

    def resized(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        s = score(state.x, level)
        if state.z is None:
            state = state._replace(z=noise(state.x))
        z = noise(state.x)
        a = size(state, s, z, 0.0, level, algebra)
        return step(state, lambda x, at: s, lambda x: z, level._replace(step=a), algebra)

    return resized


def langevin(snr: float, scale_eps: float) -> Correctors:
    """Langevin for both states, as in GDSS."""
    step = scaled_noise(samplers.langevin(samplers.snr_of_score(snr / scale_eps)), scale_eps)
    return step, step


def leimkuhler_matthews(snr: float, scale_eps: float) -> Correctors:
    """Leimkuhler-Matthews for both states."""
    step = scaled_noise(
        sized(samplers.leimkuhler_matthews, samplers.snr_of_score(snr / scale_eps)), scale_eps
    )
    return step, step


def momentum_in_both(coefficient: MomentumCoefficient, snr: float, scale_eps: float) -> Correctors:
    """Momentum for both states: the form that the authors' code appears to intend."""
    rule = samplers.momentum_rule(coefficient, samplers.snr_of_momentum(snr / scale_eps))
    step = scaled_noise(samplers.momentum(rule), scale_eps)
    return step, step


def authors_momentum(coefficient: MomentumCoefficient, snr: float, scale_eps: float) -> Correctors:
    """Momentum as in the authors' code, which loses the adjacency's momentum after each step."""
    features, adjacency = momentum_in_both(coefficient, snr, scale_eps)
    return features, samplers.memoryless(adjacency)


class CoupledProgram(NamedTuple):
    """A program for each state, and `rounds`, how many steps of each lie between two exchanges."""

    features: Program
    adjacency: Program
    rounds: list[int]


def planned(
    pair: Pair,
    predictor: Predictor,
    n: int,
    end: float,
    correctors: Correctors | None = None,
    inner: int = 1,
) -> CoupledProgram:
    """Return `n` steps of a predictor, each after `inner` steps of the correctors where there
    are any.
    """
    if correctors is None:
        one, other = (
            [(predictor(system, n), level) for level in system.levels(n, end)] for system in pair
        )
        return CoupledProgram(one, other, [1] * n)
    features, adjacency = (
        samplers.predictor_corrector(predictor(system, n), corrector, system.levels(n, end), inner)
        for system, corrector in zip(pair, correctors, strict=True)
    )
    return CoupledProgram(features, adjacency, [inner, 1] * n)


def euler_maruyama(system: System, n: int) -> Step:
    """Euler-Maruyama as in the authors' code."""
    return samplers.affine(samplers.authors_euler_maruyama(system.process, n))


def reverse_diffusion(system: System, n: int) -> Step:
    """Reverse diffusion as in the authors' code."""
    return samplers.affine(system.reverse(n))


def s4(snr: float, scale_eps: float) -> Predictor:
    """S4: one score a step, for a Langevin correction and the reverse drift between two half steps
    of the forward one.

        x = x + a s + scale_eps sqrt(2 a) z_1;  y = p x + r z_2 + g(t)^2 s / n;  x' = p' y + r' z_3

    `p`, `r` of the half steps from `t` and `t + h`, `h = -1 / (2 n)`. `Info.mean` is without `z_3`.
    """
    corrector, _ = langevin(snr, scale_eps)

    def predictor(system: System, n: int) -> Step:
        h = -0.5 / n

        def step(
            state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
        ) -> tuple[State, Info]:
            s = score(state.x, level)
            x = corrector(state, lambda x, at: s, noise, level, algebra)[0].x
            first, second = system.half_step(level.t, h), system.half_step(level.t + h, h)
            y = algebra.combine(
                (first.p, x), (first.r, noise(x)), (system.process.diffusion2(level.t) / n, s)
            )
            mean = partial(algebra.combine, (second.p, y))
            return state._replace(x=algebra.combine((second.p, y), (second.r, noise(y)))), Info(
                1, state.x, mean
            )

        return step

    return predictor


class Half(NamedTuple):
    """One of the two states: its start, its score given the other, its noise and its algebra."""

    start: Tensor
    score: CoupledScore
    noise: Noise
    algebra: Algebra


StateAndInfo: TypeAlias = tuple[State, Info]
Round: TypeAlias = tuple[StateAndInfo, StateAndInfo]
"""Features and adjacency after a round."""


def coupled(plan: CoupledProgram, features: Half, adjacency: Half) -> Iterator[Round]:
    """Yield both states, each with its info, after each round; valid until the next.

    Raises NonFiniteState as `ams.samplers.run` does, and ValueError where a program ends before the
    rounds do.
    """
    before = [features.start, adjacency.start]  # both positions before the round

    def of_features(x: Tensor, level: Level) -> Tensor:
        return features.score(x, before[1], level)

    def of_adjacency(a: Tensor, level: Level) -> Tensor:
        return adjacency.score(a, before[0], level)

    first = samplers.run(
        plan.features, State(features.start), of_features, features.noise, features.algebra
    )
    second = samplers.run(
        plan.adjacency, State(adjacency.start), of_adjacency, adjacency.noise, adjacency.algebra
    )
    for steps in plan.rounds:
        one, other = samplers.last(islice(first, steps)), samplers.last(islice(second, steps))
        before[:] = one[0].x.clone(), other[0].x.clone()
        yield one, other


class Denoised(NamedTuple):
    """The result of a run: both states without the last noise."""

    features: Tensor
    adjacency: Tensor

    def padded(self, layout: Layout, side: int) -> "Denoised":
        """Return both as padded matrices, graphs in the caller's order."""
        return Denoised(
            layout.pad_rows(self.features, side), layout.pad_pairs(self.adjacency, side)
        )


def denoised_end(rounds: Iterable[Round]) -> Denoised:
    """Return both means at the last round. Raises ValueError for a run of no rounds."""
    (end,) = deque(rounds, maxlen=1)
    return Denoised(*(info.mean() for _, info in end))
