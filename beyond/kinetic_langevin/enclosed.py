"""Proofs in ball arithmetic. K1, K2, K3, K7: the steps at one noise level, or on a point. K8: runs
on its targets.

A sampler's evaluations on a target of K8 are interpolated between two budgets, the first whose KL /
d is at most 1e-4 and the one before. Both KL are enclosed; at the smaller budgets, and where no
budget is enough, KL is shown to be above by the direction that has most of it, since KL is a sum of
terms that are never negative. The coefficients of the steps are the program's doubles
(`ams.enclosures.GivenCoefficients`), as is Student's quantile.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import sympy as sp
from flint import arb

from ams.enclosures import BITS, Ball, BallLaw, GivenCoefficients, Undecided, ball, precision
from ams.enclosures.law import in_direction
from ams.enclosures.stationary import set_stationary
from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam
from ams.samplers import Step, annealed_baoab
from ams.samplers.presets import DEFAULT, SPECS
from ams.statistics import CONFIDENCE
from ams.statistics.intervals import student_quantile
from ams_suite.enclosed import largest, proved, where_enclosed
from analysis.momentum.enclosed import largest_root, off_by
from beyond.kinetic_langevin.drift_calibration import POINT
from beyond.kinetic_langevin.invariance import random_schedule, run_to_a_point
from beyond.kinetic_langevin.nfe_comparison import (
    DIRECTIONS,
    SIGMAS,
    THRESHOLD,
    curve,
    family,
    first_budgets,
)
from beyond.kinetic_langevin.one_level import STATED, dt, e, law_step
from beyond.kinetic_langevin.rates import best_rate
from beyond.kinetic_langevin.settings import Settings, random_points
from verdicts import Measurement

_BITS = 2 * BITS
_LIMIT = DIRECTIONS * THRESHOLD


def divergence(law: GaussianLaw, sampler: str, budget: int) -> arb:
    """Return KL of a run on a target, or on some of its directions (nats)."""
    balls, program = GivenCoefficients(law), SPECS[sampler].build(SIGMAS, budget, DEFAULT)
    state, _ = balls.end(program, balls.start(0.0, SIGMAS.first**2))
    last = GivenCoefficients(GaussianLaw(law.variance + SIGMAS.last**2, law.mean))
    return last.kl(*balls.moments(state.x)).value


def farthest(law: GaussianLaw, sampler: str, budget: int) -> GaussianLaw:
    """Return the direction of a target that has most of a run's KL, by the exact law in float64."""
    program = SPECS[sampler].build(SIGMAS, budget, DEFAULT)
    end = law.moments(law.end(program, law.start(0.0, SIGMAS.first**2))[0].x)
    exact = law.variance + SIGMAS.last**2
    ratio = end.variance / exact
    worst = int((ratio - ratio.log() + (end.mean - law.mean).square() / exact).argmax())
    return GaussianLaw(law.variance[worst : worst + 1], law.mean[worst : worst + 1])


def refuse_arrival(law: GaussianLaw, sampler: str, budgets: list[int]) -> None:
    """Raise Undecided unless a run's KL is above the threshold at each budget, at best by one
    direction's.
    """
    if not budgets:
        return
    alone = farthest(law, sampler, budgets[-1])
    for budget in budgets:
        if not any(divergence(each, sampler, budget) > _LIMIT for each in (alone, law)):
            raise Undecided(
                f"{sampler} at {budget} evaluations is not shown to be above the threshold"
            )


@lru_cache(maxsize=64)
@precision(_BITS)
def evaluations(sampler: str, targets: int, largest: int) -> tuple[arb | None, ...]:
    """Return the evaluations that a sampler needs on each target; None where it never gets
    there.
    """
    errors, drawn = curve(sampler, targets, largest), family(targets)
    variances, means = (part.reshape(targets, -1) for part in (drawn.variance, drawn.mean))
    laws = map(GaussianLaw, variances, means)
    return tuple(_needed(law, sampler, column) for law, column in zip(laws, errors.T, strict=True))


def _needed(law: GaussianLaw, sampler: str, column: np.ndarray) -> arb | None:
    """Return the evaluations on one target, whose KL / d by the exact law in float64 is
    `column`.
    """
    points, reached = first_budgets(len(column)), np.flatnonzero(column <= THRESHOLD)
    first = int(reached[0]) if len(reached) else None
    made = [
        point for point, error in zip(points[:first], column, strict=False) if math.isfinite(error)
    ]
    refuse_arrival(
        law, sampler, [budget for budget in made if first is None or budget != points[first - 1]]
    )
    if first is None:
        return None
    before, after = (divergence(law, sampler, points[k]) / DIRECTIONS for k in (first - 1, first))
    if not (before > THRESHOLD > after):
        raise Undecided(
            f"{sampler}: {points[first]} evaluations are not shown to be the first that are enough"
        )
    share = (before / THRESHOLD).log() / (before / after).log()
    return points[first - 1] * (share * (arb(points[first]) / points[first - 1]).log()).exp()


@where_enclosed
@precision(_BITS)
def nfe_ratio(settings: Settings, sampler: str, other: str) -> Measurement:
    """Prove a sampler's evaluations over another's, and the ends of Student's interval."""
    most = arb(settings.budget)
    ours, theirs = (
        [min(each or most, most) for each in evaluations(name, settings.targets, settings.budget)]
        for name in (sampler, other)
    )
    n = settings.targets
    logs = [(one / two).log() for one, two in zip(ours, theirs, strict=True)]
    mean = sum(logs, arb(0)) / n
    spread = (sum(((each - mean) ** 2 for each in logs), arb(0)) / (n - 1)).sqrt()
    half = arb(student_quantile(n - 1, CONFIDENCE)) * spread / arb(n).sqrt()
    low, high = (proved(Ball(end.exp())).interval for end in (mean - half, mean + half))
    return proved(Ball(mean.exp())).model_copy(update={"low": low[0], "high": high[1]})


def stationary_variance(method: str, size: Ball, momentum: Ball) -> Ball:
    """Return `lam Var x` of the distribution that a method's step leaves unchanged, at `lam =
    1`.
    """
    law = BallLaw(GaussianLaw([1.0]))
    return law.moments(set_stationary(law, *law_step(law, method, size, momentum)).x)[1][0]


@where_enclosed
@precision(BITS)
def largest_variance_error_of_exact_law(settings: Settings) -> Measurement:
    """Prove the largest `|lam Var x - 1|` of BAOAB's stationary distribution, over random (u,
    e).
    """
    pairs = ((ball(u), ball(momentum)) for u, momentum in random_points(settings))
    return largest([off_by(stationary_variance("BAOAB", *pair), 1) for pair in pairs])


@where_enclosed
@precision(BITS)
def largest_error_of_three_stationary_variances(settings: Settings) -> Measurement:
    """Prove the largest relative error of K3's formulas for `lam Var x`, over random (u, e)."""
    errors = []
    for method, stated in STATED.items():
        formula = sp.lambdify((dt, e, lam), stated, "math")
        for u, momentum in random_points(settings)[::3]:
            size = ball(u if method == "OBABO" else u * (1 + momentum) / 2)
            expected = formula(Ball((2 * size).value.sqrt()), ball(momentum), 1)
            errors.append(off_by(stationary_variance(method, size, ball(momentum)), expected))
    return largest(errors)


@where_enclosed
@precision(BITS)
def largest_error_of_best_rate(settings: Settings) -> Measurement:
    """Prove the largest difference of BAOAB's spectral radius to the best rate, 20 precisions a
    spectrum.
    """
    errors = []
    for condition in map(ball, settings.conditions):
        rate = best_rate(condition)
        inside = np.exp(np.linspace(0.0, np.log(float(condition.value)), 20))[1:-1].tolist()
        radii = [
            _radius(2 / (1 + condition) * at, rate**2)
            for at in (ball(1.0), *map(ball, inside), condition)
        ]
        errors.append(Ball(abs((largest_of(radii) - rate).value)))
    return largest(errors)


def _radius(u: Ball, momentum: Ball) -> Ball:
    _, after = law_step(BallLaw(GaussianLaw([1.0])), "BAOAB", u, momentum)
    (a, b), (c, d) = (in_direction(vector, 0)[1:3] for vector in (after.x, after.p))
    return largest_root(Ball(a + d), Ball(a * d - b * c))


def largest_of(numbers: Sequence[Ball]) -> Ball:
    """Return a ball about the largest of some numbers."""
    most = numbers[0].value
    for number in numbers[1:]:
        most = most.max(number.value)
    return Ball(most)


def kl_on_a_point(step: Step, generator: np.random.Generator) -> Ball:
    """Return KL to the distribution of the point 1.5 after 20 random noise levels, one step to
    each (nats).
    """
    end, sigma = run_to_a_point(GivenCoefficients(GaussianLaw([POINT], [1.5])), step, generator)
    return BallLaw(GaussianLaw([sigma**2], [1.5])).kl(*end)


@where_enclosed
@precision(BITS)
def largest_kl_on_a_point(settings: Settings) -> Measurement:
    """Prove annealed BAOAB's largest KL to a point's distribution, random noise levels and
    parameters (nats).
    """
    generator = np.random.default_rng(settings.seed)
    steps = (annealed_baoab(random_schedule(generator)) for _ in range(20))
    return largest([kl_on_a_point(step, generator) for step in steps])
