"""The stationary distribution of constant momentum, and its bias.

G3: its closed form. G4: small steps. G5: small steps sample a tempered target, `pi^c / Z`. G7: with
the noise scaled like the drift, `sqrt(2 a c)`, the bias goes, and so does the gain over Langevin.
"""

import math

import sympy as sp

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.laws.symbolic import a, b, lam, x
from ams.metrics import gaussian_kl, gaussian_w2, half_line
from ams.samplers import constant, momentum, momentum_rule, with_corrected_noise
from ams.samplers.rules import Factor, authors_factor
from ams_suite.measures import largest
from analysis.momentum import closed_forms, study
from analysis.momentum.settings import Settings
from analysis.momentum.study import MIXTURE_BETA, derivation, mixture_density
from analysis.momentum.transition import C, U
from analysis.proofs import left_over
from analysis.targets import of_power
from verdicts import Measurement

u, t = sp.symbols("u t", positive=True)
SLOPE = 2 * b * (1 + b) / (1 - b) + (1 - b**2) / 2


def symbolic_variance() -> sp.Expr:
    """Return `lam Var x` of the step's own stationary distribution, in (u, b)."""
    return sp.factor((lam * derivation().covariance[0, 0]).subs(a, u / lam))


def solved_variance(u: float, beta: float, factor: Factor = authors_factor) -> float:
    """Return `lam Var x` as the exact law's linear system has it, the drift `factor(beta)` times
    the step.
    """
    law = GaussianLaw([1.0])
    return law.moments(frozen(law, u, beta, factor).x).variance.item()


def terms_left_of_the_covariance(settings: Settings) -> Measurement:
    """Count the terms left of `Var x`, `Var m`, `Cov(x_t, m_{t-1})` and Langevin's `Var x` minus
    the stated ones.
    """
    covariance = derivation().covariance
    last = C * (2 - U * (1 - b**2))
    return left_over(
        lam * covariance[0, 0] - closed_forms.variance_ratio(U, b),
        covariance[1, 1] - 2 * lam / last,
        covariance[0, 1] - 2 * (U * (1 + b) - 1) / last,
        (lam * covariance[0, 0]).subs(b, 0) - 1 / (1 - U / 2),
    )


def largest_error_against_solved_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the variance's formula against the exact law's
    linear system.
    """
    pairs = zip(*closed_forms.random_parameters(settings.points, settings.seed), strict=True)
    gaps = [
        abs(solved_variance(u, beta) / closed_forms.variance_ratio(u, beta) - 1)
        for u, beta in pairs
    ]
    return largest(gaps, settings.seed)


def largest_error_against_reached_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the variance's formula against the exact law that a
    long run reaches.
    """
    us, betas, variances = study.reached_variances(settings.points, settings.seed)
    return largest(abs(variances * us / closed_forms.variance_ratio(us, betas) - 1), settings.seed)


def error_of_the_particles_variance(settings: Settings) -> Measurement:
    """Measure the relative error of the particles' variance at u = 0.5, b = 0.5, after 60 steps
    from N(0, 1).

    The particles are independent, so `n Var^ / Var` is chi-squared: standard error `sqrt(2 / n)`.
    """
    n, seed = settings.particles, settings.seed
    error = study.particle_variance(n, seed) / closed_forms.variance_ratio(0.5, 0.5) - 1
    return Measurement(value=error, n=n, seeds=(seed,), detail={"standard error": (2 / n) ** 0.5})


def terms_left_of_the_small_step_series(settings: Settings) -> Measurement:
    """Count the terms left of Taylor's series of `c lam Var x` minus `1 + u s`, `s =
    2b(1+b)/(1-b) + (1-b^2)/2`.
    """
    return left_over(C * sp.series(symbolic_variance(), u, 0, 2).removeO() - 1 - u * SLOPE)


def terms_left_of_the_series_remainder(settings: Settings) -> Measurement:
    """Count the terms left of the series' remainder minus `u s w / (1 - w)`, `w = u / u_max`,
    `u_max = 2/(1-b^2)`.
    """
    share = u * (1 - b**2) / 2
    return left_over(C * symbolic_variance() - 1 - u * SLOPE - u * SLOPE * share / (1 - share))


def terms_left_of_the_limiting_variance(settings: Settings) -> Measurement:
    """Count the terms left of `lim_{a -> 0} lam Var x - 1 / c`: the limit is the variance of
    `pi^c`, not of `pi`.
    """
    return left_over(sp.limit(lam * derivation().covariance[0, 0], a, 0) - 1 / C)


def terms_left_of_the_flux_at_the_tempered_target(settings: Settings) -> Measurement:
    """Count the terms left of the Fokker-Planck flux `v (log pi)' p - D p'` at `p = pi^c`, for any
    density `pi`.

    As a -> 0 the momentum is the score: a step adds `a v s` and noise of variance `2 a D`, both
    read off the step.
    """
    matrix, noise, _ = derivation()
    speed = (
        matrix[0, 1] + (1 - matrix[0, 0]) / lam
    ) / a  # of the momentum and of the score, -lam x, that it joins
    diffusion = noise[0] ** 2 / (2 * a)
    pi = sp.Function("pi", positive=True)(x)
    return left_over(speed * sp.diff(sp.log(pi), x) * pi**C - diffusion * sp.diff(pi**C, x))


def limiting_bias(beta: float, dimension: int = 1) -> tuple[float, float]:
    """Return W2 and KL of the stationary distribution to N(0, I) at u = 1e-9, close to the limit
    of small steps.
    """
    law = GaussianLaw([1.0], multiplicity=float(dimension))
    moments = (0.0, solved_variance(1e-9, beta), 0.0, law.variance, law.multiplicity)
    return gaussian_w2(*moments), gaussian_kl(*moments)


def limiting_w2(settings: Settings) -> Measurement:
    """Measure W2 in units of the target's standard deviation at b = 0.9, u = 1e-9; the limit is
    `b / (1 + b)`.
    """
    return Measurement(value=limiting_bias(0.9)[0])


def limiting_kl(settings: Settings) -> Measurement:
    """Measure KL(stationary || target) in nats at b = 0.9, u = 1e-9; the limit is `(1/c - 1 + ln
    c) / 2`.
    """
    return Measurement(value=limiting_bias(0.9)[1], unit="nats")


def kl_in_many_dimensions_over_its_closed_form(settings: Settings) -> Measurement:
    """Measure KL in 3072 dimensions at b = 0.9, u = 1e-9, over 3072 times a direction's closed
    form.
    """
    c = 1.9**2
    return Measurement(value=limiting_bias(0.9, 3072)[1] / (3072 * (1 / c - 1 + math.log(c)) / 2))


def minority_mass_beyond_the_tempered_mixture_s(settings: Settings) -> Measurement:
    """Measure the mass left of 0 on the mixture at b = 0.5, extrapolated to a = 0 from two
    steps, less `pi^c`'s.
    """
    steps = (settings.mixture_step, settings.mixture_step / 2)
    coarse, fine = (half_line(GridFunction(*mixture_density(size))) for size in steps)
    tempered, target = half_line(of_power((1 + MIXTURE_BETA) ** 2)), half_line(of_power())
    return Measurement(
        value=2 * fine - coarse - tempered,
        detail={"at the steps": [coarse, fine], "pi^c": tempered, "pi": target},
    )


def symbolic_corrected_variance() -> sp.Expr:
    """Return `lam Var x` of the corrected step's own stationary distribution, in (u, b) with `u
    = a c lam`.
    """
    return sp.factor((lam * derivation(corrected=True).covariance[0, 0]).subs(a, u / (C * lam)))


def terms_left_of_the_corrected_variance(settings: Settings) -> Measurement:
    """Count the terms left of the corrected variance, its limit 1 and its slope `(1+b)/(2(1-b))`
    at u = 0.
    """
    variance = symbolic_corrected_variance()
    return left_over(
        variance - closed_forms.corrected_variance(u, b),
        sp.limit(variance, u, 0) - 1,
        sp.limit((variance - 1) / u, u, 0) - (1 + b) / (2 * (1 - b)),
    )


def terms_left_of_the_slow_rate(settings: Settings) -> Measurement:
    """Count the terms left of `dr/du + 1` at r = 1, u = 0: slow directions lose `u` a step, as
    without momentum.
    """
    matrix = derivation(corrected=True).matrix.subs(a, u / (C * lam)).applyfunc(sp.factor)
    polynomial, slow = sp.expand((t * sp.eye(2) - matrix).det()), {t: 1, u: 0}
    derivative = -sp.diff(polynomial, u) / sp.diff(polynomial, t)
    return left_over(polynomial.subs(slow), derivative.subs(slow) + 1)


def terms_left_of_the_step_ratio_at_equal_bias(settings: Settings) -> Measurement:
    """Count the terms left of `u_L/u - 1` at equal variance, of the variance at which it is 0, and
    of its limit for small steps, minus the stated ones.
    """
    variance = symbolic_corrected_variance()
    ratio = 2 * (1 - 1 / variance) / u
    return left_over(
        ratio - 1 - 2 * b * (1 + b - u) / (1 - b**2 + 2 * b * u),
        variance.subs(u, 1 + b) - 2 / (1 - b),
        sp.limit(ratio, u, 0) - (1 + b) / (1 - b),
    )


def largest_error_against_solved_corrected_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the corrected variance against the exact law's linear
    system, random `u = a c lam` and b: with the noise corrected the step is that of `u` without the
    drift's factor.
    """
    us, betas = closed_forms.random_parameters(settings.points, settings.seed)
    us = us * (1 + betas) ** 2
    solved = [solved_variance(u, beta, lambda _: 1.0) for u, beta in zip(us, betas, strict=True)]
    return largest(abs(solved / closed_forms.corrected_variance(us, betas) - 1), settings.seed)


def largest_error_against_reached_corrected_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the corrected variance against runs of the corrected
    rule, five (u, b).
    """
    gaps = []
    for u, beta in ((0.05, 0.5), (0.2, 0.9), (0.5, 0.3), (1.0, 0.8), (2.0, 0.6)):
        step = momentum(with_corrected_noise(momentum_rule(constant(beta))))
        variance = reached(
            GaussianLaw([1.0]), step, u / (1 + beta) ** 2, start_variance=4.0
        ).variance.item()
        gaps.append(abs(variance / closed_forms.corrected_variance(u, beta) - 1))
    return largest(gaps)
