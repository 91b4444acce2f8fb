"""Proofs of numbers of K1, K2, K3, K7 and K13, at one noise level or on a point: the steps in ball arithmetic."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import sympy as sp

from ams.enclosures import BITS, Ball, BallLaw, ball, distances, precision
from ams.enclosures.given_coefficients import GivenCoefficients
from ams.enclosures.law import in_direction
from ams.enclosures.stationary import frozen, level_of, reproduced, set_stationary
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.laws.symbolic import lam
from ams.samplers import State, Step, adaptive, annealed_baoab, momentum_rule
from ams.samplers.loop import one_step_per_level
from ams.schedules import ve_levels
from ams_suite.enclosed import largest, proved, where_enclosed
from analysis.momentum.enclosed import largest_root, off_by
from beyond.kinetic_langevin.augmented_diffusion import STEPS
from beyond.kinetic_langevin.invariance_and_order import POINT, _random_schedule
from beyond.kinetic_langevin.one_level import METHODS, dt, e
from beyond.kinetic_langevin.other_integrators import STATED
from beyond.kinetic_langevin.rates import best_rate
from beyond.kinetic_langevin.settings import Settings, random_points
from verdicts import Measurement


def law_step(law: BallLaw, method: str, size: Ball, momentum: Ball) -> tuple[State, State]:
    """Return a state (x, p), and what one step of base step `size` makes of it."""
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, p=row))
    return state, METHODS[method](momentum)(state, law.score, law.noise, level_of(size), law)[0]


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
    law, sigmas = (
        GivenCoefficients(GaussianLaw([POINT], [1.5])),
        np.sort(np.exp(generator.uniform(-4.0, 4.0, 20)))[::-1],
    )
    program = one_step_per_level(step, ve_levels(sigmas))
    end = law.moments(law.end(program, law.start(1.5, sigmas[0] ** 2))[0].x)
    return distances.kl(BallLaw(GaussianLaw([sigmas[-1] ** 2], [1.5])), *end)


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
