"""Target 1, a stiff Gaussian in 16 dimensions: every sampler's exact law, at the defaults and on the grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from ams.laws import GaussianLaw, Moments, flowed
from ams.laws.batched_gaussian import StackedLaw
from ams.metrics import gaussian_kl, gaussian_w2
from ams.samplers import NonFiniteState, Program
from analysis.annealed.counting import ended
from analysis.annealed.samplers import DEFAULT, SAMPLERS, Hyperparameters, SigmaRange
from analysis.annealed.settings import Settings
from analysis.targets import stiff_gaussian

ENDS = SigmaRange(50.0, 0.02)


class Errors(NamedTuple):
    """Distances of a run's law from the target's at the last level: W2 in its unit, KL(law || target) in nats."""

    w2: float
    kl: float


class Run(NamedTuple):
    """One setting of a sampler, the evaluations it took and its errors (infinite where it diverged)."""

    choice: Hyperparameters
    evaluations: int
    errors: Errors


LOST = Errors(math.inf, math.inf)


@cache
def target() -> GaussianLaw:
    """Return the target: d = 16, variances from 1 to 1e-3, a mean of norm 2. Its state is a run's own."""
    return stiff_gaussian()


@cache
def default_run(sampler: str, budget: int) -> Run:
    """Return a sampler's run at a budget and the defaults."""
    return next(one_by_one([DEFAULT], [SAMPLERS[sampler].program(ENDS, budget, DEFAULT)]))


@cache
def tuned_runs(settings: Settings, sampler: str, budget: int) -> list[Run]:
    """Return a sampler's runs at a budget over its grid of settings, the defaults among them."""
    found = SAMPLERS[sampler]
    choices = list(dict.fromkeys([DEFAULT, *found.tuning(settings)]))
    programs = [found.program(ENDS, budget, choice) for choice in choices]
    return list(stacked(choices, programs) if found.stacks else one_by_one(choices, programs))


@cache
def solver_runs(tolerances: tuple[float, ...]) -> list[Run]:
    """Return the probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    found = (
        (tolerance, *flowed(target(), 0.0, ENDS.first**2, *ENDS, rtol=tolerance, atol=tolerance))
        for tolerance in tolerances
    )
    return [Run(Hyperparameters(tolerance=tolerance), count, errors(law)) for tolerance, law, count in found]


def one_by_one(choices: Sequence[Hyperparameters], programs: Sequence[Program]) -> Iterator[Run]:
    """Yield runs of programs that differ in more than numbers."""
    law = target()
    for choice, program in zip(choices, programs, strict=True):
        start = law.start(0.0, ENDS.first**2)
        try:
            state, evaluations = ended(law.run(program, start), start)
            yield Run(choice, evaluations, errors(law.moments(state.x)))
        except NonFiniteState:
            yield Run(choice, 0, LOST)


def stacked(choices: Sequence[Hyperparameters], programs: Sequence[Program]) -> Iterator[Run]:
    """Yield runs of programs of one evaluation a step, those of one constant momentum stacked."""
    for _, same in groupby(zip(choices, programs, strict=True), key=lambda pair: pair[0].beta):
        some, theirs = zip(*same, strict=True)
        law = StackedLaw(target(), len(some))
        program = list(law.program(theirs))
        state, _ = law.end(program, law.start(0.0, ENDS.first**2))
        found = law.of_each_run(state.x)
        for choice, mean, variance in zip(some, found.mean, found.variance, strict=True):
            yield Run(choice, len(program), errors(Moments(mean, variance)))


def errors(found: Moments) -> Errors:
    """Return a law's distances from the target at the last level."""
    law = target()
    if not all(bool(part.isfinite().all()) for part in found):
        return LOST
    laws = (found.mean, found.variance, law.mean, law.variance + ENDS.last**2, law.multiplicity)
    return Errors(gaussian_w2(*laws), gaussian_kl(*laws))
