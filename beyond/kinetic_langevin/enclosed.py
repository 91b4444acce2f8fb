"""Proofs in ball arithmetic. K1, K2, K3, K7, K13: the steps at one noise level, or on a point.

K8, K9, K13: runs on the targets of the third family. A sampler's evaluations on a target are interpolated between two
budgets, the first whose KL / d is at most 1e-4 and the one before. Both KL are enclosed; at the smaller budgets, and
where no budget is enough, KL is shown to be above by the direction that has most of it, since KL is a sum of terms that
are never negative. The coefficients of the steps are the program's doubles (`ams.enclosures.GivenCoefficients`), as is
Student's quantile.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np
import sympy as sp
from flint import arb

from ams.enclosures import BITS, Ball, BallLaw, GivenCoefficients, Undecided, ball, precision
from ams.enclosures.law import in_direction
from ams.enclosures.stationary import frozen, level_of, reproduced, set_stationary
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.laws.symbolic import lam
from ams.samplers import Step, adaptive, annealed_baoab, momentum_rule
from ams.samplers.presets import DEFAULT
from ams.statistics import CONFIDENCE
from ams.statistics.intervals import student_quantile
from ams_suite.enclosed import largest, proved, proved_between, where_enclosed
from analysis.momentum.enclosed import largest_root, off_by
from beyond.kinetic_langevin import samplers
from beyond.kinetic_langevin.augmented_diffusion import STEPS
from beyond.kinetic_langevin.family import DIRECTIONS, Kind, Problem, family
from beyond.kinetic_langevin.invariance_and_order import POINT, _random_schedule, run_to_a_point
from beyond.kinetic_langevin.nfe_comparison import judged
from beyond.kinetic_langevin.one_level import STATED, dt, e, law_step
from beyond.kinetic_langevin.rates import best_rate
from beyond.kinetic_langevin.samplers import SAMPLERS, THRESHOLD, first_budgets
from beyond.kinetic_langevin.settings import Settings, random_points
from verdicts import Measurement

_BITS = 2 * BITS
_LIMIT = DIRECTIONS * THRESHOLD


def divergence(law: GaussianLaw, sampler: str, problem: Problem, budget: int) -> arb:
    """Return KL of a run on a target, or on some of its directions (nats)."""
    balls, program = GivenCoefficients(law), SAMPLERS[sampler].build(problem.sigmas, budget, DEFAULT)
    state, _ = balls.end(program, balls.start(0.0, problem.sigmas.first**2))
    last = GivenCoefficients(GaussianLaw(law.variance + problem.sigmas.last**2, law.mean))
    return last.kl(*balls.moments(state.x)).value


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
    ratios = [nfe_ratio(settings, Kind.EXACT, name, "DPM-Solver++") for name in STEPS]
    return min((ratio for ratio in ratios if ratio), key=lambda ratio: ratio.value, default=None)


@where_enclosed
@precision(_BITS)
def share_reached(settings: Settings, names: tuple[str, ...]) -> Measurement:
    """Prove the share of runs, one per sampler and target, that reach the threshold from a bad start."""
    problem = judged(settings, Kind.START)
    counts = [sum(each is not None for each in evaluations(name, problem, settings.budget)) for name in names]
    share = sum(counts) / (settings.targets * len(names))
    return proved_between(share, share)


def stationary_variance(method: str, size: Ball, momentum: Ball) -> Ball:
    """Return `lam Var x` of the distribution that a method's step leaves unchanged, at `lam = 1`."""
    law = BallLaw(GaussianLaw([1.0]))
    return law.moments(set_stationary(law, *law_step(law, method, size, momentum)).x)[1][0]


@where_enclosed
@precision(BITS)
def largest_variance_error_of_exact_law(settings: Settings) -> Measurement:
    """Prove the largest `|lam Var x - 1|` of BAOAB's stationary distribution, over random (u, e)."""
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
    """Prove the largest difference of BAOAB's spectral radius to the best rate, 20 precisions a spectrum."""
    errors = []
    for condition in map(ball, settings.conditions):
        rate = best_rate(condition)
        inside = np.exp(np.linspace(0.0, np.log(float(condition.value)), 20))[1:-1].tolist()
        radii = [_radius(2 / (1 + condition) * at, rate**2) for at in (ball(1.0), *map(ball, inside), condition)]
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
    """Return KL to the distribution of the point 1.5 after 20 random noise levels, one step to each (nats)."""
    end, sigma = run_to_a_point(GivenCoefficients(GaussianLaw([POINT], [1.5])), step, generator)
    return BallLaw(GaussianLaw([sigma**2], [1.5])).kl(*end)


def _largest_kl(settings: Settings, steps: Callable[[np.random.Generator], Iterable[Step]]) -> Measurement:
    generator = np.random.default_rng(settings.seed)
    with precision(BITS):
        return largest([kl_on_a_point(step, generator) for step in steps(generator)])


@where_enclosed
def largest_kl_on_a_point(settings: Settings) -> Measurement:
    """Prove annealed BAOAB's largest KL to a point's distribution, random noise levels and parameters (nats)."""
    return _largest_kl(settings, lambda generator: (annealed_baoab(_random_schedule(generator)) for _ in range(20)))


@where_enclosed
def largest_kl_of_integrators_on_a_point(settings: Settings) -> Measurement:
    """Prove both integrators' largest KL to a point's distribution, random noise levels (nats)."""
    return _largest_kl(settings, lambda generator: STEPS.values())


def authors_ratio_over_critical(u: float) -> Ball:
    """Return the stationary rho of the authors' rule (mean field, isotropic) over the critical `sqrt(u / (2 - u))`."""
    one, rule = GaussianLaw([1.0]), momentum_rule(adaptive(ball(1e-9)))
    law, size, level = BallLaw(one), ball(u), level_of(ball(u))
    guess = solved(one, momentum_rule(adaptive(1e-9)), u, 1.0 - 1e-9).beta
    state = frozen(law, size, reproduced(law, rule, size, guess))
    rho = rule(state, law.score(state.x, level), law.noise(state.x), level, law).rho
    return rho / law.sqrt(size / (2 - size))


@where_enclosed
@precision(2 * BITS)
def limit_of_authors_ratio_less_four(settings: Settings) -> Measurement:
    """Prove the authors' stationary rho over the critical one at u = 1e-10, less 4."""
    return proved(authors_ratio_over_critical(1e-10) - 4)


@where_enclosed
@precision(2 * BITS)
def largest_difference_to_printed_ratios(settings: Settings) -> Measurement:
    """Prove the largest difference of the authors' rho over the critical one to 3.8 at u = 1e-4 and 1.5 at u = 1."""
    return largest(
        [Ball(abs((authors_ratio_over_critical(u) - ball(at)).value)) for u, at in ((1e-4, 3.8), (1.0, 1.5))]
    )
