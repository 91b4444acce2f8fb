"""A6: the corrector's step `a = 2 (snr <z>/<m>)^2` at one noise level: what its signal-to-noise ratio alone fixes."""

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.laws.symbolic import a, b, lam
from ams.samplers import adaptive, constant, momentum, momentum_rule, snr_of_last_momentum, snr_of_momentum
from ams.schedules import Level
from ams_suite.measures import largest
from analysis.adaptive import closed_forms
from analysis.adaptive.settings import Settings
from analysis.momentum.closed_forms import variance_ratio
from analysis.momentum.study import derivation
from analysis.proofs import left_over
from verdicts import Measurement


def terms_left_of_the_rule_at_the_stated_step(settings: Settings) -> Measurement:
    """Count the terms left of `a Var m - 2 snr^2` at the stated u, Var m from the step's own stationary covariance."""
    snr = sp.Symbol("nu", positive=True)
    stated = {a: closed_forms.step_of_snr(snr, b) / lam}
    return left_over((a * derivation().covariance[1, 1] - 2 * snr**2).subs(stated))


def largest_error_of_the_step_asked_for(settings: Settings) -> Measurement:
    """Measure the largest relative error of the step that the rule asks for at the stated one's distribution, d = 5."""
    generator, n = np.random.default_rng(settings.seed), settings.points
    snrs, betas = np.exp(generator.uniform(-5, np.log(0.5), n)), generator.uniform(0, 0.9, n)
    us = closed_forms.step_of_snr(snrs, betas)
    stable = us < 1.9 / (1 - betas**2)
    parameters = zip(snrs[stable], betas[stable], us[stable], strict=True)
    return largest([abs(_step_asked_for(snr, beta, u) / u - 1) for snr, beta, u in parameters], settings.seed)


def _step_asked_for(snr: float, beta: float, u: float) -> float:
    law, level = GaussianLaw([1.0], multiplicity=5.0), Level(0, sigma=0.0)
    state, rule = frozen(law, u, beta), momentum_rule(constant(beta), snr_of_last_momentum(snr))
    return rule(state, law.score(state.x, level), law.noise(state.x), level, law).step


def largest_error_of_the_correctors_variance(settings: Settings) -> Measurement:
    """Measure the largest relative error of the variance that the authors' correctors reach at one level, d = 7."""
    rules = {
        closed_forms.corrector_momentum(0.3): momentum_rule(adaptive(1e-4), snr_of_last_momentum(0.3)),
        0.8: momentum_rule(constant(0.8), snr_of_momentum(0.3)),
    }
    law, gaps = GaussianLaw([1.0], multiplicity=7.0), []
    for beta, rule in rules.items():
        variance = reached(law, momentum(rule), 1.0, start_variance=0.5).variance.item()
        gaps.append(abs(variance / variance_ratio(closed_forms.step_of_snr(0.3, beta), beta) - 1))
    return largest(gaps)


def variance_at(beta: float | None = None) -> Measurement:
    """Return the stationary variance over the target's at snr 0.16 and a momentum coefficient, in closed form.

    By default the coefficient is the adaptive corrector's own.
    """
    beta = closed_forms.corrector_momentum(0.16) if beta is None else beta
    u = closed_forms.step_of_snr(0.16, beta)
    return Measurement(value=variance_ratio(u, beta), detail={"beta": beta, "u": u})
