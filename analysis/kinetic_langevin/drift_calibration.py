r"""K6: what the drift's factor was: annealed Langevin lags behind its noise levels, and a factor makes up for the lag.

On a stiff direction (a point, as the sampler sees it) `s = -x / sigma^2`. With T steps a level, `u = a / sigma^2` and
`gamma = sigma'/sigma`, let `r = u T / ln(1/gamma)`: the Langevin time of a level over its length in log noise.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import sympy as sp
from pydantic import JsonValue
from scipy.optimize import brentq

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam, symbolic_step, x, z
from ams.samplers import (
    AffineTransition,
    Coefficients,
    Kernel,
    State,
    adaptive,
    annealed,
    consistent,
    langevin,
    momentum,
    momentum_rule,
    recorded,
)
from ams.schedules import Level, annealed_levels, geometric_sigmas, ncsnv2_step
from analysis.kinetic_langevin.settings import Settings
from analysis.proofs import left_over
from analysis.targets import stiff_gaussian
from verdicts import Measurement, check

u, r, c, sigma, gamma = sp.symbols("u r c sigma gamma", positive=True)
POINT = 1e-300
"""A variance of the target that no noise level here sees."""


def factored(drift: sp.Expr, noise: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return (multiplier of x, coefficient of z) of one step with these coefficients on a point, at level `sigma`."""
    step = momentum(recorded([Coefficients(0, u * sigma**2, drift, noise)]))
    after = symbolic_step(step, State(x)).x.subs(lam, 1 / sigma**2)
    return sp.diff(after, x), sp.diff(after, z)


def lag(steps: int, drift: sp.Expr) -> sp.Expr:
    """Return the `v = Var/sigma^2` at the end of a level that `steps` steps of it, with the drift's factor, reproduce.

    The level before, noisier by `1/gamma`, leaves `Var = v sigma^2 / gamma^2`.
    """
    shrink, spread = factored(drift * u * sigma**2, sp.sqrt(2 * u) * sigma)
    now, before = sp.symbols("v v_")
    variance = before / gamma**2
    for _ in range(steps):
        variance = shrink**2 * variance + spread**2 / sigma**2
    return sp.solve(variance.subs(before, now) - now, now)[0]


@check("K6.lag")
def langevin_lags(settings: Settings) -> Measurement:
    """As `u -> 0` at fixed r, `Var / sigma^2 -> r / (r - 1)`, for one and for three steps a level."""
    slow = [sp.limit(lag(steps, 1).subs(gamma, sp.exp(-u * steps / r)), u, 0) for steps in (1, 3)]
    return left_over(*(limit - r / (r - 1) for limit in slow))


@check("K6.factor")
def factor_makes_up_for_the_lag(settings: Settings) -> Measurement:
    """With the drift's factor `1 + 1/r` the limit is 1: `(1 + 1/r) u s` is `u s` of Langevin and `ln(1/gamma)/T s` of
    the probability flow, a reverse-time SDE; at r = 1 (factor 2) it is reverse diffusion itself.
    """
    slow = sp.limit(lag(1, 1 + 1 / r).subs(gamma, sp.exp(-u / r)), u, 0)
    flow = sp.limit(((1 + 1 / r) * u - u) / sp.log(1 / gamma).subs(gamma, sp.exp(-u / r)), u, 0)
    return left_over(slow - 1, flow - 1)


@check("K6.exact")
def exact_factor(settings: Settings) -> Measurement:
    """With the noise at the new level, `sqrt(2u) sigma'`, a step keeps Var at `c = (1 - gamma sqrt(1 - 2u))/u`.

    And only there, or at the other root, which overshoots the centre. As `u -> 0` at fixed r, `c -> 1 + 1/r`.
    """
    shrink, spread = factored(c * u * sigma**2, sp.sqrt(2 * u) * gamma * sigma)
    missed = sp.expand((shrink**2 * sigma**2 + spread**2 - gamma**2 * sigma**2) / sigma**2)
    roots = [(1 - sign * gamma * sp.sqrt(1 - 2 * u)) / u for sign in (1, -1)]
    limit = sp.limit(roots[0].subs(gamma, sp.exp(-u / r)), u, 0)
    return left_over(*(missed.subs(c, root) for root in roots), sp.degree(missed, c) - 2, limit - (1 + 1 / r))


def exact_c(ratio: float, step: float) -> float:
    """Return `c = (1 - gamma sqrt(1 - 2u)) / u` for numbers."""
    return float((1.0 - ratio * np.sqrt(1.0 - 2.0 * step)) / step)


def corrected(step: float, drift: float) -> Kernel:
    """Langevin's move at `a = step sigma^2` with a factor `drift`, its noise at the new level."""

    def kernel(level: Level) -> AffineTransition:
        after = level.next or level
        return AffineTransition(1.0, drift * step * level.sigma**2, (2.0 * step) ** 0.5 * after.sigma)

    return kernel


@check("K6.consistent")
def it_is_consistent_annealed_sampling(settings: Settings) -> Measurement:
    """Return the largest relative difference of the corrected move to that of `consistent(eta = c u)`, at random."""
    generator, gaps = np.random.default_rng(settings.seed), []
    for _ in range(settings.points):
        ratio, step = generator.uniform(0.05, 0.99), generator.uniform(1e-3, 0.49)
        level, drift = annealed_levels([1.0, ratio], step)[0], exact_c(ratio, step)
        ours, theirs = corrected(step, drift)(level), consistent(drift * step)(level)
        gaps.append(max(abs(one / other - 1.0) for one, other in zip(ours, theirs, strict=True)))
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("K6.law")
def law_lags_so(settings: Settings) -> Measurement:
    """Return the largest relative error of the symbolic lag against the exact law of annealed Langevin on a point."""
    formula = sp.lambdify((u, gamma), lag(1, sp.Integer(1)))
    gaps = [abs(_lag_of(step, ratio) / formula(step, ratio) - 1.0) for step, ratio in ((0.05, 0.98), (0.2, 0.9))]
    return Measurement(value=max(gaps), n=len(gaps))


def _lag_of(step: float, ratio: float, count: int = 800) -> float:
    levels = annealed_levels(geometric_sigmas(ratio ** -(count - 1.0), 1.0, count), step)
    law = GaussianLaw([POINT])
    state, _ = law.end(annealed(langevin(), levels, 1), law.start(0.0, levels[0].sigma ** 2))
    return law.moments(state.x).variance.item()


class Factors(NamedTuple):
    """At a budget of `nfe`: the factor that undoes the lag, and the run's mean of the released `(1 + beta)^2`."""

    nfe: int
    needed: float
    released: float


def needed_factor(step: float, ratio: float, steps: int) -> float:
    """Return the drift's factor at which `steps` Langevin steps a level keep `Var = sigma^2`: that `lag` is 1."""
    shrink, spread = (sp.lambdify((u, c), part) for part in factored(c * u * sigma**2, sp.sqrt(2 * u)))

    def miss(factor: float) -> float:
        variance: float = ratio**-2
        for _ in range(steps):
            variance = shrink(step, factor) ** 2 * variance + spread(step, factor) ** 2
        return variance - 1.0

    return float(brentq(miss, 0.5, 1.0 / step))


@cache
def factors(nfe: int, steps: int = 5, first: float = 50.0, last: float = 0.02) -> Factors:
    """Return the factors of a run at NCSNv2's defaults on the stiff Gaussian (16 variances from 1 to 1e-3)."""
    sigmas = geometric_sigmas(first, last, nfe // steps)
    epsilon = ncsnv2_step(sigmas, steps)
    law, step = stiff_gaussian(), momentum(momentum_rule(adaptive()))
    program = annealed(step, annealed_levels(sigmas, epsilon), steps)
    chosen = [info.coefficients for _, info in law.run(program, law.start(0.0, first**2))]
    released = float(np.mean([each.drift / each.step for each in chosen if each]))
    return Factors(nfe, needed_factor(epsilon / last**2, float(sigmas[1] / sigmas[0]), steps), released)


@check("K6a.few")
def released_is_too_small_at_few(settings: Settings) -> Measurement:
    """Return the released factor's mean over the needed one, less 1 each, at the smallest budget."""
    return _excess(min(settings.cooled))


@check("K6a.many")
def released_is_too_large_at_many(settings: Settings) -> Measurement:
    """Return the same at the largest budget."""
    return _excess(max(settings.cooled))


def _excess(nfe: int) -> Measurement:
    found = factors(nfe)
    detail: dict[str, JsonValue] = {"nfe": nfe, "needed": found.needed, "released": found.released}
    return Measurement(value=(found.released - 1.0) / (found.needed - 1.0), detail=detail)
