r"""K10: what a correction at one noise level costs, with the momentum of critical damping and without momentum.

BAOAB's transition at the slow end `m` of a spectrum `[m, L]`, `kappa = L / m`, with K2's best step and momentum, has
the double root `r = (sqrt kappa - 1)/(sqrt kappa + 1)`: a mean `x_0`, with velocity 0, becomes

    x_n = r^n (1 + n (1 - r)) x_0,      r^n = exp(-t),  n (1 - r) -> t  for  n = (sqrt kappa / 2) t  as kappa grows.

It falls to a share eps in `(sqrt kappa / 2) t` evaluations with `(1 + t) exp(-t) = eps`: `t` is `ln(1/eps) + ln(1 +
t)`, a little more than the rate alone gives. Without momentum it falls by `(kappa - 1)/(kappa + 1)` a step: in `(kappa
/ 2) ln(1/eps)`. The divergence is of the order of the mean's square, so that `eps = sqrt(KL / KL_0)`.
"""

import math

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam
from ams.samplers import State
from ams.samplers.corrected_descent import condition, corrector, critically_damped
from ams_suite.measures import largest
from analysis.proofs import left_over
from beyond.kinetic_langevin.one_level import derivation, dt, e
from beyond.kinetic_langevin.rates import rate_without_momentum
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement


def remainder_of_slow_mean(settings: Settings) -> Measurement:
    """Measure the operations left in the slow direction's mean after n steps, with momentum and without.

    Both `r^n (1 + n (1 - r))` and the powers of the transition obey the recursion of its characteristic polynomial, so
    it is enough that the root is double and that the first step agrees.
    """
    root = sp.Symbol("kappa", positive=True)  # the condition number is its square
    r, memoryless = (root - 1) / (root + 1), rate_without_momentum(root**2)
    matrix = derivation("BAOAB").matrix
    size = 2 / sp.sqrt(lam * (1 + root**2))  # dt of a = 2 / (L + m) at lam = m
    damped, plain = (matrix.subs({dt: size, e: momentum}) for momentum in (r**2, 0))
    double = (damped.trace() - 2 * r, damped.det() - r**2)
    return left_over(*double, damped[0, 0] - r * (2 - r), plain.trace() - memoryless, plain.det())


def remainder_of_limits_of_cost(settings: Settings) -> Measurement:
    """Measure the operations left in the limits of rates and of `1 - r` at large kappa, each less 2."""
    small = sp.Symbol("eta", positive=True)  # 1 / sqrt(kappa)
    r, memoryless = (1 - small) / (1 + small), sp.simplify(rate_without_momentum(1 / small**2))
    limits = (-sp.log(r) / small, (1 - r) / small, -sp.log(memoryless) / small**2)
    return left_over(*(sp.limit(each, small, 0) - 2 for each in limits))


def evaluations_of_correction(spectrum: np.ndarray, sigma: float, momentum: bool, error: float) -> int:
    """Return the evaluations after which the mean's norm is `error` times the slowest direction's first one.

    The mean is wrong by a standard deviation of the target in every direction; `sigma` is the noise level. The
    transition of position and velocity, by the exact law, is that of their means.
    """
    law, largest_variance = GaussianLaw(spectrum), float(spectrum.max())
    kappa = condition(sigma, largest_variance)
    step, level = corrector(sigma, largest_variance, critically_damped(kappa) if momentum else 0.0)
    row = law.start(0.0, 1.0).x
    after, _ = step(law.begin_step(State(row, p=row)), law.score, law.noise, level, law)
    transition = law.transition(after)[1].numpy()
    mean, steps = np.stack([spectrum**0.5, np.zeros_like(spectrum)], axis=1)[..., None], 0
    while np.linalg.norm(mean[:, 0]) > error * largest_variance**0.5:
        mean, steps = transition @ mean, steps + 1
    return steps


def largest_error_of_cost(settings: Settings, momentum: bool) -> Measurement:
    """Return the largest relative distance of the exact law's evaluations to the predicted ones, random spectra.

    Spectra have 16 variances, the largest 1, the others log-uniform between 1e-4 and 1; sigma is log-uniform between
    1/30 and 1/6, so that kappa is 37 to 900.
    """
    generator, log = np.random.default_rng(settings.seed), math.log(1 / settings.error)
    share = brentq(lambda t: t - log - math.log1p(t), log, 3 * log + 3) if momentum else log
    errors, kappas = [], []
    for _ in range(settings.spectra):
        spectrum = np.append(np.exp(generator.uniform(math.log(1e-4), 0.0, 15)), 1.0)
        sigma = float(np.exp(generator.uniform(-math.log(30.0), -math.log(6.0))))
        kappas.append(condition(sigma, 1.0))
        predicted = (math.sqrt(kappas[-1]) if momentum else kappas[-1]) / 2 * share
        counted = evaluations_of_correction(spectrum, sigma, momentum, settings.error)
        errors.append(abs(counted / predicted - 1.0))
    return largest(errors, settings.seed, **{"t": share, "ln(1/eps)": log, "largest condition": max(kappas)})
