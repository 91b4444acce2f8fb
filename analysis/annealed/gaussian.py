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
from analysis.annealed.tuning import edges
from analysis.targets import stiff_gaussian
from verdicts.studies import cell

SIGMAS = SigmaRange(50.0, 0.02)
TARGET = 1000.0
"""The condition number of the target."""


class GaussianRun(NamedTuple):
    """A run's distances from the target at the last noise level, infinite where it diverged.

    KL(run || target) in nats, W2; the evaluations it took. `edges` counts the hyperparameters that
    tuning chose at an end of what it tried.
    """

    kl: float
    w2: float
    evaluations: int
    edges: int = 0


@cell
def runs(
    sampler: str,
    budget: int,
    tried: tuple[Hyperparameters, ...],
    condition: float = TARGET,
) -> list[GaussianRun]:
    """A sampler's runs at a budget, one for each of the hyperparameters tried.

    The target is a Gaussian of that condition number. Those of an annealed sampler are computed
    together.
    """
    programs = [SPECS[sampler].build(SIGMAS, budget, h) for h in tried]
    if len(tried) > 1 and SPECS[sampler].family is Family.ANNEALED:
        return _batched(tried, programs, condition)
    return [_run(program, condition) for program in programs]


@cell
def tuned(
    sampler: str,
    budget: int,
    tried: tuple[Hyperparameters, ...],
    conditions: tuple[float, ...] = (TARGET,),
    like: str = "",
) -> GaussianRun:
    """A sampler's errors, each with those of the hyperparameters tried that are best by that error.

    Best is the least product of errors on Gaussians of some conditions, its own or those of another
    sampler that it is tuned `like`.
    """
    own = runs(sampler, budget, tried)
    judged = [runs(like or sampler, budget, tried, condition) for condition in conditions]

    def best(by: str) -> int:
        scores = [math.prod(getattr(run, by) for run in same) for same in zip(*judged, strict=True)]
        return scores.index(min(scores))

    kl, w2 = best("kl"), best("w2")
    on_edge = edges(tried, tried[kl]) + edges(tried, tried[w2])
    return GaussianRun(own[kl].kl, own[w2].w2, own[kl].evaluations, on_edge)


@cell
def at_defaults(sampler: str, budgets: tuple[int, ...]) -> list[GaussianRun]:
    """A sampler's runs at the defaults for each of many budgets, which ascend.

    Those of an annealed sampler are computed together.
    """
    if SPECS[sampler].family is not Family.ANNEALED:
        return [runs.wrapped(sampler, budget, (DEFAULT,))[0] for budget in budgets]
    rows: list[GaussianRun] = []
    while some := budgets[len(rows) :]:
        rows += _read_on_the_way(sampler, some[: bisect(some, 1.6 * some[0])])
    return rows


def _read_on_the_way(sampler: str, budgets: Sequence[int]) -> Iterator[GaussianRun]:
    """Yield each budget's run at its own end. Until the longest ends, the others repeat their last
    step.

    Budgets up to 1.6 times the smallest waste few steps.
    """
    programs = [[*SPECS[sampler].build(SIGMAS, budget, DEFAULT)] for budget in budgets]
    law = BatchedGaussian(stiff_gaussian(), len(budgets))
    program = law.program([[*each, *each[-1:] * (budgets[-1] - len(each))] for each in programs])
    for count, (state, _) in enumerate(law.run(program, law.start(0.0, SIGMAS.first**2)), start=1):
        if count in budgets:
            place = budgets.index(count)
            mean, variance = (part[place] for part in law.of_each_run(state.x))
            yield distances(Moments(mean, variance), count)


@cell
def solver_runs(tolerances: tuple[float, ...]) -> list[GaussianRun]:
    """The probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    law, first = stiff_gaussian(), SIGMAS.first**2
    ends = (flowed(law, 0.0, first, *SIGMAS, rtol=each, atol=each) for each in tolerances)
    return [distances(moments, evaluations) for moments, evaluations in ends]


def _run(program: Program, condition: float) -> GaussianRun:
    law = stiff_gaussian(condition)
    start = law.start(0.0, SIGMAS.first**2)
    try:
        state, evaluations = spent(law.run(program, start), start)
    except NonFiniteState:
        return GaussianRun(math.inf, math.inf, 0)
    return distances(law.moments(state.x), evaluations, condition)


def _batched(
    tried: Sequence[Hyperparameters],
    programs: Sequence[Program],
    condition: float,
) -> list[GaussianRun]:
    """Return runs of one evaluation a step that differ by levels and step sizes alone.

    They are grouped by constant momentum.
    """
    rows: list[GaussianRun] = []
    for _, same in groupby(zip(tried, programs, strict=True), key=lambda pair: pair[0].beta):
        together = [program for _, program in same]
        law = BatchedGaussian(stiff_gaussian(condition), len(together))
        program = list(law.program(together))
        state, _ = law.end(program, law.start(0.0, SIGMAS.first**2))
        ends = zip(*law.of_each_run(state.x), strict=True)
        rows += [distances(Moments(*end), len(program), condition) for end in ends]
    return rows


def distances(moments: Moments, evaluations: int = 0, condition: float = TARGET) -> GaussianRun:
    """Return the distances of a Gaussian from the target at the last noise level, infinite where
    it diverged.
    """
    law = at_last_level(condition)
    if not all(bool(part.isfinite().all()) for part in moments):
        return GaussianRun(math.inf, math.inf, evaluations)
    both = (moments.mean, moments.variance, law.mean, law.variance, law.multiplicity)
    return GaussianRun(gaussian_kl(*both), gaussian_w2(*both), evaluations)


def at_last_level(condition: float = TARGET) -> GaussianLaw:
    """Return the target at the last noise level, as a target of its own."""
    law = stiff_gaussian(condition)
    return GaussianLaw(law.variance + SIGMAS.last**2, law.mean)


def tempered() -> GaussianRun:
    """Return the distances of the tempered target `p^4` from the target p at the last noise
    level (G5, A3).
    """
    law = at_last_level()
    return distances(Moments(law.mean, law.variance / 4.0))
