r"""A6: the corrector's step size at one noise level: what its signal-to-noise ratio fixes.

The released rule takes `a = 2 (snr <z>/<m>)^2`. In the stationary law on an isotropic target `<z>/<m>` is one over m's
standard deviation, `Var m = 2 lam / (c (2 - u(1-b^2)))` (claim G3), so

    u = snr^2 c (2 - u (1 - b^2)),    that is    u = 2 snr^2 c / (1 + snr^2 c (1 - b^2)):

the ratio fixes `u`, whatever the precision and the dimension, and with it the bias.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.laws.symbolic import a, b, lam
from ams.samplers import (
    adaptive,
    constant,
    critical_momentum,
    momentum,
    momentum_rule,
    snr_of_last_momentum,
    snr_of_momentum,
)
from ams.schedules import Level
from analysis.adaptive.fixed_point import stationary_ratio
from analysis.adaptive.settings import Settings
from analysis.momentum.settings import Real
from analysis.momentum.stationary import variance_ratio
from analysis.momentum.transition import symbols
from analysis.proofs import left_over
from verdicts import Measurement, check

nu = sp.Symbol("nu", positive=True)
LEVEL = Level(0, sigma=0.0)


def step_of_snr(snr: Real, beta: Real) -> Real:
    """Return A6's `u = 2 snr^2 c / (1 + snr^2 c (1 - b^2))`."""
    c = (1 + beta) ** 2
    return 2 * snr**2 * c / (1 + snr**2 * c * (1 - beta**2))


@check("A6.identity")
def step_solves_the_rule(settings: Settings) -> Measurement:
    """At the stated u, `a Var m = 2 snr^2`: the rule's own equation with the step's own stationary momentum."""
    stated = {a: step_of_snr(nu, b) / lam}
    return left_over((a * symbols()[2][1, 1] - 2 * nu**2).subs(stated))


@check("A6.solved")
def rule_returns_the_step(settings: Settings) -> Measurement:
    """Return the largest relative error of the step that the rule asks for at the law of the stated one, d = 5."""
    generator = np.random.default_rng(settings.seed)
    snrs, betas = (
        np.exp(generator.uniform(-5, np.log(0.5), settings.points)),
        generator.uniform(0, 0.9, settings.points),
    )
    stable = step_of_snr(snrs, betas) < 1.9 / (1 - betas**2)
    gaps = [_returned(snr, beta) for snr, beta in zip(snrs[stable], betas[stable], strict=True)]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


def _returned(snr: float, beta: float) -> float:
    law, u = GaussianLaw([1.0], multiplicity=5.0), step_of_snr(snr, beta)
    state, rule = frozen(law, u, beta), momentum_rule(constant(beta), snr_of_last_momentum(snr))
    chosen = rule(state, law.score(state.x, LEVEL), law.noise(state.x), LEVEL, law)
    return abs(chosen.step / u - 1)


def adaptive_damping(snr: float) -> float:
    """Return the damping of the adaptive corrector at one level: A2 and A6 together, by Brent's method."""
    return float(
        brentq(
            lambda beta: critical_momentum(stationary_ratio(step_of_snr(snr, beta), beta)) - beta, 0.0, 1.0, xtol=1e-16
        )
    )


@check("A6.reached")
def correctors_reach_it(settings: Settings) -> Measurement:
    """Return the largest relative error of the variance that the released correctors reach at one level by running."""
    runs = {
        adaptive_damping(0.3): (0.3, momentum_rule(adaptive(1e-4), snr_of_last_momentum(0.3))),
        0.8: (0.3, momentum_rule(constant(0.8), snr_of_momentum(0.3))),
    }
    gaps = []
    for damping, (snr, rule) in runs.items():
        found = reached(GaussianLaw([1.0], multiplicity=7.0), momentum(rule), 1.0, start_variance=0.5)
        gaps.append(abs(found.variance.item() / variance_ratio(step_of_snr(snr, damping), damping) - 1))
    return Measurement(value=max(gaps), n=len(gaps))


@check("A6.langevin")
def langevin_at_a_common_ratio(settings: Settings) -> Measurement:
    """Return `lam Var x` of the Langevin corrector at snr = 0.16, from the formulas."""
    return _variance_at(0.0)


@check("A6.adaptive")
def adaptive_momentum_at_a_common_ratio(settings: Settings) -> Measurement:
    """Return `lam Var x` of the adaptive corrector at snr = 0.16, from the formulas."""
    return _variance_at(adaptive_damping(0.16))


@check("A6.bias")
def constant_momentum_at_a_common_ratio(settings: Settings) -> Measurement:
    """Return `lam Var x` of the released constant-momentum corrector (b = 0.9) at snr = 0.16, from the formulas."""
    return _variance_at(0.9)


def _variance_at(beta: float, snr: float = 0.16) -> Measurement:
    u = step_of_snr(snr, beta)
    return Measurement(value=variance_ratio(u, beta), detail={"damping": beta, "u": u})
