r"""G2c: what a condition number costs constant momentum, with the stationary variance looked at and without.

On precisions in [m, L], `kappa = L / m`, step and momentum are both free. The best rate alone is heavy ball's
(Polyak), which gains a square root of `kappa`. There the stiffest direction's variance is about `kappa^2 / 16` times
the target's. Where no variance exceeds V times the target's, the slowest direction loses `O(1 / kappa)` per step.
"""

import sympy as sp

from ams.laws.symbolic import a, b, lam
from ams.statistics import convergence_order
from ams_suite.measures import largest, of_interval
from analysis.momentum import closed_forms
from analysis.momentum.settings import Settings
from analysis.momentum.study import derivation, gain_in_the_limit
from analysis.momentum.transition import C, K, characteristic, q, r, spectral_radius
from analysis.proofs import left_over
from verdicts import Measurement


def terms_left_of_the_condition_number_allowed(settings: Settings) -> Measurement:
    """Count the terms left of `k` at the roots r and -r, and of the slope and largest value of the condition number
    that a radius r allows, minus the stated ones.
    """
    allowed = (1 + r) * (1 + b / r) / ((1 - r) * (1 - b / r))
    return left_over(
        characteristic(r) - r * (K - (1 - r) * (1 - b / r)),
        characteristic(-r) - r * ((1 + r) * (1 + b / r) - K),
        sp.diff(sp.log(allowed), b) - 2 * r / (r**2 - b**2),
        allowed.subs(b, r**2) - ((1 + r) / (1 - r)) ** 2,
    )


def largest_error_of_polyak_s_rate(settings: Settings) -> Measurement:
    """Measure the largest relative error of the exact law's radius to Polyak's, slowest and stiffest direction."""
    rates = [closed_forms.polyak(condition) for condition in settings.conditions]
    return largest([abs(spectral_radius(u, beta) / beta**0.5 - 1) for *us, beta in rates for u in us])


def terms_left_of_the_variance_at_polyak_s_rate(settings: Settings) -> Measurement:
    """Count the terms left of `lim (1 - q)^4 lam Var x - 1`, stiffest direction, `q = sqrt b ~ 1 - 2 / sqrt kappa`."""
    stiffest = (1 + q) ** 2 / (C * (1 - b) * lam)
    variance = (lam * derivation().covariance[0, 0]).subs(a, stiffest).subs(b, q**2)
    return left_over(sp.limit(sp.factor((1 - q) ** 4 * variance), q, 1) - 1)


def largest_loss_over_its_bound(settings: Settings) -> Measurement:
    """Measure the largest `(1 - radius) / (2 c u)` over random (u, b): at most 1 where the drift bounds the rate."""
    us, betas = closed_forms.random_parameters(settings.points, settings.seed)
    return largest((1 - closed_forms.contraction(us, betas)) / (2 * (1 + betas) ** 2 * us), settings.seed)


def exponent_of_the_usable_rate(settings: Settings) -> Measurement:
    """Measure the exponent p of `1 - r ~ kappa^-p`, best (a, b) with variances at most twice the target's."""
    kappas = settings.conditions
    losses = [closed_forms.best_loss(kappa) for kappa in kappas]
    order = convergence_order([1 / kappa for kappa in kappas], losses)
    return of_interval(order, gain_over_langevin=losses[-1] * kappas[-1])


def largest_scaled_distance_to_the_limit(settings: Settings) -> Measurement:
    """Measure the largest `kappa |kappa (1 - r) / limit - 1|` over kappa: bounded where `1 - r ~ limit / kappa`."""
    limit = gain_in_the_limit()
    return largest([kappa * abs(kappa * closed_forms.best_loss(kappa) / limit - 1) for kappa in settings.conditions])


def largest_error_of_the_variance_at_the_largest_step(settings: Settings) -> Measurement:
    """Measure the largest relative error of G3's variance at the step stated to have twice the target's, random b."""
    _, betas = closed_forms.random_parameters(settings.points, settings.seed)
    return largest(abs(closed_forms.variance_ratio(closed_forms.largest_step(betas), betas) / 2 - 1), settings.seed)
