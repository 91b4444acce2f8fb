r"""N3: a Wiener gain on the score, `x + a (m + K (s - m)) + sqrt(2 a) z` (the library's `filtered`), m its average.

The filter is best for a constant signal in white noise. A sampler's score is no such thing: with an exact score what
varies is the signal. Notation: `u = a lam`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import sympy as sp
from pydantic import JsonValue
from scipy.optimize import brentq
from scipy.special import erfcx

from ams.laws import GaussianLaw
from ams.laws.symbolic import Symbols, a, b, lam, m, s, stationary_covariance, symbolic_step, transition, x, z
from ams.samplers import State, filtered, wiener_gain
from ams.samplers.rules import average
from ams.schedules import Level
from analysis.proofs import left_over
from analysis.related_work.settings import Settings
from verdicts import Measurement, check

K = sp.Symbol("K", nonnegative=True)
BIASES = (0.003, 0.01, 0.03, 0.1)
"""Relative errors of the stationary variance at which speeds are compared."""


@cache
def symbols() -> tuple[sp.Matrix, sp.Expr]:
    """Return transition of (x, m) and `lam Var x` in the stationary law, read off the sampler's step."""
    after = symbolic_step(filtered(b, K), State(x, m))
    matrix, spread = transition(after, [x, m], ["x", "m"]), transition(after, [z], ["x", "m"])
    return matrix, sp.factor(lam * stationary_covariance(matrix, spread)[0, 0])


def law_moments(u: float, beta: float, gain: float) -> tuple[float, float]:
    """Return `lam Var x` of the stationary exact law and the contraction per step (spectral radius), at lam = 1."""
    law, level = GaussianLaw([1.0]), Level(0, sigma=0.0, step=u)
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, row))
    after, _ = filtered(beta, gain)(state, law.score, law.noise, level, law)
    radius = float(np.abs(np.linalg.eigvals(law.transition(after)[1][0].numpy())).max())
    return law.moments(law.set_stationary(state, after).x).variance.item(), radius


def memories(settings: Settings) -> np.ndarray:
    """Return the memories b that are tried."""
    return np.linspace(0.05, 0.95, settings.gains)


def mean_entrywise_gain(beta: float) -> float:
    """Return the mean gain of SGDF's own, entrywise rule in stationary white noise: `E q / (q + xi^2)`, xi ~ N(0, 1).

    Equal to `sqrt(pi q / 2) exp(q / 2) erfc(sqrt(q / 2))`: larger than `q / (1 + q)`, by Jensen's inequality.
    """
    q = (1 - beta) / (1 + beta)
    return float(np.sqrt(np.pi * q / 2) * erfcx(np.sqrt(q / 2)))


@check("N3.gain")
def stationary_gain(settings: Settings) -> Measurement:
    """SymPy: of white noise the sampler's average keeps `P = q R`, and `P / (P + R) = q / (1 + q) = (1 - b) / 2`."""
    after, kept = average(State(x, m), s, b, Symbols()), sp.Symbol("P", positive=True)
    weights = sp.diff(after, m), sp.diff(after, s)
    p = sp.solve(weights[0] ** 2 * kept + weights[1] ** 2 - kept, kept)[0]
    return left_over(p - (1 - b) / (1 + b), p / (p + 1) - wiener_gain(b), wiener_gain(b) - (1 - b) / 2)


@check("N3.bias")
def the_gain_costs(settings: Settings) -> Measurement:
    """SymPy: `lam Var x` less Langevin's is `4 b u (1-K) (1+b-u-Kbu) / ((2-u)(1-b+Kbu)(2+2b+bu-u-2Kbu))`.

    For `u <= 1` and `K < 1` every factor is positive (at K = 1 they are least, and (1+b)(1-u) among them is 0 or more).
    """
    u = a * lam
    found = symbols()[1] - 1 / (1 - u / 2)
    below = (2 - u) * (1 - b + K * b * u) * (2 + 2 * b + b * u - u - 2 * K * b * u)
    return left_over(found - 4 * b * u * (1 - K) * (1 + b - u - K * b * u) / below)


@check("N3.law")
def gain_one_is_best(settings: Settings) -> Measurement:
    """Return the smallest bias of a gain below 1 over Langevin's, exact law: memories, gains, and u up to 1."""
    grid = [(u, beta, gain) for u in (0.01, 0.1, 0.5, 1.0) for beta in memories(settings) for gain in _gains(settings)]
    ratios = [abs(law_moments(u, beta, gain)[0] - 1) / abs(law_moments(u, 0.0, 1.0)[0] - 1) for u, beta, gain in grid]
    return Measurement(value=min(ratios), n=len(ratios))


def _gains(settings: Settings) -> np.ndarray:
    return np.array([*np.linspace(0.0, 0.9, settings.gains), 0.95, 0.98, 0.99, 0.995, 0.999])


@check("N3.speed")
def no_gain_is_faster(settings: Settings) -> Measurement:
    """Return the largest rate (1 - spectral radius) of a gain below 1 over Langevin's at equal bias, up to 10 %.

    It exceeds 1 a little where the filter's own mode meets the position's (b near 1 - u, K near 1).
    """
    cells = [(bias, beta, gain) for bias in BIASES for beta in memories(settings) for gain in _gains(settings)]
    found = {cell: rate(*cell) / rate(cell[0], 0.0, 1.0) for cell in cells}
    best = max(found, key=lambda cell: found[cell])
    detail: dict[str, JsonValue] = dict(zip(("bias", "b", "K"), map(float, best), strict=True))
    return Measurement(value=found[best], n=len(found), detail=detail)


@check("N3.wiener")
def the_filters_own_gain_is_slower(settings: Settings) -> Measurement:
    """Return the largest rate at the filter's own gain over Langevin's, at equal bias, over memories and biases."""
    cells = [(bias, beta) for bias in BIASES for beta in memories(settings)]
    ratios = [rate(bias, beta, float(wiener_gain(beta))) / rate(bias, 0.0, 1.0) for bias, beta in cells]
    nine = rate(0.1, 0.9, 0.05) / rate(0.1, 0.0, 1.0)
    return Measurement(value=max(ratios), n=len(ratios), detail={"b = 0.9, bias 10 %": nine})


def rate(bias: float, beta: float, gain: float) -> float:
    """Return the exact law's rate, 1 less the spectral radius, at the step where `lam Var x = 1 + bias`.

    Langevin's step is `2 bias / (1 + bias)`; any other gain and memory reach the bias earlier (N3.bias).
    """
    variance, largest = variance_of(), 2 * bias / (1 + bias)
    plain = variance(largest, beta, gain) <= 1 + bias
    u = largest if plain else brentq(lambda u: variance(u, beta, gain) - 1 - bias, 1e-9, largest, xtol=1e-13)
    return 1.0 - law_moments(float(u), beta, gain)[1]


@cache
def variance_of() -> Callable[[float, float, float], float]:
    """Return the derived `lam Var x` as a function of (u, b, K)."""
    return sp.lambdify((a, b, K), symbols()[1].subs(lam, 1))


@check("N3.noise")
def the_filter_hides_no_noise(settings: Settings) -> Measurement:
    """SymPy: white noise in the score adds `a R / 2` to the variance as a -> 0, whatever gain and memory.

    The chain itself is the low-pass filter: it sees the noise at frequency 0, which the average passes whole.
    """
    noisy, algebra = sp.Symbol("n", real=True), Symbols()
    level = Level(0, sigma=0.0, step=a)
    state, _ = filtered(b, K)(
        State(x, m), lambda at, level: algebra.score(at, level) + noisy, algebra.noise, level, algebra
    )
    matrix, spread = transition(state, [x, m], ["x", "m"]), transition(state, [noisy], ["x", "m"])
    added = stationary_covariance(matrix, spread)[0, 0]
    return left_over(sp.limit(added / a, a, 0) - 1 / (2 * lam))
