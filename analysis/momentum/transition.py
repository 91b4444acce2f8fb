"""G1 and G2: the step's transition on (position, momentum), where it is stable, and how fast it contracts.

G2c: what a condition number costs constant momentum, with the stationary variance looked at and without.

On precisions in [m, L], `kappa = L / m`, step and momentum are both free. The best rate alone is heavy ball's
(Polyak), which gains a square root of `kappa`. There the stiffest direction's variance is about `kappa^2 / 16` times
the target's. Where no variance exceeds V times the target's, the slowest direction loses `O(1 / kappa)` per step.
"""

from typing import Any

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import a, b, lam
from ams.samplers import State, constant, momentum, momentum_rule
from ams.schedules import Level
from ams.statistics import convergence_order
from ams_suite.measures import largest, of_interval
from analysis.momentum import closed_forms
from analysis.momentum.settings import Settings
from analysis.momentum.study import derivation, gain_in_the_limit
from analysis.proofs import left_over
from verdicts import Measurement

C = (1 + b) ** 2
U = a * lam
K = U * C * (1 - b)
q, r = sp.symbols("q r", positive=True)


def terms_left_of_the_transition(settings: Settings) -> Measurement:
    """Count the terms left of the step's transition of (x, m), and of what multiplies its noise, minus the stated."""
    matrix, noise, _ = derivation()
    stated = sp.Matrix([[1 - a * C * (1 - b) * lam, a * C * b], [-(1 - b) * lam, b]])
    return left_over(*(matrix - stated), *(noise - sp.Matrix([sp.sqrt(2 * a), 0])))


def terms_left_of_determinant_and_trace(settings: Settings) -> Measurement:
    """Count the terms left of the transition's determinant minus `b` and of its trace minus `1 + b - k`."""
    matrix, _, _ = derivation()
    return left_over(matrix.det() - b, matrix.trace() - (1 + b - K))


def terms_left_of_jury_s_conditions(settings: Settings) -> Measurement:
    """Count the terms left of Jury's `1 - trace + det` minus `k` and of `1 + trace + det` minus its multiple of
    `2 / (1 - b^2) - u`; both are positive exactly where a step is stable.
    """
    matrix, _, _ = derivation()
    trace, determinant = matrix.trace(), matrix.det()
    room = (closed_forms.stability_bound(b) - U) * (1 - b**2) * (1 + b)
    return left_over(1 - trace + determinant - K, 1 + trace + determinant - room)


def after_a_step(law: Any, u: Any, beta: Any) -> State:
    """Return what one step of base step `a = u` makes of the vectors (x, m) of an exact law, or of balls."""
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, row, drift=u, effective_drift=u))
    step = momentum(momentum_rule(constant(beta)))
    return step(state, law.score, law.noise, Level(0, sigma=0.0, step=u), law)[0]


def exact_transition(u: float, beta: float) -> np.ndarray:
    """Return the transition of (x, m) as the exact law applies it, at `lam = 1`, `a = u`."""
    law = GaussianLaw([1.0])
    return law.transition(after_a_step(law, u, beta)._replace(s=None))[1][0].numpy()


def spectral_radius(u: float, beta: float) -> float:
    """Return the spectral radius of the transition that the exact law applies: the contraction per step."""
    return float(np.abs(np.linalg.eigvals(exact_transition(u, beta))).max())


def largest_difference_of_exact_and_symbolic_transition(settings: Settings) -> Measurement:
    """Measure the largest difference between an entry of the exact law's transition and SymPy's, over random (u, b)."""
    numeric = sp.lambdify((a, b, lam), derivation().matrix, "numpy")
    pairs = zip(*closed_forms.random_parameters(settings.points, settings.seed), strict=True)
    gaps = [np.abs(exact_transition(u, beta) - numeric(u, beta, 1.0)).max() for u, beta in pairs]
    return largest(gaps, settings.seed)


def momentum_coefficients_that_the_bound_misjudges(settings: Settings) -> Measurement:
    """Count the random b whose spectral radius is not below 1 just under the stated bound and above 1 just over it."""
    _, betas = closed_forms.random_parameters(settings.points, settings.seed)
    bounds = closed_forms.stability_bound(betas)
    sides = [
        [spectral_radius(u * side, b) for side in (1 - 1e-6, 1 + 1e-6)] for u, b in zip(bounds, betas, strict=True)
    ]
    wrong = sum(not (below < 1.0 < above) for below, above in sides)
    return Measurement(value=wrong, n=len(betas), seeds=(settings.seed,))


def characteristic(root: sp.Expr) -> sp.Expr:
    """Return the characteristic polynomial of the step's transition at `root`."""
    return (root * sp.eye(2) - derivation().matrix).det()


def terms_left_of_the_discriminant(settings: Settings) -> Measurement:
    """Count the terms left of the discriminant minus `(k - (1-q)^2)(k - (1+q)^2)`, `b = q^2`, and of `det - b`."""
    matrix, _, _ = derivation()
    discriminant, k = (matrix.trace() ** 2 - 4 * matrix.det()).subs(b, q**2), K.subs(b, q**2)
    return left_over(discriminant - (k - (1 - q) ** 2) * (k - (1 + q) ** 2), matrix.det() - b)


def largest_error_of_the_contraction(settings: Settings) -> Measurement:
    """Measure the contraction's largest relative error against eigenvalues of the exact law's transition."""
    us, betas = closed_forms.random_parameters(settings.points, settings.seed)
    radii = [spectral_radius(u, beta) for u, beta in zip(us, betas, strict=True)]
    return largest(np.abs(closed_forms.contraction(us, betas) / radii - 1), settings.seed)


def terms_left_of_the_identities_of_the_best_momentum(settings: Settings) -> Measurement:
    """Count the terms left of four identities that make the root the only best momentum coefficient for u < 1.

    The notebook states them: the edge, `dr/db` of the larger root r, the polynomial's sign at `r0 = 1/(1 + w)` with
    `w = u (1+b)(3b-1)`, and the step at which the edge is met.
    """
    w = U * (1 + b) * (3 * b - 1)
    edge = (K - (1 - sp.sqrt(b)) ** 2).subs(b, q**2)
    on_step = (U * C * (1 + sp.sqrt(b)) - (1 - sp.sqrt(b))).subs(b, q**2)
    at_r0 = 2 * U * (1 + b) * (1 - b) ** 2 + K * w + b * w**2
    return left_over(
        edge - (1 - q) * on_step,
        sp.diff(b - K, b) - (1 + w),
        (1 + w) ** 2 * characteristic(1 / (1 + w)) - at_r0,
        on_step.subs(a, closed_forms.step_at_best(q) / lam),
    )


def largest_lead_over_the_best_momentum(settings: Settings) -> Measurement:
    """Measure the most by which any momentum on a grid of 2001 contracts faster than the root, over random u < 1."""
    us = np.exp(np.random.default_rng(settings.seed).uniform(np.log(1e-5), 0.0, settings.points))
    best = closed_forms.contraction(us, np.array([closed_forms.best_momentum(u) for u in us]))
    grid = np.linspace(0.0, 1.0, 2001)[:-1]
    return largest(best - [closed_forms.contraction(u, grid).min() for u in us], settings.seed)


def terms_left_of_the_gain(settings: Settings) -> Measurement:
    """Count the terms left of `(1 - q) / u - c (1 + q)` at the best b, and of its limit 8 and its parts' 4 and 16."""
    u, factor = closed_forms.step_at_best(q), C.subs(b, q**2)
    limits = [sp.limit(part, q, 1) for part in ((1 - q) / u, factor, (1 - q**2) / u)]
    return left_over((1 - q) / u - factor * (1 + q), *(limit - n for limit, n in zip(limits, (8, 4, 16), strict=True)))


def terms_left_of_langevin_s_polynomial(settings: Settings) -> Measurement:
    """Count the terms left of the polynomial at b = 0 minus `r (r - (1 - u))`: Langevin loses `u` per step."""
    return left_over(characteristic(r).subs(b, 0) - r * (r - (1 - U)))


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
