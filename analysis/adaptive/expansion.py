r"""A3: small steps of the adaptive rule, expanded from the fixed point that the step itself gives.

With `rho = (1 - q)/(1 + q)`, `b = q^2` the fixed point is one polynomial equation between u and q, its ratio that of
the step's own stationary covariance (A2). Small steps expand it in `w = sqrt u`; and with `lam Var x = 1`, which is
linear in u, one polynomial in q is left.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp

from ams.laws.symbolic import a, b, lam
from ams.statistics import convergence_order
from analysis.adaptive.fixed_point import law_of, ratio_squared, unbiased_step
from analysis.adaptive.settings import Settings
from analysis.momentum.stationary import symbolic_variance, variance_ratio
from analysis.proofs import left_over
from verdicts import Measurement, check

u, w = sp.symbols("u w", positive=True)
q = sp.Symbol("q", real=True)


def root_equation(u: sp.Expr) -> sp.Expr:
    """Return `<Ds>^2/<m>^2 - ((1 - q)/(1 + q))^2` over `(1 + b)^2` at `b = q^2`: zero at the fixed points."""
    squared = ratio_squared().subs(a, u / lam).subs(b, q**2)
    return sp.factor((squared - ((1 - q) / (1 + q)) ** 2) / (1 + q**2) ** 2)


@cache
def damping_series() -> sp.Expr:
    """Return the fixed point `b = 1 + b_1 w + b_2 w^2 + O(w^3)`, from `q = 1 + q_1 w + q_2 w^2` with q < 1."""
    first, second = sp.symbols("q_1 q_2", real=True)
    numerator = sp.numer(root_equation(u)).subs({u: w**2, q: 1 + first * w + second * w**2})
    lowest, following = sp.Poly(sp.expand(numerator), w).all_coeffs()[::-1][2:4]
    below = min(sp.solve(lowest, first))
    (next_one,) = sp.solve(following.subs(first, below), second)
    squared = sp.expand((1 + below * w + next_one * w**2) ** 2)
    return sum(squared.coeff(w, power) * w**power for power in range(3))


def variance_series(factor: sp.Expr) -> sp.Expr:
    """Return the two leading terms in w of `factor lam Var x` along the fixed point, a rational function of w."""
    along = sp.together((factor * symbolic_variance()).subs(u, w**2).subs(b, damping_series()))
    top, bottom = (sp.Poly(part, w).all_coeffs()[::-1] for part in sp.fraction(along))
    vanishing = next(power for power, coefficient in enumerate(bottom) if coefficient != 0)
    (n0, n1), (d0, d1) = top[vanishing : vanishing + 2], bottom[vanishing : vanishing + 2]
    return sp.simplify(n0 / d0) + sp.simplify((n1 * d0 - n0 * d1) / d0**2) * w


@check("A3.damping")
def damping_of_small_steps(settings: Settings) -> Measurement:
    """`b = 1 - 8 sqrt 2 sqrt u + O(u)`."""
    return left_over(damping_series().coeff(w, 1) + 8 * sp.sqrt(2))


@check("A3.variance")
def variance_of_small_steps(settings: Settings) -> Measurement:
    """`lam Var x = (1 + (33 sqrt 2/4) sqrt u)/4 + O(u)`, and `c lam Var x = 1 + (sqrt 2/4) sqrt u + O(u)`."""
    return left_over(
        variance_series(sp.Integer(1)) - (1 + 33 * sp.sqrt(2) / 4 * w) / 4,
        variance_series((1 + b) ** 2) - (1 + sp.sqrt(2) / 4 * w),
    )


@check("A3.order")
def order_of_the_approach(settings: Settings) -> Measurement:
    """Return the order in u of `4 lam Var x - 1` in the exact law, u = 1e-11 to 1e-8."""
    us = np.logspace(-11, -8, 7)
    order = convergence_order(us, [4 * law_of(u).variance.item() - 1 for u in us])
    return Measurement(value=order.value, low=order.low, high=order.high, n=order.n)


def step_of(root: np.ndarray) -> np.ndarray:
    """Return the `u` at which `b = q^2` is the fixed point: the positive root of `2u(1 + u b(1+b)) = rho^2/(1+b)^2`."""
    beta = root**2
    half, right = beta * (1 + beta), ((1 - root) / (1 + root) / (1 + beta)) ** 2
    return right / (1 + np.sqrt(1 + 2 * half * right))


@check("A3.worse")
def smaller_steps_are_worse(settings: Settings) -> Measurement:
    """Count the neighbours on a grid of 20,000 fixed points, u from 1/2 to 1e-9, whose smaller step is not narrower.

    The variance falls with the step throughout, so below the unbiased step every smaller one has the larger error.
    """
    root = np.linspace(0.0, 1.0, 20_001)[1:-1]
    variance = variance_ratio(step_of(root), root**2)
    return Measurement(value=int((np.diff(variance) >= 0).sum()), n=len(root))


@check("A3.unbiased")
def unbiased_once(settings: Settings) -> Measurement:
    """Return how many fixed points q in (-1, 1) have the target's variance, less one (Sturm's theorem).

    `lam Var x = 1` is linear in u; its root put into the fixed point's equation leaves a polynomial in q.
    """
    (step,) = sp.solve(sp.numer(sp.together(symbolic_variance() - 1)), u)
    excess = sp.Poly(sp.numer(sp.together(root_equation(step.subs(b, q**2)))), q)
    edge = sp.Rational(1, 10**9)
    return Measurement(value=int(excess.count_roots(edge - 1, 1 - edge)) - 1, detail={"u": unbiased_step()})
