"""How fast BAOAB contracts on a Gaussian: over a spectrum of precisions, and at one noise level.

K2: critical damping of BAOAB and the best rate over a spectrum. Precisions lie in `[m, L]`, `k = L
/ m`. Both eigenvalues of a transition with determinant `e` and trace `t` lie within the radius `r`
exactly if `e <= r^2` and `|t| <= r + e / r`. Here `t = (1 + e)(1 - a lam)`, so at the worse end of
the spectrum, for any step `a`,

    (k - 1)/(k + 1) <= max |1 - a lam| <= (r + e/r)/(1 + e) <= 2 r/(1 + r^2),

the last since the middle rises with `e <= r^2`. So `r >= (sqrt k - 1)/(sqrt k + 1)`, and the stated
step and momentum turn each inequality into an equality. The bound is that of Chebyshev's method for
every two-term recursion.

K10: what a correction at one noise level costs, with the momentum of critical damping and without
momentum. BAOAB's transition at the slow end `m` of a spectrum `[m, L]`, `kappa = L / m`, with K2's
best step and momentum, has the double root `r = (sqrt kappa - 1)/(sqrt kappa + 1)`: a mean `x_0`,
with velocity 0, becomes

    x_n = r^n (1 + n (1 - r)) x_0,      r^n = exp(-t),  n (1 - r) -> t  for  n = (sqrt kappa / 2) t  as kappa grows.

It falls to a share eps in `(sqrt kappa / 2) t` evaluations with `(1 + t) exp(-t) = eps`: `t` is
`ln(1/eps) + ln(1 + t)`, a little more than the rate alone gives. Without momentum it falls by
`(kappa - 1)/(kappa + 1)` a step: in `(kappa / 2) ln(1/eps)`. The divergence is of the order of the
mean's square, so that `eps = sqrt(KL / KL_0)`.
"""

import math

import numpy as np
import sympy as sp
from scipy.optimize import brentq, minimize

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam
from ams.samplers import State, critical_momentum
from ams.samplers.corrected_descent import condition as condition_at, corrector, critically_damped
from ams_suite.measures import largest, named_extreme
from analysis.momentum.closed_forms import Real
from analysis.proofs import left_over
from beyond.kinetic_langevin.one_level import U, derivation, dt, e, law_transition
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement
from verdicts.studies import cell

_ROOT, _LOW = sp.symbols("kappa m", positive=True)
_HIGH = _LOW * _ROOT**2  # so the condition number is kappa^2


def best_rate(condition: Real) -> Real:
    """Return `(sqrt k - 1) / (sqrt k + 1)`, the best contraction per step over a spectrum of
    condition number k.
    """
    return (condition**0.5 - 1.0) / (condition**0.5 + 1.0)


def rate_without_momentum(condition: Real) -> Real:
    """Return `(k - 1) / (k + 1)`: the best contraction per step of Langevin, and of BAOAB at `e
    = 0`.
    """
    return (condition - 1.0) / (condition + 1.0)


def worst_radius(size: float, momentum: float, precisions: tuple[float, ...]) -> float:
    """Return the largest spectral radius of BAOAB's transition, as the exact law applies it,
    over some precisions.
    """
    transitions = [law_transition("BAOAB", size * precision, momentum) for precision in precisions]
    return float(max(np.abs(np.linalg.eigvals(matrix)).max() for matrix in transitions))


def remainder_of_discriminant(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's discriminant at `e = ((1 - rho)/(1 + rho))^2`,
    `rho^2 = u/(2 - u)`.
    """
    matrix, rho = derivation("BAOAB").matrix, sp.Symbol("rho", positive=True)
    size = sp.sqrt(4 * rho**2 / ((1 + rho**2) * lam))
    discriminant = (matrix.trace() ** 2 - 4 * matrix.det()).subs(
        {dt: size, e: critical_momentum(rho)}
    )
    return left_over(discriminant, rho**2 - (U / (2 - U)).subs(dt, size))


def remainder_of_discriminants_at_both_ends(settings: Settings) -> Measurement:
    """Measure the operations left in the discriminants at both ends of the spectrum, at the
    stated a and e.
    """
    matrix = derivation("BAOAB").matrix
    best = {dt: 2 / sp.sqrt(_HIGH + _LOW), e: ((_ROOT - 1) / (_ROOT + 1)) ** 2}
    discriminant = (matrix.trace() ** 2 - 4 * matrix.det()).subs(best)
    return left_over(
        discriminant.subs(lam, _LOW), discriminant.subs(lam, _HIGH), sp.diff(matrix.trace(), lam, 2)
    )


def remainder_of_lower_bound_proof(settings: Settings) -> Measurement:
    """Measure the operations left in the identities that prove the lower bound on the rate."""
    matrix, r = derivation("BAOAB").matrix, sp.Symbol("r", positive=True)
    step = 2 / sp.sqrt(_LOW + _HIGH)
    lower, upper = ((matrix.trace() / (1 + e)).subs({lam: end, dt: step}) for end in (_LOW, _HIGH))
    middle = (r + e / r) / (1 + e)
    return left_over(
        lower - (_ROOT**2 - 1) / (_ROOT**2 + 1),
        lower + upper,
        sp.diff(middle, e) - (1 - r**2) / (r * (1 + e) ** 2),
        middle.subs(e, r**2) - 2 * r / (1 + r**2),
        (2 * r / (1 + r**2)).subs(r, (_ROOT - 1) / (_ROOT + 1)) - lower,
    )


def largest_error_of_best_rate(settings: Settings) -> Measurement:
    """Measure the largest difference of the exact law's spectral radius to the best rate, 20
    precisions a spectrum.
    """
    errors = []
    for condition in settings.conditions:
        size, rate = 2.0 / (1.0 + condition), best_rate(condition)
        inside = np.exp(np.linspace(0.0, np.log(condition), 20)).tolist()
        errors.append(abs(worst_radius(size, rate**2, tuple(inside)) - rate))
    return Measurement(value=max(errors), n=20 * len(errors))


@cell
def searched_rate(condition: float) -> float:
    """The least radius over step and momentum, by Nelder and Mead's method from Langevin's own
    best step.
    """

    def radius(at: np.ndarray) -> float:
        size, momentum = np.exp(at[0]), 1.0 / (1.0 + np.exp(-at[1]))
        return worst_radius(size, momentum, (1.0, condition)) if size * condition < 2.0 else 2.0

    begin = [np.log(1.5 / (1.0 + condition)), 0.5 * np.log(condition)]
    return float(
        minimize(radius, begin, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}).fun
    )


def largest_searched_gain_over_best(settings: Settings) -> Measurement:
    """Measure the largest `1 - rate` that a search over step and momentum finds, over `1 - best
    rate`.
    """
    gains = {f"{k:g}": (1.0 - searched_rate(k)) / (1.0 - best_rate(k)) for k in settings.conditions}
    return named_extreme(gains)


def deviation_of_gain_from_root_of_condition(settings: Settings) -> Measurement:
    """Measure how far `(ln rate / ln rate without momentum) / sqrt k` is from 1, at the largest
    condition number k.
    """
    condition = max(settings.conditions)
    gain = np.log(best_rate(condition)) / np.log(rate_without_momentum(condition))
    return Measurement(
        value=float(gain / condition**0.5 - 1.0),
        detail={"condition number": condition, "gain": gain},
    )


def remainder_of_slow_mean(settings: Settings) -> Measurement:
    """Measure the operations left in the slow direction's mean after n steps, with momentum and
    without.

    Both `r^n (1 + n (1 - r))` and the powers of the transition obey the recursion of its
    characteristic polynomial, so it is enough that the root is double and that the first step
    agrees.
    """
    root = sp.Symbol("kappa", positive=True)  # the condition number is its square
    r, memoryless = (root - 1) / (root + 1), rate_without_momentum(root**2)
    matrix = derivation("BAOAB").matrix
    size = 2 / sp.sqrt(lam * (1 + root**2))  # dt of a = 2 / (L + m) at lam = m
    damped, plain = (matrix.subs({dt: size, e: momentum}) for momentum in (r**2, 0))
    double = (damped.trace() - 2 * r, damped.det() - r**2)
    return left_over(*double, damped[0, 0] - r * (2 - r), plain.trace() - memoryless, plain.det())


def remainder_of_limits_of_cost(settings: Settings) -> Measurement:
    """Measure the operations left in the limits of rates and of `1 - r` at large kappa, each
    less 2.
    """
    small = sp.Symbol("eta", positive=True)  # 1 / sqrt(kappa)
    r, memoryless = (1 - small) / (1 + small), sp.simplify(rate_without_momentum(1 / small**2))
    limits = (-sp.log(r) / small, (1 - r) / small, -sp.log(memoryless) / small**2)
    return left_over(*(sp.limit(each, small, 0) - 2 for each in limits))


def evaluations_of_correction(
    spectrum: np.ndarray, sigma: float, momentum: bool, error: float
) -> int:
    """Return the evaluations after which the mean's norm is `error` times the slowest direction's
    first one.

    The mean is wrong by a standard deviation of the target in every direction; `sigma` is the noise
    level. The transition of position and velocity, by the exact law, is that of their means.
    """
    law, largest_variance = GaussianLaw(spectrum), float(spectrum.max())
    kappa = condition_at(sigma, largest_variance)
    step, level = corrector(sigma, largest_variance, critically_damped(kappa) if momentum else 0.0)
    row = law.start(0.0, 1.0).x
    after, _ = step(law.begin_step(State(row, p=row)), law.score, law.noise, level, law)
    transition = law.transition(after)[1].numpy()
    mean, steps = np.stack([spectrum**0.5, np.zeros_like(spectrum)], axis=1)[..., None], 0
    while np.linalg.norm(mean[:, 0]) > error * largest_variance**0.5:
        mean, steps = transition @ mean, steps + 1
    return steps


def largest_error_of_cost(settings: Settings, momentum: bool) -> Measurement:
    """Return the largest relative distance of the exact law's evaluations to the predicted ones,
    random spectra.

    Spectra have 16 variances, the largest 1, the others log-uniform between 1e-4 and 1; sigma is
    log-uniform between 1/30 and 1/6, so that kappa is 37 to 900.
    """
    generator, log = np.random.default_rng(settings.seed), math.log(1 / settings.error)
    share = brentq(lambda t: t - log - math.log1p(t), log, 3 * log + 3) if momentum else log
    errors, kappas = [], []
    for _ in range(settings.spectra):
        spectrum = np.append(np.exp(generator.uniform(math.log(1e-4), 0.0, 15)), 1.0)
        sigma = float(np.exp(generator.uniform(-math.log(30.0), -math.log(6.0))))
        kappas.append(condition_at(sigma, 1.0))
        predicted = (math.sqrt(kappas[-1]) if momentum else kappas[-1]) / 2 * share
        counted = evaluations_of_correction(spectrum, sigma, momentum, settings.error)
        errors.append(abs(counted / predicted - 1.0))
    return largest(
        errors, settings.seed, **{"t": share, "ln(1/eps)": log, "largest condition": max(kappas)}
    )
