r"""K3: related integrators, and how each misses the target's variance. K4: mean curvature from the chain's own moves.

A Gaussian target of precision `lam`, `u = a lam = dt^2 lam / 2`.
"""

import math

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam
from ams.schedules import Level
from ams.statistics import asymptotic_order
from ams_suite.measures import largest, of_order
from analysis.proofs import left_over
from beyond.kinetic_langevin.one_level import A, U, derivation, dt, e, law_step, stationary_error, stationary_variance
from beyond.kinetic_langevin.settings import Settings, random_points
from verdicts import Measurement

STATED = {
    "OBABO": 1 / (1 - U / 2),
    "SGHMC": (1 + e) / (1 + e - U),
    "kick, drift, refresh": (1 + e) ** 2 / (2 * (1 + e - U)),
}
"""Claim K3's `lam Var x` of each method."""


def stationary(method: str) -> sp.Expr:
    """Return `lam Var x` of a method's stationary distribution, derived from its step."""
    return lam * derivation(method).covariance[0, 0]


def remainder_of_three_stationary_variances(settings: Settings) -> Measurement:
    """Measure the operations left in `lam Var x` of OBABO, SGHMC and kick-drift-refresh, less the stated formulas."""
    return left_over(*(stationary(method) - stated for method, stated in STATED.items()))


def largest_error_of_three_stationary_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the formulas for `lam Var x` against the exact law, over random (u, e)."""
    errors = []
    for method, stated in STATED.items():
        formula = sp.lambdify((dt, e, lam), stated, "numpy")
        for u, momentum in random_points(settings)[::3]:
            size = u if method == "OBABO" else u * (1 + momentum) / 2
            expected = formula((2 * size) ** 0.5, momentum, 1.0)
            errors.append(abs(stationary_variance(method, size, momentum) / expected - 1.0))
    return largest(errors, settings.seed)


def remainder_of_limits_at_small_steps(settings: Settings) -> Measurement:
    """Measure the operations left in the limits of `lam Var x` as `a -> 0`: (1 + e)/2 for the last method, else 1."""
    methods = ("kick, drift, refresh", "OBABO", "SGHMC", "BAOAB")
    limits = [sp.limit(stationary(method), dt, 0) for method in methods]
    return left_over(limits[0] - (1 + e) / 2, *(limit - 1 for limit in limits[1:]))


def order_at_fixed_friction(method: str) -> Measurement:
    """Return the order in dt of a method's variance error, with `e = exp(-2 dt)`."""
    steps = 0.2 * 2.0 ** -np.arange(6)
    return of_order(asymptotic_order(steps, [stationary_error(method, t, math.exp(-2.0 * t)) for t in steps]))


def remainder_of_mean_squared_move(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's stationary `E (x' - x)^2 - a (1 + e)`, for any precision."""
    matrix, noise, covariance = derivation("BAOAB")
    change = sp.Matrix([[matrix[0, 0] - 1, matrix[0, 1]]])
    return left_over((change * covariance * change.T)[0] + noise[0] ** 2 - A * (1 + e))


def largest_error_of_mean_curvature(settings: Settings) -> Measurement:
    """Measure the largest relative error of two estimates of `tr H / d`, by BAOAB's exact law on 20 random spectra."""
    generator, errors = np.random.default_rng(settings.seed), []
    for _ in range(20):
        precision = np.exp(generator.uniform(0.0, np.log(1e4), 16))
        size, momentum = 1.5 * generator.uniform() / precision.max(), generator.uniform(0.0, 0.95)
        estimates = mean_curvatures(precision, size, momentum)
        errors.append(max(abs(estimate / precision.mean() - 1.0) for estimate in estimates))
    return largest(errors, settings.seed)


def mean_curvatures(precision: np.ndarray, size: float, momentum: float) -> tuple[float, float]:
    """Return `-<ds, dx> / <dx, dx>` and `E |s|^2 / d` in BAOAB's stationary distribution on these precisions."""
    law, level = GaussianLaw(1.0 / precision), Level(0, sigma=0.0, step=size)
    state, after = law_step(law, "BAOAB", size, momentum)
    law.set_stationary(state, after)
    s, dx = law.score(state.x, level), after.x - state.x
    ds = law.score(after.x, level) - s
    ratio = -law.covariance(ds, dx).sum() / law.covariance(dx, dx).sum()
    return ratio.item(), law.covariance(s, s).mean().item()
