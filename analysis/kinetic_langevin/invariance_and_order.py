r"""K7: the isothermal sampler is exact on a point, step by step, and its error's order on a Gaussian.

At a level `sigma` the law that a step leaves behind on a point is that of K1 in the level's own unit:
`Var x = sigma^2`, `Var p = 1`, `Cov(x, p) = sqrt(u/2) sigma`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp
from pydantic import JsonValue

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import Symbols, lam, mu, p, x, z
from ams.metrics import gaussian_kl
from ams.samplers import (
    TAPERED,
    KineticParameters,
    State,
    Step,
    StepCoefficients,
    annealed_baoab,
    fixed,
    level_transition,
    one_step_per_level,
)
from ams.samplers.annealed_baoab import KineticSchedule
from ams.schedules import Level, geometric_sigmas, ve_levels
from ams.statistics import asymptotic_order
from analysis.kinetic_langevin.drift_calibration import POINT
from analysis.kinetic_langevin.settings import Settings
from analysis.proofs import left_over, matrix_entries
from analysis.targets import stiff_gaussian
from verdicts import Measurement, check

sigma, u, u_before, gamma, weight, e = sp.symbols("sigma u u_- gamma w e", positive=True)
_LEVEL = Level(0, sigma=sigma, next=Level(1, sigma=gamma * sigma))


def at_rest(strength: sp.Expr, level: sp.Expr) -> sp.Matrix:
    """Return the covariance of (x, p) that a step of that strength leaves at a level, by K1."""
    shared = sp.sqrt(strength / 2) * level
    return sp.Matrix([[level**2, shared], [shared, 1]])


@cache
def covariance_after(first: bool = False) -> sp.Matrix:
    """Return the covariance of (x, p) after a step, from the rest at `sigma` with `u_-`, or of a first step.

    The target is the point `mu`, at which every denoised point is; a first step draws twice, `p` and `z`.
    """
    drawn = iter((p, z) if first else (z,))
    begin = State(x) if first else State(x, p=p, d=mu)
    step, algebra = level_transition(StepCoefficients(u, u if first else u_before, e, weight)), Symbols()
    after, _ = step(begin, algebra.score, lambda at: next(drawn), _LEVEL, algebra)
    rows = sp.Matrix([after.x, after.p]).jacobian([x, p, z]).subs(lam, 1 / sigma**2)
    before = sp.diag(sigma**2, 1, 1) if first else sp.diag(at_rest(u_before, sigma), 1)
    return (rows * before * rows.T).applyfunc(sp.simplify)


@check("K7.invariant")
def a_step_keeps_the_rest(settings: Settings) -> Measurement:
    """From the rest at `sigma` with `u_-` a step leads to the rest at `sigma'` with `u`, for any e and weight."""
    return left_over(*matrix_entries(covariance_after(), at_rest(u, gamma * sigma)))


@check("K7.start")
def the_first_step_reaches_it(settings: Settings) -> Measurement:
    """So does a first step from `x ~ N(mu, sigma^2)`: half a kick of `p ~ N(0, 1 - u/2)`."""
    return left_over(*matrix_entries(covariance_after(first=True), at_rest(u, gamma * sigma)))


def _random_pace(generator: np.random.Generator) -> KineticSchedule:
    """Return a pacing that draws a pace for each new length of a step, and keeps to it."""
    paces: dict[float, KineticParameters] = {}
    return lambda h: paces.setdefault(h, KineticParameters(*generator.uniform(0.01, (1.95, 0.99))))


@check("K7.point")
def a_point_is_invariant(settings: Settings) -> Measurement:
    """Return the largest KL (nats) to the last level's law on a point, over random levels, paces and memories."""
    generator, law, found = np.random.default_rng(settings.seed), GaussianLaw([POINT], [1.5]), []
    for _ in range(20):
        sigmas = np.sort(np.exp(generator.uniform(-4.0, 4.0, 20)))[::-1]
        step = annealed_baoab(_random_pace(generator))
        state, _ = law.end(one_step_per_level(step, ve_levels(sigmas)), law.start(1.5, sigmas[0] ** 2))
        end = law.moments(state.x)
        found.append(gaussian_kl(end.mean, end.variance, 1.5, sigmas[-1] ** 2))
    return Measurement(value=max(found), n=len(found), seeds=(settings.seed,), unit="nats")


def divergence(step: Step, steps: int, first: float = 50.0, last: float = 0.02) -> float:
    """Return KL(law || target) / d after that many geometric steps on the stiff Gaussian, of mean norm 2 (nats)."""
    law, levels = stiff_gaussian(), ve_levels(geometric_sigmas(first, last, steps + 1))
    end = law.moments(law.end(one_step_per_level(step, levels), law.start(0.0, first**2))[0].x)
    return gaussian_kl(end.mean, end.variance, law.mean, law.variance + last**2) / len(law.variance)


def order(settings: Settings, step: Step) -> Measurement:
    """Return the exponent of KL in the number of evaluations, with its interval over the asymptotic ones."""
    steps = 1.0 / np.array(settings.orders)
    found = asymptotic_order(steps, [divergence(step, n) for n in settings.orders], drift=0.2)
    detail: dict[str, JsonValue] = {"local": list(found.local), "evaluations": [round(1 / h) for h in found.steps]}
    return Measurement(value=-found.value, low=-found.high, high=-found.low, n=len(found.steps), detail=detail)


@check("K7a.order")
def order_without_memory(settings: Settings) -> Measurement:
    """Return the exponent at `e = 0`."""
    return order(settings, annealed_baoab(fixed(0.0)))


@check("K7a.memory")
def order_with_memory(settings: Settings) -> Measurement:
    """Return the exponent at `e = 1/2`."""
    return order(settings, annealed_baoab(fixed(0.5)))


@check("K7a.plain")
def order_without_extrapolation(settings: Settings) -> Measurement:
    """Return the exponent at `e = 1/2` without the extrapolation."""
    return order(settings, annealed_baoab(fixed(0.5), extrapolate=False))


@check("K7a.tapered")
def order_at_the_tapered_pace(settings: Settings) -> Measurement:
    """Return the exponent at the TAPERED pace, whose stirring does not fade as the levels get closer."""
    return order(settings, annealed_baoab(TAPERED))
