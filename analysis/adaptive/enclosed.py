"""Proofs of P1's and A2's numbers: the stationary distribution on an isotropic Gaussian in ball
arithmetic.

The momentum coefficient is verified by the interval Newton method, near the one that the exact law
in float64 gives.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from ams.enclosures import BITS, Ball, BallLaw, Undecided, ball, precision
from ams.enclosures.stationary import frozen, reproduced
from ams.laws.gaussian import GaussianLaw
from ams.samplers import adaptive, momentum_rule
from ams_suite.enclosed import largest, proved, proved_between
from analysis.adaptive import convergence, study
from analysis.adaptive.isotropic import PRINTED
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import stationary_at
from analysis.momentum.closed_forms import stability_bound
from analysis.momentum.enclosed import spectral_radius
from verdicts import Measurement

TARGET = GaussianLaw([1.0])
RULE = momentum_rule(adaptive(ball(1e-6)))
"""The rule of `study`, whose clip is a ball."""


def stationary_point(u: float, beta: float | None = None, dimension: int = 1) -> tuple[Ball, Ball]:
    """Return the momentum coefficient and the variance of adaptive momentum, or of constant
    momentum with `beta`.
    """
    law, size = BallLaw(GaussianLaw([1.0], multiplicity=float(dimension))), ball(u)
    kept = reproduced(law, RULE, size, stationary_at(u).beta) if beta is None else ball(beta)
    return kept, law.moments(frozen(law, size, kept).x)[1][0]


def enclosed_w2(u: float, beta: float | None = None) -> Ball:
    """Return W2 of the stationary distribution to the target, as `stationary_point`."""
    return BallLaw(TARGET).w2([ball(0.0)], [stationary_point(u, beta)[1]])


@precision(BITS)
def bias(u: float, beta: float | None = None) -> Measurement:
    """Prove W2 to the target, in its standard deviations, as `convergence.bias` measures it."""
    return proved(enclosed_w2(u, beta))


def w2_of_langevin_in_the_limit() -> Measurement:
    """Prove plain Langevin's W2 to the target at u = 1e-7."""
    return bias(1e-7, 0.0)


@precision(BITS)
def w2_ratio_of_a_smaller_step() -> Measurement:
    """Prove adaptive momentum's W2 at u = 0.001 over that at u = 0.01."""
    return proved(enclosed_w2(1e-3) / enclosed_w2(1e-2))


@precision(BITS)
def largest_w2_ratio_to_langevin() -> Measurement:
    """Prove the largest ratio of adaptive momentum's W2 to plain Langevin's at one step, u in
    [1e-3, 0.15].
    """
    return largest(
        [
            enclosed_w2(u) / enclosed_w2(u, 0.0)
            for u in np.logspace(-3, math.log10(0.15), 12).tolist()
        ]
    )


def between(function: Callable[[float], Ball], near: float, margin: float = 1e-12) -> Measurement:
    """Prove that a continuous function changes its sign within `margin` of a point. Raises
    Undecided.
    """
    low, high = near - margin, near + margin
    if not (function(low) < 0) ^ (function(high) < 0):
        raise Undecided(f"no change of sign between {low} and {high}")
    return proved_between(low, high)


@precision(BITS)
def equally_biased_step() -> Measurement:
    """Prove the step u at which adaptive momentum's W2 is plain Langevin's."""
    near = brentq(
        lambda u: convergence.bias(u) - convergence.bias(u, beta=0.0), 0.1, 0.16, xtol=1e-14
    )
    return between(lambda u: enclosed_w2(u) - enclosed_w2(u, 0.0), near)


@precision(BITS)
def unbiased_step() -> Measurement:
    """Prove the step u at which adaptive momentum's stationary variance is the target's."""
    return between(lambda u: stationary_point(u)[1] - 1, study.unbiased_step())


@precision(BITS)
def largest_radius_of_constant_momentum(settings: Settings) -> Measurement:
    """Prove the largest spectral radius of constant momentum over random (u, b) in the stable
    region.
    """
    generator = np.random.default_rng(settings.seed)
    betas = generator.uniform(0.0, 0.99, settings.points)
    us = generator.uniform(0.001, 0.999, settings.points) * stability_bound(betas)
    return largest(
        [
            spectral_radius(ball(float(u)), ball(float(beta)))
            for u, beta in zip(us, betas, strict=True)
        ]
    )


@precision(BITS)
def largest_difference_to_the_printed_values() -> Measurement:
    """Prove the largest difference to the printed momentum coefficients and variances at four
    steps, at 1/2 apart.

    At u = 1/2 the coefficient is 0, where its derivative is not finite: the variance there is
    Langevin's.
    """
    *smaller, (half, (_, langevin)) = PRINTED.items()
    gaps = [Ball(abs(stationary_point(half, 0.0)[1].value - ball(langevin).value))]
    for u, values in smaller:
        gaps += [
            Ball(abs(one.value - ball(two).value))
            for one, two in zip(stationary_point(u), values, strict=True)
        ]
    return largest(gaps)


@precision(BITS)
def largest_change_with_the_dimension() -> Measurement:
    """Prove the largest change of the momentum coefficient between d = 1 and d = 3072, over
    three steps.
    """
    steps = (1e-3, 1e-2, 0.1)
    return largest(
        [
            Ball(abs((stationary_point(u, None, 3072)[0] - stationary_point(u)[0]).value))
            for u in steps
        ]
    )
