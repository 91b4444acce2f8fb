"""Target 1, a stiff Gaussian in 16 dimensions: the exact law of a sampler's run, and its
distance from the target.
"""

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ams.laws import GaussianLaw, Moments, flowed
from ams.laws.batched_gaussian import BatchedGaussian
from ams.metrics import gaussian_kl, gaussian_w2
from ams.samplers import NonFiniteState, Program, spent
from ams.samplers.presets import DEFAULT, SPECS, Family, Hyperparameters, SigmaRange
from analysis.targets import stiff_gaussian
from verdicts.studies import CellFunction, cell

SIGMAS = SigmaRange(50.0, 0.02)
TARGET = 1000.0
"""The condition number of the target."""


class Errors(NamedTuple):
    """Distances of a run's distribution from the target at the last noise level: W2, and KL(run
    || target) in nats.
    """

    w2: float
    kl: float


class GaussianRun(NamedTuple):
    """One setting of a sampler, the evaluations it took and its errors (infinite where it
    diverged).
    """

    hyperparameters: Hyperparameters
    evaluations: int
    errors: Errors


LOST = Errors(math.inf, math.inf)


@cell
def annealed_runs(
    sampler: str, budget: int, settings: tuple[Hyperparameters, ...], condition: float = TARGET
) -> list[GaussianRun]:
    """An annealed sampler's runs at a budget, one for each setting, computed together.

    The target is a Gaussian of that condition number.
    """
    programs = [SPECS[sampler].build(SIGMAS, budget, setting) for setting in settings]
    return list((_batched if len(settings) > 1 else _one_by_one)(settings, programs, condition))


@cell
def other_runs(
    sampler: str, budget: int, settings: tuple[Hyperparameters, ...], condition: float = TARGET
) -> list[GaussianRun]:
    """The runs at a budget of a sampler that is not annealed, one for each setting, on the same
    Gaussian.

    Not kept: a corrector's steps at a signal-to-noise ratio of 1 or more are chaotic, so that
    machines differ.
    """
    programs = [SPECS[sampler].build(SIGMAS, budget, setting) for setting in settings]
    return list(_one_by_one(settings, programs, condition))


def runs_of(sampler: str) -> CellFunction[..., list[GaussianRun]]:
    """Return the cell's function that has a sampler's runs."""
    return annealed_runs if SPECS[sampler].family is Family.ANNEALED else other_runs


def runs(
    sampler: str, budget: int, settings: tuple[Hyperparameters, ...], condition: float = TARGET
) -> list[GaussianRun]:
    """Return a sampler's runs at a budget, one for each setting, on a Gaussian of that condition
    number.
    """
    return runs_of(sampler)(sampler, budget, settings, condition)


@cell
def errors_at_defaults(sampler: str, budgets: tuple[int, ...]) -> list[Errors]:
    """An annealed sampler's errors at the defaults for each of many budgets, which ascend;
    computed together.
    """
    rows: list[Errors] = []
    while some := budgets[len(rows) :]:
        rows += _read_on_the_way(sampler, some[: bisect(some, 1.6 * some[0])])
    return rows


def _read_on_the_way(sampler: str, budgets: Sequence[int]) -> Iterator[Errors]:
    """Yield the errors of each budget's run at its own end. Until the longest ends, the others
    repeat their last step.

    Budgets up to 1.6 times the smallest waste few steps.
    """
    programs = [[*SPECS[sampler].build(SIGMAS, budget, DEFAULT)] for budget in budgets]
    law = BatchedGaussian(stiff_gaussian(), len(budgets))
    program = law.program([[*each, *each[-1:] * (budgets[-1] - len(each))] for each in programs])
    for count, (state, _) in enumerate(law.run(program, law.start(0.0, SIGMAS.first**2)), start=1):
        if count in budgets:
            mean, variance = (part[budgets.index(count)] for part in law.of_each_run(state.x))
            yield errors(Moments(mean, variance))


@cell
def solver_runs(tolerances: tuple[float, ...]) -> list[GaussianRun]:
    """The probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    ends = (
        (t, *flowed(stiff_gaussian(), 0.0, SIGMAS.first**2, *SIGMAS, rtol=t, atol=t))
        for t in tolerances
    )
    return [
        GaussianRun(Hyperparameters(tolerance=t), count, errors(moments))
        for t, moments, count in ends
    ]


def _one_by_one(
    settings: Sequence[Hyperparameters], programs: Sequence[Program], condition: float
) -> Iterator[GaussianRun]:
    law = stiff_gaussian(condition)
    for setting, program in zip(settings, programs, strict=True):
        start = law.start(0.0, SIGMAS.first**2)
        try:
            state, evaluations = spent(law.run(program, start), start)
            yield GaussianRun(setting, evaluations, errors(law.moments(state.x), condition))
        except NonFiniteState:
            yield GaussianRun(setting, 0, LOST)


def _batched(
    settings: Sequence[Hyperparameters], programs: Sequence[Program], condition: float
) -> Iterator[GaussianRun]:
    """Yield runs of one evaluation a step that differ by levels and step sizes alone, grouped by
    constant momentum.
    """
    for _, same in groupby(zip(settings, programs, strict=True), key=lambda pair: pair[0].beta):
        some, theirs = zip(*same, strict=True)
        law = BatchedGaussian(stiff_gaussian(condition), len(some))
        program = list(law.program(theirs))
        state, _ = law.end(program, law.start(0.0, SIGMAS.first**2))
        ends = law.of_each_run(state.x)
        for setting, mean, variance in zip(some, ends.mean, ends.variance, strict=True):
            yield GaussianRun(setting, len(program), errors(Moments(mean, variance), condition))


def errors(moments: Moments, condition: float = TARGET) -> Errors:
    """Return the distances of a Gaussian from the target at the last noise level, infinite where
    it diverged.
    """
    law = at_last_level(condition)
    if not all(bool(part.isfinite().all()) for part in moments):
        return LOST
    both = (moments.mean, moments.variance, law.mean, law.variance, law.multiplicity)
    return Errors(gaussian_w2(*both), gaussian_kl(*both))


def at_last_level(condition: float = TARGET) -> GaussianLaw:
    """Return the target at the last noise level, as a target of its own."""
    law = stiff_gaussian(condition)
    return GaussianLaw(law.variance + SIGMAS.last**2, law.mean)


def tempered_errors() -> Errors:
    """Return the distances of the tempered target `p^4` from the target p at the last noise
    level (G5, A3).
    """
    law = at_last_level()
    return errors(Moments(law.mean, law.variance / 4.0))
