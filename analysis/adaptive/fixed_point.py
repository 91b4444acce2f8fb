r"""A2: the stationary damping of the adaptive rule on an isotropic Gaussian.

Mean field (batch -> infinity), `u = a lam`: the stationary damping solves

    rho = (1 + b) sqrt(2 u (1 + u b (1 + b))),   b = ((1 - rho) / (1 + rho))^2

free of dimension, and the law is that of constant momentum at that `b` (claim G3).
"""

from __future__ import annotations

import numpy as np
import sympy as sp
import torch
from scipy.optimize import brentq

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, reached, solved
from ams.laws.symbolic import a, b, lam
from ams.samplers import adaptive, critical_momentum, momentum, momentum_rule, sample
from ams.schedules import Level
from analysis.adaptive.settings import Settings, random_steps
from analysis.momentum.settings import Real
from analysis.momentum.stationary import variance_ratio
from analysis.momentum.transition import symbols
from analysis.proofs import left_over
from verdicts import Measurement, check

RULE = momentum_rule(adaptive(1e-6))
STEP = momentum(RULE)
HIGHEST = 1.0 - 1e-6


def stationary_ratio(u: float, beta: Real) -> Real:
    """Return A2's `rho = (1 + b) sqrt(2 u (1 + u b (1 + b)))`."""
    return (1 + beta) * np.sqrt(2 * u * (1 + u * beta * (1 + beta)))


def stationary_damping(u: float) -> float:
    """Return A2's fixed point `b(u)` for 0 < u <= 1/2, by Brent's method."""
    return float(
        brentq(lambda beta: critical_momentum(stationary_ratio(u, beta)) - beta, 0.0, 1.0, xtol=1e-16, rtol=1e-15)
    )


def law_of(u: float, dimension: float = 1.0) -> Stationary:
    """Return the stationary law of the adaptive step at `a = u` on the isotropic target `lam = 1` (solved)."""
    return solved(GaussianLaw([1.0], multiplicity=dimension), RULE, u, HIGHEST)


def ratio_squared() -> sp.Expr:
    """Return `<Ds>^2 / <m>^2` in the stationary law of constant momentum, from the step's own covariance (claim G3).

    All directions being alike, the expected norms of `Ds` and `m` are as their standard deviations.
    """
    matrix, spread, covariance = symbols()
    change = sp.Matrix([[matrix[0, 0] - 1, matrix[0, 1]]])
    moved = lam**2 * ((change * covariance * change.T)[0, 0] + spread[0] ** 2)
    return sp.factor(moved / covariance[1, 1])


@check("A2.ratio")
def ratio_from_the_step(settings: Settings) -> Measurement:
    """SymPy, from the step's stationary covariance: `<Ds>^2 / <m>^2 = (1 + b)^2 2 u (1 + u b (1 + b))`."""
    return left_over(ratio_squared() - (1 + b) ** 2 * 2 * a * lam * (1 + a * lam * b * (1 + b)))


@check("A2.solved")
def fixed_point_against_solved_law(settings: Settings) -> Measurement:
    """Return the largest error of the damping and relative error of the variance, formula against the solved law."""
    gaps = [_gap(law_of(u, dimension=7.0), u) for u in random_steps(settings)]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("A2.reached")
def fixed_point_against_reached_law(settings: Settings) -> Measurement:
    """Return the same for laws that a long run reaches from a far start, at three steps."""
    law, us = GaussianLaw([1.0]), np.array([0.1, 0.25, 0.45])
    gaps = [_gap(reached(law, STEP, u, start_variance=9.0, start_mean=3.0), u) for u in us]
    return Measurement(value=max(gaps), n=len(gaps))


def _gap(found: Stationary, u: float) -> float:
    beta = stationary_damping(u)
    return max(abs(found.beta - beta), abs(found.variance.item() / variance_ratio(u, beta) - 1))


@check("A2.printed")
def printed_values(settings: Settings) -> Measurement:
    """Return the largest difference to the printed dampings and variances at u = 1e-3, 1e-2, 1e-1, 0.5."""
    printed = {1e-3: (0.7329, 0.3363), 1e-2: (0.4373, 0.4969), 1e-1: (0.1111, 0.8757), 0.5: (0.0, 1.3333)}
    found = {u: law_of(u) for u in printed}
    gaps = [max(abs(found[u].beta - beta), abs(found[u].variance.item() - v)) for u, (beta, v) in printed.items()]
    return Measurement(value=max(gaps), n=len(gaps))


@check("A2.dimension")
def damping_is_free_of_dimension(settings: Settings) -> Measurement:
    """Return the largest change of the damping between d = 1 and d = 3072, over three steps."""
    gaps = [abs(law_of(u, 3072.0).beta - law_of(u, 1.0).beta) for u in (1e-3, 1e-2, 0.1)]
    return Measurement(value=max(gaps), n=len(gaps))


@check("A2.particles")
def mean_field_against_particles(settings: Settings) -> Measurement:
    """Return the relative error of the particles' variance at u = 0.05 in d = 8, one batch, after 120 steps.

    The batch couples the samples through beta alone: over 200 seeds the variance's standard error was 0.97 (batch
    500) and 0.94 (batch 2000) times that of independent samples, `sqrt(2 / (batch d))`; the tolerance allows for 1.5.
    """
    u, d = 0.05, 8
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn(settings.batch, d, dtype=torch.float64, generator=generator)
    program = [(STEP, Level(0, sigma=0.0, step=u))] * 120
    state, _, _ = sample(program, start, lambda at, level: -at, generator)
    error = state.x.square().mean().item() / law_of(u).variance.item() - 1
    return Measurement(value=error, n=settings.batch * d, seeds=(settings.seed,))


def unbiased_step() -> float:
    """Return the one step `u` at which adaptive momentum's stationary variance is the target's."""
    return float(brentq(lambda u: variance_ratio(u, stationary_damping(u)) - 1.0, 0.1, 0.3, xtol=1e-14))


@check("A2.unbiased")
def unbiased_only_here(settings: Settings) -> Measurement:
    """Return the step at which the bias vanishes."""
    return Measurement(value=unbiased_step())
