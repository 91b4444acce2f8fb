"""The stationary distribution of constant momentum: G3 (closed form), G4 (small steps), G6 (the one unbiased step)."""

import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen
from ams.laws.symbolic import a, b, lam
from ams.samplers.rules import Factor, authors_factor
from ams_suite.measures import largest
from analysis.momentum import closed_forms, study
from analysis.momentum.settings import Settings
from analysis.momentum.transition import C, U
from analysis.proofs import left_over
from verdicts import Measurement

u = sp.Symbol("u", positive=True)
SLOPE = 2 * b * (1 + b) / (1 - b) + (1 - b**2) / 2


def symbolic_variance() -> sp.Expr:
    """Return `lam Var x` of the step's own stationary distribution, in (u, b)."""
    return sp.factor((lam * study.derivation().covariance[0, 0]).subs(a, u / lam))


def solved_variance(u: float, beta: float, factor: Factor = authors_factor) -> float:
    """Return `lam Var x` as the exact law's linear system has it, the drift `factor(beta)` times the step."""
    law = GaussianLaw([1.0])
    return law.moments(frozen(law, u, beta, factor).x).variance.item()


def terms_left_of_the_covariance(settings: Settings) -> Measurement:
    """Count the terms left of `Var x`, `Var m`, `Cov(x_t, m_{t-1})` and Langevin's `Var x` minus the stated ones."""
    covariance = study.derivation().covariance
    last = C * (2 - U * (1 - b**2))
    return left_over(
        lam * covariance[0, 0] - closed_forms.variance_ratio(U, b),
        covariance[1, 1] - 2 * lam / last,
        covariance[0, 1] - 2 * (U * (1 + b) - 1) / last,
        (lam * covariance[0, 0]).subs(b, 0) - 1 / (1 - U / 2),
    )


def largest_error_against_solved_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the variance's formula against the exact law's linear system."""
    pairs = zip(*closed_forms.random_parameters(settings.points, settings.seed), strict=True)
    gaps = [abs(solved_variance(u, beta) / closed_forms.variance_ratio(u, beta) - 1) for u, beta in pairs]
    return largest(gaps, settings.seed)


def largest_error_against_reached_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the variance's formula against the exact law that a long run reaches."""
    us, betas, variances = study.reached_variances(settings.points, settings.seed)
    return largest(abs(variances * us / closed_forms.variance_ratio(us, betas) - 1), settings.seed)


def error_of_the_particles_variance(settings: Settings) -> Measurement:
    """Measure the relative error of the particles' variance at u = 0.5, b = 0.5, after 60 steps from N(0, 1).

    The particles are independent, so `n Var^ / Var` is chi-squared: standard error `sqrt(2 / n)`.
    """
    n, seed = settings.particles, settings.seed
    error = study.particle_variance(n, seed) / closed_forms.variance_ratio(0.5, 0.5) - 1
    return Measurement(value=error, n=n, seeds=(seed,), detail={"standard error": (2 / n) ** 0.5})


def terms_left_of_the_small_step_series(settings: Settings) -> Measurement:
    """Count the terms left of Taylor's series of `c lam Var x` minus `1 + u s`, `s = 2b(1+b)/(1-b) + (1-b^2)/2`."""
    return left_over(C * sp.series(symbolic_variance(), u, 0, 2).removeO() - 1 - u * SLOPE)


def terms_left_of_the_series_remainder(settings: Settings) -> Measurement:
    """Count the terms left of the series' remainder minus `u s w / (1 - w)`, `w = u / u_max`, `u_max = 2/(1-b^2)`."""
    share = u * (1 - b**2) / 2
    return left_over(C * symbolic_variance() - 1 - u * SLOPE - u * SLOPE * share / (1 - share))


def terms_left_of_the_unbiased_step(settings: Settings) -> Measurement:
    """Count the terms left of each root u of `lam Var x = 1` minus the stated `u*`, and of its degree minus 1."""
    excess = sp.Poly(sp.numer(sp.together(symbolic_variance() - 1)), u)
    roots = sp.roots(excess)
    return left_over(*(root - closed_forms.unbiased_step(b) for root in roots), sp.Integer(excess.degree() - 1))


def unstable_unbiased_steps(settings: Settings) -> Measurement:
    """Count the b in (0, 1) at which `u*` meets 0, a pole or the stability bound (Sturm's theorem), or is outside at
    b = 1/2.
    """
    step, bound = closed_forms.unbiased_step, closed_forms.stability_bound
    signs = (*sp.fraction(sp.factor(step(b))), sp.numer(sp.factor(2 / (1 - b**2) - step(b))))
    inner = (sp.Rational(1, 10**9), 1 - sp.Rational(1, 10**9))
    met = sum(sp.Poly(part, b).count_roots(*inner) for part in signs)
    return Measurement(value=int(met) + (not 0.0 < step(0.5) < bound(0.5)), n=3)


def largest_bias_at_the_unbiased_step(settings: Settings) -> Measurement:
    """Measure the largest relative error of the exact law's variance at `u*` to the target's, over random b."""
    _, betas = closed_forms.random_parameters(settings.points, settings.seed)
    return largest([abs(solved_variance(closed_forms.unbiased_step(b), b) - 1) for b in betas], settings.seed)
