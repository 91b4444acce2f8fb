r"""K6: annealed Langevin's variance lags behind its noise level; a drift factor makes up for it.

On a stiff direction (a point, as the sampler sees it) `s = -x / sigma^2`. With T steps per noise
level, `u = a / sigma^2` and `gamma = sigma'/sigma`, let `r = u T / ln(1/gamma)`: the Langevin time
of a noise level over its length in log noise.
"""

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam, symbolic_step, x, z
from ams.samplers import (
    AffineTransition,
    Coefficients,
    State,
    annealed,
    consistent,
    langevin,
    momentum,
    recorded,
)
from ams.schedules import Level, annealed_levels, geometric_sigmas
from ams_suite.measures import largest
from analysis.proofs import left_over
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement

u, r, c, sigma, gamma = sp.symbols("u r c sigma gamma", positive=True)
POINT = 1e-300
"""A variance of the target that no noise level here sees."""


def factored(drift: sp.Expr, noise: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return (multiplier of x, coefficient of z) of one step with these coefficients on a point,
    at noise `sigma`.
    """
    step = momentum(recorded([Coefficients(0, u * sigma**2, drift, noise)]))
    after = symbolic_step(step, State(x)).x.subs(lam, 1 / sigma**2)
    return sp.diff(after, x), sp.diff(after, z)


def lag(steps: int, drift: sp.Expr) -> sp.Expr:
    """Return the `v = Var / sigma^2` that one noise level of `steps` steps, with this drift factor,
    reproduces.

    The noise level before, larger by `1/gamma`, leaves `Var = v sigma^2 / gamma^2`.
    """
    shrink, spread = factored(drift * u * sigma**2, sp.sqrt(2 * u) * sigma)
    now, before = sp.symbols("v v_")
    variance = before / gamma**2
    for _ in range(steps):
        variance = shrink**2 * variance + spread**2 / sigma**2
    return sp.solve(variance.subs(before, now) - now, now)[0]


def remainder_of_langevins_lag(settings: Settings) -> Measurement:
    """Measure the operations left in the limit of Langevin's `Var / sigma^2` less r / (r - 1),
    for T = 1 and 3.
    """
    slow = [sp.limit(lag(steps, 1).subs(gamma, sp.exp(-u * steps / r)), u, 0) for steps in (1, 3)]
    return left_over(*(limit - r / (r - 1) for limit in slow))


def remainder_of_lag_at_needed_factor(settings: Settings) -> Measurement:
    """Measure the operations left in the limit of `Var / sigma^2` less 1 at the factor `1 +
    1/r`, and in its drift.
    """
    slow = sp.limit(lag(1, 1 + 1 / r).subs(gamma, sp.exp(-u / r)), u, 0)
    flow = sp.limit(((1 + 1 / r) * u - u) / sp.log(1 / gamma).subs(gamma, sp.exp(-u / r)), u, 0)
    return left_over(slow - 1, flow - 1)


def remainder_of_variance_at_exact_factor(settings: Settings) -> Measurement:
    """Measure the operations left in `Var - sigma'^2` at both exact factors c, in their number
    and in their limit.
    """
    shrink, spread = factored(c * u * sigma**2, sp.sqrt(2 * u) * gamma * sigma)
    excess = sp.expand((shrink**2 * sigma**2 + spread**2 - gamma**2 * sigma**2) / sigma**2)
    roots = [(1 - sign * gamma * sp.sqrt(1 - 2 * u)) / u for sign in (1, -1)]
    limit = sp.limit(roots[0].subs(gamma, sp.exp(-u / r)), u, 0)
    return left_over(
        *(excess.subs(c, root) for root in roots), sp.degree(excess, c) - 2, limit - (1 + 1 / r)
    )


def corrected(level: Level, step: float, drift: float) -> AffineTransition:
    """Return Langevin's move at `a = step sigma^2` with a factor `drift`, its noise at the next
    noise level.
    """
    after = level.next or level
    return AffineTransition(1.0, drift * step * level.sigma**2, (2.0 * step) ** 0.5 * after.sigma)


def largest_difference_to_consistent_sampling(settings: Settings) -> Measurement:
    """Measure the largest relative difference of Langevin's move with the exact factor c to
    `consistent(c u)`'s.
    """
    generator, differences = np.random.default_rng(settings.seed), []
    for _ in range(settings.points):
        ratio, step = generator.uniform(0.05, 0.99), generator.uniform(1e-3, 0.49)
        drift = float((1.0 - ratio * np.sqrt(1.0 - 2.0 * step)) / step)
        level = annealed_levels([1.0, ratio], step)[0]
        pairs = zip(corrected(level, step, drift), consistent(drift * step)(level), strict=True)
        differences.append(max(abs(one / other - 1.0) for one, other in pairs))
    return largest(differences, settings.seed)


def largest_error_of_lag_formula(settings: Settings) -> Measurement:
    """Measure the largest relative error of the lag's closed form against annealed Langevin's
    exact law on a point.
    """
    formula, cases = sp.lambdify((u, gamma), lag(1, sp.Integer(1))), ((0.05, 0.98), (0.2, 0.9))
    return largest(
        [abs(lag_of_law(step, ratio) / formula(step, ratio) - 1.0) for step, ratio in cases]
    )


def lag_of_law(step: float, ratio: float, count: int = 800) -> float:
    """Return `Var / sigma^2` of annealed Langevin on a point, one step per noise level, by the
    exact law.
    """
    levels = annealed_levels(geometric_sigmas(ratio ** -(count - 1.0), 1.0, count), step)
    law = GaussianLaw([POINT])
    state, _ = law.end(annealed(langevin(), levels, 1), law.start(0.0, levels[0].sigma ** 2))
    return law.moments(state.x).variance.item()
