"""The samplers by name: each is one line, its program for a budget of score evaluations and one setting of every knob.

`Ends` are the first and last noise level; a `Choice` is one setting of every knob. Annealed samplers take T steps at
each of NFE / T geometric levels with NCSNv2's step (times `factor`); the others one step from each level to the next,
so that all end at the last level, at no more than the budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

from ams.samplers import (
    Move,
    Program,
    Rule,
    Step,
    adaptive,
    affine,
    ancestral,
    annealed,
    consistent,
    constant,
    downward,
    dpm_solver,
    edm_stochastic,
    flow_euler,
    flow_heun,
    isothermal,
    langevin,
    leimkuhler_matthews,
    momentum,
    momentum_rule,
    paced,
    predictor_corrector,
    reverse_sde,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
    tapered,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.samplers.affine_transitions import following
from ams.schedules import Level, annealed_levels, exploding_levels, geometric_sigmas, karras_sigmas, ncsnv2_step


class Ends(NamedTuple):
    """First and last noise level of a run."""

    first: float
    last: float


class Choice(NamedTuple):
    """One setting. `factor` of NCSNv2's step and `repeats` (T) of an annealed run; a corrector's `snr`; the exponent
    `rho` of the levels (0: geometric); EDM's `churn`,
    at noise below `reach`; constant `beta`; `pull`, consistent annealed sampling's drift in
    units of the flow's; the clip `delta`; a solver's `tolerance`. `extra` lengthens the first move of adaptive
    momentum by so many of the last level's steps: 1 as released, 0 in the theory.
    """

    factor: float = 1.0
    repeats: int = 5
    snr: float = 0.16
    rho: float = 0.0
    churn: float = 40.0
    beta: float = 0.9
    pull: float = 1.5
    delta: float = 1e-3
    tolerance: float = 1e-5
    extra: float = 0.0
    reach: float = math.inf


DEFAULT = Choice()
Maker: TypeAlias = Callable[[Ends, int, Choice], Program]
"""`program(ends, budget, choice)`: at most `budget` evaluations."""


@cache
def ladder(ends: Ends, count: int, repeats: int) -> tuple[tuple[float, ...], float]:
    """Return `count` geometric levels and NCSNv2's step `epsilon` for `repeats` steps at each."""
    sigmas = geometric_sigmas(*ends, count)
    return tuple(sigmas.tolist()), ncsnv2_step(sigmas, repeats)


def stationed(step: Callable[[Choice, float], Step]) -> Maker:
    """An annealed sampler: T steps at each level. `step` is told the choice and the last level's step `epsilon`."""

    def program(ends: Ends, budget: int, choice: Choice) -> Program:
        sigmas, epsilon = ladder(ends, budget // choice.repeats, choice.repeats)
        size = choice.factor * epsilon
        return annealed(step(choice, size), annealed_levels(sigmas, size), choice.repeats)

    return program


def pulled(drift: float) -> Maker:
    """The control: annealed Langevin with its drift, not its noise, multiplied by a constant."""
    return stationed(lambda choice, size: langevin(factor=drift))


def descending(step: Callable[[Choice, int], Step], cost: int = 1) -> Maker:
    """A sampler that goes from level to level, at `cost` evaluations a step; `step` is told how many there are."""

    def program(ends: Ends, budget: int, choice: Choice) -> Program:
        count = budget // cost
        return downward(step(choice, count), levels(ends, count + 1, choice.rho))

    return program


def corrected(corrector: Callable[[Choice], Step]) -> Maker:
    """Predictor-corrector: reverse diffusion, and one corrector step at each level (the last one included)."""

    def program(ends: Ends, budget: int, choice: Choice) -> Program:
        steps, ladder = corrector(choice), levels(ends, (budget + 1) // 2, choice.rho)
        return [*predictor_corrector(affine(reverse_sde), steps, ladder[:-1]), (steps, ladder[-1])]

    return program


def levels(ends: Ends, count: int, rho: float) -> list[Level]:
    """Return `count` levels, geometric or EDM's with exponent `rho`."""
    return exploding_levels(karras_sigmas(*ends, count, rho) if rho else geometric_sigmas(*ends, count))


def pulling(pull: float) -> Callable[[Level], Move]:
    """Consistent annealed sampling with `eta = pull (1 - g')`: the flow at pull 1, ancestral at `1 + g'`, nearly 2."""

    def kernel(level: Level) -> Move:
        return consistent(pull * (1.0 - following(level).sigma / level.sigma))(level)

    return kernel


def released(choice: Choice, size: float) -> Rule:
    """Adaptive momentum's rule, its first move longer by `extra`."""
    return momentum_rule(adaptive(choice.delta), extra=choice.extra * size)


def averaging(choice: Choice, size: float) -> Rule:
    """The same without the drift factor."""
    return momentum_rule(adaptive(choice.delta), factor=unit_factor, extra=choice.extra * size)


PROGRAMS: dict[str, Maker] = {
    "annealed Langevin": stationed(lambda c, a: langevin()),
    "Langevin, drift x1.5": pulled(1.5),
    "Langevin, drift x2": pulled(2.0),
    "Leimkuhler-Matthews": stationed(lambda c, a: leimkuhler_matthews),
    "adaptive momentum": stationed(lambda c, a: momentum(released(c, a))),
    "adaptive, drift only": stationed(lambda c, a: momentum(without_averaging(released(c, a)))),
    "adaptive, average only": stationed(lambda c, a: momentum(averaging(c, a))),
    "adaptive, noise corrected": stationed(lambda c, a: momentum(with_corrected_noise(released(c, a)))),
    "constant momentum": stationed(lambda c, a: momentum(momentum_rule(constant(c.beta)))),
    "consistent": descending(lambda c, n: affine(pulling(c.pull))),
    "reverse diffusion": descending(lambda c, n: affine(reverse_sde)),
    "ancestral": descending(lambda c, n: affine(ancestral)),
    "PC, Langevin": corrected(lambda c: langevin(snr_of_score(c.snr))),
    "PC, adaptive": corrected(lambda c: momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(c.snr)))),
    "PC, constant": corrected(lambda c: momentum(momentum_rule(constant(c.beta), snr_of_momentum(c.snr)))),
    "flow, Euler": descending(lambda c, n: affine(flow_euler)),
    "flow, Heun": descending(lambda c, n: flow_heun, cost=2),
    "EDM stochastic": descending(lambda c, n: edm_stochastic(n, c.churn, s_tmax=c.reach), cost=2),
    "DPM-Solver++": descending(lambda c, n: dpm_solver(0.0)),
    "SDE-DPM-Solver++": descending(lambda c, n: dpm_solver(1.0)),
    "isothermal, e = 0": descending(lambda c, n: isothermal(0.0)),
    "isothermal, e = 1/2": descending(lambda c, n: isothermal(0.5)),
    "isothermal, tapered": descending(lambda c, n: paced(tapered)),
}
