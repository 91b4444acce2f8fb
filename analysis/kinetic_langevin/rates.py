r"""K2: critical damping of BAOAB, the best rate over a spectrum, and what the released rule makes of its own formula.

Precisions in `[m, L]`, `k = L / m`. Both eigenvalues of a transition with determinant `e` and trace `t` lie within the
radius `r` exactly if `e <= r^2` and `|t| <= r + e / r`. Here `t = (1 + e)(1 - a lam)`, so at the worse end of the
spectrum, for any step `a`,

    (k - 1)/(k + 1) <= max |1 - a lam| <= (r + e/r)/(1 + e) <= 2 r/(1 + r^2),

the last since the middle rises with `e <= r^2`. So `r >= (sqrt k - 1)/(sqrt k + 1)`, and the stated step and momentum
turn each inequality into an equality. The bound is that of Chebyshev's method for every two-term recursion.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, solved
from ams.laws.symbolic import lam
from ams.samplers import adaptive, baoab, critical_momentum, momentum_rule
from ams.schedules import Level
from analysis.kinetic_langevin.equivalent_forms import U, dt, e, law_transition, symbols
from analysis.kinetic_langevin.settings import Settings
from analysis.momentum.closed_forms import Real
from analysis.proofs import left_over
from verdicts import Measurement, check


def best_rate(condition: Real) -> Real:
    """Return `(sqrt k - 1) / (sqrt k + 1)`, the best contraction a step over a spectrum of that condition number."""
    return (condition**0.5 - 1.0) / (condition**0.5 + 1.0)


def rate_without_memory(condition: Real) -> Real:
    """Return `(k - 1) / (k + 1)`: the best of Langevin, and of BAOAB at `e = 0`."""
    return (condition - 1.0) / (condition + 1.0)


def worst_radius(a: float, kept: float, precisions: tuple[float, ...]) -> float:
    """Return the largest spectral radius of BAOAB's transition, as the exact law applies it, over the precisions."""
    radii = [np.abs(np.linalg.eigvals(law_transition(baoab, a * lam, kept))).max() for lam in precisions]
    return float(max(radii))


@check("K2.critical")
def damping_is_critical(settings: Settings) -> Measurement:
    """With `e = ((1 - rho)/(1 + rho))^2`, the released formula, and `rho^2 = u/(2 - u)`, the eigenvalues coincide."""
    matrix, _, _ = symbols(baoab)
    rho = sp.Symbol("rho", positive=True)
    size = sp.sqrt(4 * rho**2 / ((1 + rho**2) * lam))
    discriminant = (matrix.trace() ** 2 - 4 * matrix.det()).subs({dt: size, e: critical_momentum(rho)})
    return left_over(discriminant, rho**2 - (U / (2 - U)).subs(dt, size))


@check("K2.attained")
def optimum_is_reached(settings: Settings) -> Measurement:
    """At `a = 2/(L + m)`, `e = ((sqrt k - 1)/(sqrt k + 1))^2` the roots coincide at both ends, and are complex between.

    So `r = sqrt e` for every precision in between: the trace is linear in it, and its square is `4 e` at both ends.
    """
    matrix, _, _ = symbols(baoab)
    low, root = sp.symbols("m kappa", positive=True)
    high = low * root**2
    best = {dt: 2 / sp.sqrt(high + low), e: ((root - 1) / (root + 1)) ** 2}
    discriminant = (matrix.trace() ** 2 - 4 * matrix.det()).subs(best)
    trace = matrix.trace()
    return left_over(discriminant.subs(lam, low), discriminant.subs(lam, high), sp.diff(trace, lam, 2))


@check("K2.bound")
def no_step_does_better(settings: Settings) -> Measurement:
    """The inequalities of this module's head: the ends balance, the middle rises with `e`, the last is an identity."""
    matrix, _, _ = symbols(baoab)
    low, root, r = sp.symbols("m kappa r", positive=True)
    ends = [
        (matrix.trace() / (1 + e)).subs({lam: end, dt: 2 / sp.sqrt(low + low * root**2)})
        for end in (low, low * root**2)
    ]
    middle = (r + e / r) / (1 + e)
    return left_over(
        ends[0] - (root**2 - 1) / (root**2 + 1),
        ends[0] + ends[1],
        sp.diff(middle, e) - (1 - r**2) / (r * (1 + e) ** 2),
        middle.subs(e, r**2) - 2 * r / (1 + r**2),
        (2 * r / (1 + r**2)).subs(r, (root - 1) / (root + 1)) - ends[0],
    )


@check("K2.law")
def exact_law_contracts_so(settings: Settings) -> Measurement:
    """Return the largest difference of the law's own radius to `best_rate`, over conditions and precisions between."""
    gaps = []
    for condition in settings.conditions:
        size, rate = 2.0 / (1.0 + condition), best_rate(condition)
        inside = np.exp(np.linspace(0.0, np.log(condition), 20)).tolist()
        gaps.append(abs(worst_radius(size, rate**2, tuple(inside)) - rate))
    return Measurement(value=max(gaps), n=20 * len(gaps))


@check("K2.searched")
def search_finds_no_better(settings: Settings) -> Measurement:
    """Return the largest of (1 - rate found by searching over step and momentum) / (1 - best rate)."""
    gains = {k: (1.0 - _searched(k)) / (1.0 - best_rate(k)) for k in settings.conditions}
    return Measurement(value=max(gains.values()), n=len(gains), detail={f"{k:g}": gain for k, gain in gains.items()})


def _searched(condition: float) -> float:
    """Return the least radius over `a` and `e`, by Nelder and Mead's method from Langevin's own best step."""
    ends = (1.0, condition)

    def radius(at: np.ndarray) -> float:
        size, kept = np.exp(at[0]), 1.0 / (1.0 + np.exp(-at[1]))
        return worst_radius(size, kept, ends) if size * condition < 2.0 else 2.0

    begin = [np.log(1.5 / (1.0 + condition)), 0.5 * np.log(condition)]
    return float(minimize(radius, begin, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}).fun)


@check("K2.gain")
def gain_is_the_root(settings: Settings) -> Measurement:
    """Return how far (ln rate / ln rate without memory) / sqrt k is from 1, at the largest condition number."""
    condition = max(settings.conditions)
    gain = np.log(best_rate(condition)) / np.log(rate_without_memory(condition))
    return Measurement(value=float(gain / condition**0.5 - 1.0), detail={"condition number": condition, "gain": gain})


def released_over_critical(u: float) -> float:
    """Return the released rule's stationary rho (mean field, isotropic) over the critical `sqrt(u / (2 - u))`."""
    law, rule = GaussianLaw([1.0]), momentum_rule(adaptive(1e-9))
    state = frozen(law, u, solved(law, rule, u, 1.0 - 1e-9).beta)
    level = Level(0, sigma=0.0, step=u)
    rho = rule(state, law.score(state.x, level), law.noise(state.x), level, law).rho
    return float(rho / (u / (2.0 - u)) ** 0.5)


@check("K2a.released")
def released_ratio_is_too_large(settings: Settings) -> Measurement:
    """Return how far the released rho over the critical one is from 4 at u = 1e-10, as u -> 0; more in the detail."""
    ratios = {u: released_over_critical(u) for u in (1e-10, 1e-4, 1e-2, 1.0)}
    return Measurement(value=ratios[1e-10] - 4.0, detail={f"{u:g}": ratio for u, ratio in ratios.items()})


@check("K2a.printed")
def printed_ratios(settings: Settings) -> Measurement:
    """Return the largest difference to the printed ratios: 3.8 at u = 1e-4, 1.5 at u = 1."""
    return Measurement(value=max(abs(released_over_critical(u) - ratio) for u, ratio in ((1e-4, 3.8), (1.0, 1.5))))
