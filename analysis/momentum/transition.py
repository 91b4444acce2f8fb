"""G1 and G2: the step's transition on (position, momentum), where it is stable, and how fast it
contracts.
"""

from typing import Any

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import a, b, lam
from ams.samplers import State, constant, momentum, momentum_rule
from ams.schedules import Level
from ams_suite.measures import largest
from analysis.momentum import closed_forms
from analysis.momentum.settings import Settings
from analysis.momentum.study import derivation
from analysis.proofs import left_over
from verdicts import Measurement

C = (1 + b) ** 2
U = a * lam
K = U * C * (1 - b)
q, r = sp.symbols("q r", positive=True)


def terms_left_of_the_transition(settings: Settings) -> Measurement:
    """Count the terms left of the step's transition of (x, m), and of what multiplies its noise,
    minus the stated.
    """
    matrix, noise, _ = derivation()
    stated = sp.Matrix([[1 - a * C * (1 - b) * lam, a * C * b], [-(1 - b) * lam, b]])
    return left_over(*(matrix - stated), *(noise - sp.Matrix([sp.sqrt(2 * a), 0])))


def terms_left_of_determinant_and_trace(settings: Settings) -> Measurement:
    """Count the terms left of the transition's determinant minus `b` and of its trace minus `1 +
    b - k`.
    """
    matrix, _, _ = derivation()
    return left_over(matrix.det() - b, matrix.trace() - (1 + b - K))


def terms_left_of_jury_s_conditions(settings: Settings) -> Measurement:
    """Count the terms left of Jury's `1 - trace + det` minus `k` and of `1 + trace + det` minus its
    multiple of `2 / (1 - b^2) - u`; both are positive exactly where a step is stable.
    """
    matrix, _, _ = derivation()
    trace, determinant = matrix.trace(), matrix.det()
    room = (closed_forms.stability_bound(b) - U) * (1 - b**2) * (1 + b)
    return left_over(1 - trace + determinant - K, 1 + trace + determinant - room)


def after_a_step(law: Any, u: Any, beta: Any) -> State:
    """Return what one step of base step `a = u` makes of the vectors (x, m) of an exact law, or
    of balls.
    """
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, row, drift=u, effective_drift=u))
    step = momentum(momentum_rule(constant(beta)))
    return step(state, law.score, law.noise, Level(0, sigma=0.0, step=u), law)[0]


def exact_transition(u: float, beta: float) -> np.ndarray:
    """Return the transition of (x, m) as the exact law applies it, at `lam = 1`, `a = u`."""
    law = GaussianLaw([1.0])
    return law.transition(after_a_step(law, u, beta)._replace(s=None))[1][0].numpy()


def spectral_radius(u: float, beta: float) -> float:
    """Return the spectral radius of the transition that the exact law applies: the contraction
    per step.
    """
    return float(np.abs(np.linalg.eigvals(exact_transition(u, beta))).max())


def largest_difference_of_exact_and_symbolic_transition(settings: Settings) -> Measurement:
    """Measure the largest difference between an entry of the exact law's transition and SymPy's,
    over random (u, b).
    """
    numeric = sp.lambdify((a, b, lam), derivation().matrix, "numpy")
    pairs = zip(*closed_forms.random_parameters(settings.points, settings.seed), strict=True)
    gaps = [np.abs(exact_transition(u, beta) - numeric(u, beta, 1.0)).max() for u, beta in pairs]
    return largest(gaps, settings.seed)


def momentum_coefficients_that_the_bound_misjudges(settings: Settings) -> Measurement:
    """Count the random b whose spectral radius is not below 1 just under the stated bound and
    above 1 just over it.
    """
    _, betas = closed_forms.random_parameters(settings.points, settings.seed)
    bounds = closed_forms.stability_bound(betas)
    sides = [
        [spectral_radius(u * side, b) for side in (1 - 1e-6, 1 + 1e-6)]
        for u, b in zip(bounds, betas, strict=True)
    ]
    wrong = sum(not (below < 1.0 < above) for below, above in sides)
    return Measurement(value=wrong, n=len(betas), seeds=(settings.seed,))


def characteristic(root: sp.Expr) -> sp.Expr:
    """Return the characteristic polynomial of the step's transition at `root`."""
    return (root * sp.eye(2) - derivation().matrix).det()


def terms_left_of_the_discriminant(settings: Settings) -> Measurement:
    """Count the terms left of the discriminant minus `(k - (1-q)^2)(k - (1+q)^2)`, `b = q^2`,
    and of `det - b`.
    """
    matrix, _, _ = derivation()
    discriminant, k = (matrix.trace() ** 2 - 4 * matrix.det()).subs(b, q**2), K.subs(b, q**2)
    return left_over(discriminant - (k - (1 - q) ** 2) * (k - (1 + q) ** 2), matrix.det() - b)


def largest_error_of_the_contraction(settings: Settings) -> Measurement:
    """Measure the contraction's largest relative error against eigenvalues of the exact law's
    transition.
    """
    us, betas = closed_forms.random_parameters(settings.points, settings.seed)
    radii = [spectral_radius(u, beta) for u, beta in zip(us, betas, strict=True)]
    return largest(np.abs(closed_forms.contraction(us, betas) / radii - 1), settings.seed)


def terms_left_of_the_identities_of_the_best_momentum(settings: Settings) -> Measurement:
    """Count the terms left of four identities that make the root the only best momentum coefficient
    for u < 1.

    The notebook states them: the edge, `dr/db` of the larger root r, the polynomial's sign at `r0 =
    1/(1 + w)` with `w = u (1+b)(3b-1)`, and the step at which the edge is met.
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
    """Measure the most by which any momentum on a grid of 2001 contracts faster than the root,
    over random u < 1.
    """
    us = np.exp(np.random.default_rng(settings.seed).uniform(np.log(1e-5), 0.0, settings.points))
    best = closed_forms.contraction(us, np.array([closed_forms.best_momentum(u) for u in us]))
    grid = np.linspace(0.0, 1.0, 2001)[:-1]
    return largest(best - [closed_forms.contraction(u, grid).min() for u in us], settings.seed)


def terms_left_of_the_gain(settings: Settings) -> Measurement:
    """Count the terms left of `(1 - q) / u - c (1 + q)` at the best b, and of its limit 8 and
    its parts' 4 and 16.
    """
    u, factor = closed_forms.step_at_best(q), C.subs(b, q**2)
    limits = [sp.limit(part, q, 1) for part in ((1 - q) / u, factor, (1 - q**2) / u)]
    return left_over(
        (1 - q) / u - factor * (1 + q),
        *(limit - n for limit, n in zip(limits, (8, 4, 16), strict=True)),
    )


def terms_left_of_langevin_s_polynomial(settings: Settings) -> Measurement:
    """Count the terms left of the polynomial at b = 0 minus `r (r - (1 - u))`: Langevin loses
    `u` per step.
    """
    return left_over(characteristic(r).subs(b, 0) - r * (r - (1 - U)))
