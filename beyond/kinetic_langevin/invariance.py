"""K7: annealed BAOAB is exact on a point, step by step.

On a point target a step leaves BAOAB's stationary distribution (K1) in the noise level's own unit:
`Var x = sigma^2`, `Var p = 1`, `Cov(x, p) = sqrt(u/2) sigma`.
"""

from typing import Any

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import Symbols, lam, mu, p, x, z
from ams.metrics import gaussian_kl
from ams.samplers import State, Step, annealed_baoab, one_step_per_level
from ams.samplers.annealed_baoab import (
    KineticParameters,
    KineticSchedule,
    StepCoefficients,
    level_transition,
)
from ams.schedules import Level, ve_levels
from analysis.proofs import left_over
from beyond.kinetic_langevin.drift_calibration import POINT
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement

sigma, u, u_before, gamma, weight, e = sp.symbols("sigma u u_- gamma w e", positive=True)


def stationary_covariance(strength: sp.Expr, noise: sp.Expr) -> sp.Matrix:
    """Return the covariance of (x, p) that a step with `u = strength` leaves on a point at noise
    level `noise`.
    """
    shared = sp.sqrt(strength / 2) * noise
    return sp.Matrix([[noise**2, shared], [shared, 1]])


def covariance_after(first: bool = False) -> sp.Matrix:
    """Return the covariance of (x, p) at `gamma sigma` after one step, from the stationary one at
    `sigma` with `u_-`.

    Or after a first step from `x ~ N(mu, sigma^2)`, which draws twice, `p` and `z`. The target is
    the point `mu`, at which every denoised point is.
    """
    draws = iter((p, z) if first else (z,))
    begin = State(x) if first else State(x, p=p, d=mu)
    step, algebra = (
        level_transition(StepCoefficients(u, u if first else u_before, e, weight)),
        Symbols(),
    )
    level = Level(0, sigma=sigma, next=Level(1, sigma=gamma * sigma))
    after, _ = step(begin, algebra.score, lambda at: next(draws), level, algebra)
    rows = sp.Matrix([after.x, after.p]).jacobian([x, p, z]).subs(lam, 1 / sigma**2)
    before = (
        sp.diag(sigma**2, 1, 1) if first else sp.diag(stationary_covariance(u_before, sigma), 1)
    )
    return (rows * before * rows.T).applyfunc(sp.simplify)


def covariance_left(first: bool = False) -> Measurement:
    """Return the operations left in Cov(x, p) after a step on a point, or after the `first`, less
    the next noise level's; any u and e.
    """
    return left_over(*(covariance_after(first) - stationary_covariance(u, gamma * sigma)))


def random_schedule(generator: np.random.Generator) -> KineticSchedule:
    """Return a schedule that draws kinetic parameters for each new length of a step, and keeps
    to them.
    """
    drawn: dict[float, KineticParameters] = {}
    return lambda h: drawn.setdefault(h, KineticParameters(*generator.uniform(0.01, (1.95, 0.99))))


def run_to_a_point(law: Any, step: Step, generator: np.random.Generator) -> tuple[Any, float]:
    """Return the moments after 20 random noise levels, one step to each, to the point 1.5; and
    the last one.
    """
    sigmas = np.sort(np.exp(generator.uniform(-4.0, 4.0, 20)))[::-1]
    end, _ = law.end(one_step_per_level(step, ve_levels(sigmas)), law.start(1.5, sigmas[0] ** 2))
    return law.moments(end.x), sigmas[-1]


def kl_on_a_point(step: Step, generator: np.random.Generator) -> float:
    """Return KL to the distribution of the point 1.5 after 20 random noise levels, one step to
    each (nats).
    """
    end, sigma = run_to_a_point(GaussianLaw([POINT], [1.5]), step, generator)
    return gaussian_kl(end.mean, end.variance, 1.5, sigma**2)


def largest_kl_on_a_point(settings: Settings) -> Measurement:
    """Measure annealed BAOAB's largest KL to a point's distribution, random noise levels and
    parameters (nats).
    """
    generator = np.random.default_rng(settings.seed)
    divergences = [
        kl_on_a_point(annealed_baoab(random_schedule(generator)), generator) for _ in range(20)
    ]
    return Measurement(
        value=max(divergences), n=len(divergences), seeds=(settings.seed,), unit="nats"
    )
