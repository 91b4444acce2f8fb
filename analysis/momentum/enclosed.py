"""Proofs of G1's, G2's, G3's, G5's and G7's numbers: constant momentum's step in ball arithmetic.

Random parameters are the doubles that are drawn. The closed forms are those of `closed_forms`, on
balls.
"""

from functools import lru_cache
from typing import Any

from ams.enclosures import BITS, Ball, BallLaw, ball, precision
from ams.enclosures.law import in_direction
from ams.enclosures.stationary import frozen
from ams.laws.gaussian import GaussianLaw
from ams.samplers.rules import Factor, authors_factor
from ams_suite.enclosed import largest, proved, proved_between
from analysis.momentum import closed_forms
from analysis.momentum.settings import Settings
from analysis.momentum.transition import after_a_step
from verdicts import Measurement

ONE = GaussianLaw([1.0])


@lru_cache(maxsize=1024)
def drawn(points: int, seed: int) -> list[tuple[Any, Any]]:
    """Return the random pairs `(u, b)` of the group, as balls."""
    pairs = zip(*closed_forms.random_parameters(points, seed), strict=True)
    return [(ball(float(u)), ball(float(beta))) for u, beta in pairs]


def variance(u: Ball, beta: Ball, factor: Factor = authors_factor) -> Ball:
    """Return `lam Var x` of the stationary distribution, from the linear system in balls."""
    law = BallLaw(ONE)
    return law.moments(frozen(law, u, beta, factor).x)[1][0]


def spectral_radius(u: Ball, beta: Ball) -> Ball:
    """Return the spectral radius of the transition of (x, m) that the step applies, at `lam =
    1`, `a = u`.
    """
    after = after_a_step(BallLaw(ONE), u, beta)
    (a, b), (c, d) = (in_direction(vector, 0)[1:3] for vector in (after.x, after.m))
    return largest_root(Ball(a + d), Ball(a * d - b * c))


def largest_root(trace: Ball, determinant: Ball) -> Ball:
    """Return the largest modulus of the roots of `r^2 - trace r + determinant`, real or not."""
    discriminant = (trace**2 - 4 * determinant).value
    turning, real = (
        determinant.value.sqrt(),
        (abs(trace.value) + discriminant.nonnegative_part().sqrt()) / 2,
    )
    if discriminant < 0:
        return Ball(turning)
    return Ball(real if discriminant >= 0 else turning.union(real))


def off_by(number: Ball, stated: Ball | float) -> Ball:
    """Return the relative error of a number to the stated one."""
    return Ball(abs((number / stated - 1).value))


@precision(BITS)
def momentum_coefficients_that_the_bound_misjudges(settings: Settings) -> Measurement:
    """Prove on how many random b the spectral radius is not below 1 under G1's bound and above 1
    over it.
    """
    wrong = 0
    for _, beta in drawn(settings.points, settings.seed):
        below, above = (
            spectral_radius(closed_forms.stability_bound(beta) * ball(1 + side), beta)
            for side in (-1e-6, 1e-6)
        )
        wrong += not (below < 1 and above > 1)
    return proved_between(wrong, wrong)


@precision(BITS)
def largest_error_of_the_contraction(settings: Settings) -> Measurement:
    """Prove the largest relative error of G2's contraction to the step's spectral radius."""
    errors = []
    for u, beta in drawn(settings.points, settings.seed):
        stated = largest_root(1 + beta - u * (1 + beta) ** 2 * (1 - beta), beta)
        errors.append(off_by(stated, spectral_radius(u, beta)))
    return largest(errors)


@precision(BITS)
def largest_error_against_solved_variances(settings: Settings) -> Measurement:
    """Prove the largest relative error of G3's variance to the exact law's."""
    pairs = drawn(settings.points, settings.seed)
    return largest([off_by(variance(*pair), closed_forms.variance_ratio(*pair)) for pair in pairs])


@precision(BITS)
def largest_error_against_solved_corrected_variances(settings: Settings) -> Measurement:
    """Prove the largest relative error of G7's variance to the exact law's, with the noise
    corrected.
    """
    pairs = ((u * (1 + beta) ** 2, beta) for u, beta in drawn(settings.points, settings.seed))
    return largest(
        [
            off_by(variance(u, beta, lambda _: 1.0), closed_forms.corrected_variance(u, beta))
            for u, beta in pairs
        ]
    )


def limiting(distance: str, dimension: int = 1) -> Ball:
    """Return "w2" or "kl" of the stationary distribution to N(0, I) at u = 1e-9, b = 0.9."""
    law = BallLaw(GaussianLaw([1.0], multiplicity=float(dimension)))
    moments = law.moments(frozen(law, ball(1e-9), ball(0.9)).x)
    return getattr(law, distance)(*moments)


@precision(BITS)
def limiting_w2(settings: Settings) -> Measurement:
    """Prove W2 in units of the target's standard deviation at b = 0.9, u = 1e-9."""
    return proved(limiting("w2"))


@precision(BITS)
def limiting_kl(settings: Settings) -> Measurement:
    """Prove KL(stationary || target) in nats at b = 0.9, u = 1e-9."""
    return proved(limiting("kl"))


@precision(BITS)
def kl_in_many_dimensions_over_its_closed_form(settings: Settings) -> Measurement:
    """Prove KL in 3072 dimensions at b = 0.9, u = 1e-9, over 3072 times a direction's closed
    form.
    """
    c = (1 + ball(0.9)) ** 2
    return proved(limiting("kl", 3072) / (3072 * (1 / c - 1 + Ball(c.value.log())) / 2))
