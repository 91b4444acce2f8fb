r"""G2c: what a condition number costs constant momentum, with the law looked at and without.

On precisions in [m, L], `kappa = L / m`, step and momentum are both free. The transition is heavy ball's, so the best
rate alone is Polyak's: at a root r, `k = (1 - r)(1 - b/r)`, at -r, `k = (1 + r)(1 + b/r)`, so a radius r on the whole
range needs `kappa <= (1 + r)(1 + b/r) / ((1 - r)(1 - b/r))`, which grows with b up to `((1 + r)/(1 - r))^2` at
`b = r^2`. Hence `r >= (sqrt kappa - 1)/(sqrt kappa + 1)`: a square root is gained.

It cannot be used: there `lam Var x` of the stiffest direction is about `kappa^2 / 16`. The rate lost is at most `2 c
u`, and a variance of at most V times the target's bounds the stiffest direction's u, so the slowest loses `O(1 /
kappa)`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp
from pydantic import JsonValue

from ams.laws.symbolic import a, b, lam
from ams.statistics import convergence_order
from analysis.momentum.rates import characteristic, contraction, q, r
from analysis.momentum.settings import Real, Settings, random_parameters
from analysis.momentum.stationary import variance_ratio
from analysis.momentum.transition import C, K, spectral_radius, symbols
from analysis.proofs import left_over
from verdicts import Measurement, check


def polyak(condition: float) -> tuple[float, float, float]:
    """Return `(u of the slowest, u of the stiffest direction, b)` of the best rate at a condition number."""
    root = (condition**0.5 - 1) / (condition**0.5 + 1)
    slowest = (1 - root) ** 2 / ((1 + root**2) ** 2 * (1 - root**2))
    return slowest, condition * slowest, root**2


@check("G2c.bound")
def radius_bounds_the_condition(settings: Settings) -> Measurement:
    """`k` at the roots r and -r; the condition number allowed grows with b, to `((1+r)/(1-r))^2` at b = r^2."""
    allowed = (1 + r) * (1 + b / r) / ((1 - r) * (1 - b / r))
    return left_over(
        characteristic(r) - r * (K - (1 - r) * (1 - b / r)),
        characteristic(-r) - r * ((1 + r) * (1 + b / r) - K),
        sp.diff(sp.log(allowed), b) - 2 * r / (r**2 - b**2),
        allowed.subs(b, r**2) - ((1 + r) / (1 - r)) ** 2,
    )


@check("G2c.rate")
def polyak_s_rate_is_reached(settings: Settings) -> Measurement:
    """Return the largest relative error of the law's radius, slowest and stiffest direction, to Polyak's."""
    gaps = []
    for condition in settings.conditions:
        slowest, stiffest, beta = polyak(condition)
        gaps += [abs(spectral_radius(u, beta) / beta**0.5 - 1) for u in (slowest, stiffest)]
    return Measurement(value=max(gaps), n=len(gaps))


@check("G2c.price")
def variance_at_polyak_s_rate(settings: Settings) -> Measurement:
    """In the stiffest direction `(1 - q)^4 lam Var x` tends to 1, and `1 - q` to `2 / sqrt kappa`: `kappa^2 / 16`."""
    stiffest = (1 + q) ** 2 / (C * (1 - b) * lam)
    variance = (lam * symbols()[2][0, 0]).subs(a, stiffest).subs(b, q**2)
    return left_over(sp.limit(sp.factor((1 - q) ** 4 * variance), q, 1) - 1)


@check("G2c.loss")
def loss_is_bounded_by_the_drift(settings: Settings) -> Measurement:
    """Return the largest `(1 - radius) / (2 c u)` over random (u, b)."""
    us, betas = random_parameters(settings)
    shares = (1 - contraction(us, betas)) / (2 * (1 + betas) ** 2 * us)
    return Measurement(value=float(shares.max()), n=len(shares), seeds=(settings.seed,))


def largest_step(beta: Real, variance: float = 2.0) -> Real:
    """Return the `u` at which `lam Var x` is `variance`: G3 is linear in u over linear in u, and grows with it."""
    c = (1 + beta) ** 2
    return 2 * (1 - beta) * (variance * c - 1) / (4 * beta * (1 + beta) + variance * (1 - beta) * c * (1 - beta**2))


def best_loss(condition: float, variance: float = 2.0) -> float:
    """Return the most that the slowest direction can lose per step where every variance is at most `variance`."""
    beta = np.linspace(0.0, 1.0, 20_001)[:-1]
    stiffest = largest_step(beta, variance)
    losses = 1 - np.maximum(contraction(stiffest / condition, beta), contraction(stiffest, beta))
    return float(losses.max())


@check("G2c.exponent")
def usable_rate_against_condition(settings: Settings) -> Measurement:
    """Return the exponent p of `1 - r ~ kappa^-p` at the best (a, b) whose variances are at most twice the target's."""
    losses = [best_loss(condition) for condition in settings.conditions]
    order = convergence_order([1 / condition for condition in settings.conditions], losses)
    gain = losses[-1] * settings.conditions[-1]
    detail: dict[str, JsonValue] = {"over Langevin, largest kappa": gain}
    return Measurement(value=order.value, low=order.low, high=order.high, n=order.n, detail=detail)


@cache
def gain_in_the_limit() -> float:
    """Return the largest `c u` over b at the largest step allowed: the limit of `kappa (1 - r)`, Langevin's being 1.

    For u small against 1 - b the slowest direction loses `c u` per step (G2), and u is the stiffest's over kappa.
    """
    drift = sp.cancel(C * largest_step(b))
    stationary = sp.real_roots(sp.numer(sp.together(sp.diff(drift, b))))
    return max(float(drift.subs(b, at)) for at in [sp.Integer(0), *stationary] if 0 <= at < 1)


@check("G2c.constant")
def usable_gain(settings: Settings) -> Measurement:
    """Return that limit, from the roots of its derivative."""
    return Measurement(value=gain_in_the_limit())


@check("G2c.limit")
def usable_gain_is_approached(settings: Settings) -> Measurement:
    """Return the largest `kappa |kappa (1 - r) / limit - 1|`: bounded over kappa if `1 - r ~ limit / kappa`."""
    gaps = [kappa * abs(kappa * best_loss(kappa) / gain_in_the_limit() - 1) for kappa in settings.conditions]
    return Measurement(value=max(gaps), n=len(gaps))


@check("G2c.step")
def largest_step_has_that_variance(settings: Settings) -> Measurement:
    """Return the largest relative error of G3's variance at the step that is said to have twice the target's."""
    betas = random_parameters(settings)[1]
    return Measurement(value=float(np.abs(variance_ratio(largest_step(betas), betas) / 2 - 1).max()), n=len(betas))
