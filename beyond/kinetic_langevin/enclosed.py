"""Proofs of K8's, K9's and K13's numbers: runs on the targets of the third family in ball arithmetic.

A sampler's evaluations on a target are interpolated between two budgets, the first whose KL / d is at most 1e-4 and the
one before. Both KL are enclosed; at the smaller budgets, and where no budget is enough, KL is shown to be above by the
direction that has most of it, since KL is a sum of terms that are never negative. The coefficients of the steps are the
program's doubles (`ams.enclosures.given_coefficients`), as is Student's quantile.
"""

import math
from functools import lru_cache

import numpy as np
from flint import arb

from ams.enclosures import BITS, Ball, Undecided, distances, precision
from ams.enclosures.given_coefficients import GivenCoefficients
from ams.laws.gaussian import GaussianLaw
from ams.samplers.presets import DEFAULT
from ams.statistics import CONFIDENCE
from ams.statistics.intervals import student_quantile
from ams_suite.enclosed import proved, proved_between, where_enclosed
from beyond.kinetic_langevin import augmented_diffusion, samplers
from beyond.kinetic_langevin.family import DIRECTIONS, Kind, Problem, family
from beyond.kinetic_langevin.samplers import SAMPLERS, THRESHOLD, first_budgets
from beyond.kinetic_langevin.settings import Settings
from beyond.kinetic_langevin.study import judged
from verdicts import Measurement

_BITS = 2 * BITS
_LIMIT = DIRECTIONS * THRESHOLD


def divergence(law: GaussianLaw, sampler: str, problem: Problem, budget: int) -> arb:
    """Return KL of a run on a target, or on some of its directions (nats)."""
    balls, program = GivenCoefficients(law), SAMPLERS[sampler].build(problem.sigmas, budget, DEFAULT)
    state, _ = balls.end(program, balls.start(0.0, problem.sigmas.first**2))
    last = GivenCoefficients(GaussianLaw(law.variance + problem.sigmas.last**2, law.mean))
    return distances.kl(last, *balls.moments(state.x)).value


def farthest(law: GaussianLaw, sampler: str, problem: Problem, budget: int) -> GaussianLaw:
    """Return the direction of a target that has most of a run's KL, by the exact law in float64."""
    program = SAMPLERS[sampler].build(problem.sigmas, budget, DEFAULT)
    end = law.moments(law.end(program, law.start(0.0, problem.sigmas.first**2))[0].x)
    exact = law.variance + problem.sigmas.last**2
    ratio = end.variance / exact
    worst = int((ratio - ratio.log() + (end.mean - law.mean).square() / exact).argmax())
    return GaussianLaw(law.variance[worst : worst + 1], law.mean[worst : worst + 1])


def refuse_arrival(law: GaussianLaw, sampler: str, problem: Problem, budgets: list[int]) -> None:
    """Raise Undecided unless a run's KL is above the threshold at each budget, at best by one direction's."""
    if not budgets:
        return
    alone = farthest(law, sampler, problem, budgets[-1])
    for budget in budgets:
        if not any(divergence(each, sampler, problem, budget) > _LIMIT for each in (alone, law)):
            raise Undecided(f"{sampler} at {budget} evaluations is not shown to be above the threshold")


@lru_cache(maxsize=64)
@precision(_BITS)
def evaluations(sampler: str, problem: Problem, largest: int) -> tuple[arb | None, ...]:
    """Return the evaluations that a sampler needs on each target; None where it never gets there."""
    errors, targets = samplers.curve(sampler, problem, largest), family(problem)
    variances, means = (part.reshape(problem.targets, -1) for part in (targets.variance, targets.mean))
    laws = map(GaussianLaw, variances, means)
    return tuple(_needed(law, sampler, problem, column) for law, column in zip(laws, errors.T, strict=True))


def _needed(law: GaussianLaw, sampler: str, problem: Problem, column: np.ndarray) -> arb | None:
    """Return the evaluations on one target, whose KL / d by the exact law in float64 is `column`."""
    points, reached = first_budgets(len(column)), np.flatnonzero(column <= THRESHOLD)
    first = int(reached[0]) if len(reached) else None
    made = [point for point, error in zip(points[:first], column, strict=False) if math.isfinite(error)]
    refuse_arrival(law, sampler, problem, [budget for budget in made if first is None or budget != points[first - 1]])
    if first is None:
        return None
    before, after = (divergence(law, sampler, problem, points[k]) / DIRECTIONS for k in (first - 1, first))
    if not (before > THRESHOLD > after):
        raise Undecided(f"{sampler}: {points[first]} evaluations are not shown to be the first that are enough")
    share = (before / THRESHOLD).log() / (before / after).log()
    return points[first - 1] * (share * (arb(points[first]) / points[first - 1]).log()).exp()


@where_enclosed
@precision(_BITS)
def nfe_ratio(settings: Settings, kind: Kind, sampler: str, other: str) -> Measurement:
    """Prove a sampler's evaluations over another's, and the ends of Student's interval."""
    ours, theirs = (
        [
            min(each or arb(settings.budget), arb(settings.budget))
            for each in evaluations(name, problem, settings.budget)
        ]
        for problem in [judged(settings, kind)]
        for name in (sampler, other)
    )
    n = settings.targets
    logs = [(one / two).log() for one, two in zip(ours, theirs, strict=True)]
    mean = sum(logs, arb(0)) / n
    spread = (sum(((each - mean) ** 2 for each in logs), arb(0)) / (n - 1)).sqrt()
    half = arb(student_quantile(n - 1, CONFIDENCE)) * spread / arb(n).sqrt()
    low, high = (proved(Ball(end.exp())).interval for end in (mean - half, mean + half))
    return proved(Ball(mean.exp())).model_copy(update={"low": low[0], "high": high[1]})


def least_nfe_ratio_to_ode_solver(settings: Settings) -> Measurement | None:
    """Prove the lesser evaluations of both integrators of CLD over DPM-Solver++'s."""
    ratios = [nfe_ratio(settings, Kind.EXACT, name, "DPM-Solver++") for name in augmented_diffusion.STEPS]
    return min((ratio for ratio in ratios if ratio), key=lambda ratio: ratio.value, default=None)


@where_enclosed
@precision(_BITS)
def share_reached(settings: Settings, names: tuple[str, ...]) -> Measurement:
    """Prove the share of runs, one per sampler and target, that reach the threshold from a bad start."""
    problem = judged(settings, Kind.START)
    counts = [sum(each is not None for each in evaluations(name, problem, settings.budget)) for name in names]
    share = sum(counts) / (settings.targets * len(names))
    return proved_between(share, share)
