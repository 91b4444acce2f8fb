"""The samplers compared: each is one line, its program for a budget and what tuning may change.

`Ends` are the first and last noise level; a `Choice` is one setting of every knob. Annealed samplers take T steps at
each of NFE / T geometric levels with NCSNv2's step (times `factor`); the others one step from each level to the next,
so that all end at the last level, at no more than the budget.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import NamedTuple, TypeAlias

from ams.noise import Level, annealed_levels, exploding_levels, geometric_sigmas, karras_sigmas, ncsnv2_step
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
    predictor_corrector,
    reverse_sde,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.samplers.moves import following
from analysis.annealed.settings import Settings


class Ends(NamedTuple):
    """First and last noise level of a run."""

    first: float
    last: float


class Choice(NamedTuple):
    """One setting: the defaults, and what tuning or sensitivity changes of them (`Settings` says what each is)."""

    factor: float = 1.0
    repeats: int = 5
    snr: float = 0.16
    rho: float = 0.0
    churn: float = 40.0
    beta: float = 0.9
    pull: float = 1.5
    delta: float = 1e-3
    tolerance: float = 1e-5


DEFAULT = Choice()
Tuning: TypeAlias = Callable[[Settings], list[Choice]]


class Kind(Enum):
    """What a step needs for its law on a mixture."""

    KERNEL = "position alone, a Gaussian kernel a step: the grid law"
    MAP = "no noise: transport of quantiles"
    PATH = "memory, or noise that a nonlinear map follows: particles"


class Sampler(NamedTuple):
    """A sampler: its program, what tuning tries, its kind; `stacks`: runs differ by levels and steps alone.

    `drift` is the factor of a constant drift, for the stability of its steps.
    """

    program: Callable[[Ends, int, Choice], Program]
    tuning: Tuning
    kind: Kind
    stacks: bool = False
    drift: float = 1.0


@cache
def ladder(ends: Ends, count: int, repeats: int) -> tuple[tuple[float, ...], float]:
    """Return `count` geometric levels and NCSNv2's step `epsilon` for `repeats` steps at each."""
    sigmas = geometric_sigmas(*ends, count)
    return tuple(sigmas.tolist()), ncsnv2_step(sigmas, repeats)


def stationed(step: Callable[[Choice], Step], kind: Kind = Kind.PATH, tuning: Tuning | None = None) -> Sampler:
    """An annealed sampler: T steps at each level."""

    def program(ends: Ends, budget: int, choice: Choice) -> Program:
        sigmas, epsilon = ladder(ends, budget // choice.repeats, choice.repeats)
        return annealed(step(choice), annealed_levels(sigmas, choice.factor * epsilon), choice.repeats)

    return Sampler(program, tuning or steps_tuned, kind, stacks=True)


def pulled(drift: float) -> Sampler:
    """The control: annealed Langevin with its drift, not its noise, multiplied by a constant."""
    return stationed(lambda choice: langevin(factor=drift), Kind.KERNEL)._replace(drift=drift)


def descending(step: Callable[[Choice, int], Step], kind: Kind, tuning: Tuning | None = None, cost: int = 1) -> Sampler:
    """A sampler that goes from level to level, at `cost` evaluations a step; `step` is told how many there are."""

    def program(ends: Ends, budget: int, choice: Choice) -> Program:
        count = budget // cost
        return downward(step(choice, count), levels(ends, count + 1, choice.rho))

    return Sampler(program, tuning or levels_tuned, kind)


def corrected(corrector: Callable[[Choice], Step], kind: Kind = Kind.PATH) -> Sampler:
    """Predictor-corrector: reverse diffusion, and one corrector step at each level (the last one included)."""

    def program(ends: Ends, budget: int, choice: Choice) -> Program:
        steps, ladder = corrector(choice), levels(ends, (budget + 1) // 2, choice.rho)
        return [*predictor_corrector(affine(reverse_sde), steps, ladder[:-1]), (steps, ladder[-1])]

    return Sampler(program, snr_tuned, kind)


def levels(ends: Ends, count: int, rho: float) -> list[Level]:
    """Return `count` levels, geometric or EDM's with exponent `rho`."""
    return exploding_levels(karras_sigmas(*ends, count, rho) if rho else geometric_sigmas(*ends, count))


def pulling(pull: float) -> Callable[[Level], Move]:
    """Consistent annealed sampling with `eta = pull (1 - g')`: the flow at pull 1, ancestral at `1 + g'`, nearly 2."""

    def kernel(level: Level) -> Move:
        return consistent(pull * (1.0 - following(level).sigma / level.sigma))(level)

    return kernel


def steps_tuned(settings: Settings) -> list[Choice]:
    """Step factor and steps a level."""
    return [Choice(factor=factor, repeats=repeats) for repeats in settings.repeats for factor in settings.factors]


def damping_tuned(settings: Settings) -> list[Choice]:
    """Step factor, steps a level and the constant momentum."""
    return [choice._replace(beta=beta) for beta in settings.betas for choice in steps_tuned(settings)]


def snr_tuned(settings: Settings) -> list[Choice]:
    """The corrector's signal-to-noise ratio."""
    return [Choice(snr=snr) for snr in settings.snrs]


def levels_tuned(settings: Settings) -> list[Choice]:
    """The exponent of the levels."""
    return [Choice(rho=rho) for rho in settings.rhos]


def pull_tuned(settings: Settings) -> list[Choice]:
    """The drift of consistent annealed sampling."""
    return [Choice(pull=pull) for pull in settings.pulls]


def churn_tuned(settings: Settings) -> list[Choice]:
    """Churn and the exponent of the levels."""
    return [Choice(churn=churn, rho=rho) for rho in settings.rhos for churn in settings.churns]


def _adaptive(choice: Choice) -> Rule:
    return momentum_rule(adaptive(choice.delta))


def _averaging(choice: Choice) -> Rule:
    return momentum_rule(adaptive(choice.delta), factor=unit_factor)


SAMPLERS = {
    "annealed Langevin": stationed(lambda c: langevin(), Kind.KERNEL),
    "Langevin, drift x1.5": pulled(1.5),
    "Langevin, drift x2": pulled(2.0),
    "Leimkuhler-Matthews": stationed(lambda c: leimkuhler_matthews),
    "adaptive momentum": stationed(lambda c: momentum(_adaptive(c))),
    "adaptive, drift only": stationed(lambda c: momentum(without_averaging(_adaptive(c)))),
    "adaptive, average only": stationed(lambda c: momentum(_averaging(c))),
    "adaptive, noise corrected": stationed(lambda c: momentum(with_corrected_noise(_adaptive(c)))),
    "constant momentum": stationed(lambda c: momentum(momentum_rule(constant(c.beta))), tuning=damping_tuned),
    "consistent": descending(lambda c, n: affine(pulling(c.pull)), Kind.KERNEL, pull_tuned),
    "reverse diffusion": descending(lambda c, n: affine(reverse_sde), Kind.KERNEL),
    "ancestral": descending(lambda c, n: affine(ancestral), Kind.KERNEL),
    "PC, Langevin": corrected(lambda c: langevin(snr_of_score(c.snr)), Kind.KERNEL),
    "PC, adaptive": corrected(lambda c: momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(c.snr)))),
    "PC, constant": corrected(lambda c: momentum(momentum_rule(constant(c.beta), snr_of_momentum(c.snr)))),
    "flow, Euler": descending(lambda c, n: affine(flow_euler), Kind.MAP),
    "flow, Heun": descending(lambda c, n: flow_heun, Kind.MAP, cost=2),
    "EDM stochastic": descending(lambda c, n: edm_stochastic(n, c.churn), Kind.PATH, churn_tuned, cost=2),
    "DPM-Solver++": descending(lambda c, n: dpm_solver(0.0), Kind.MAP),
    "SDE-DPM-Solver++": descending(lambda c, n: dpm_solver(1.0), Kind.PATH),
    "isothermal, e = 0": descending(lambda c, n: isothermal(0.0), Kind.PATH),
    "isothermal, e = 1/2": descending(lambda c, n: isothermal(0.5), Kind.PATH),
}
