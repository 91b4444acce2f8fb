r"""K3: other orders of the same flows, and how each misses the target's variance. K4: curvature from the moves.

A Gaussian target of precision `lam`, `u = a lam = dt^2 lam / 2`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import sympy as sp
from scipy.linalg import solve_discrete_lyapunov

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import lam
from ams.samplers import State, Step, bao, baoab, exponential_euler, obabo, sghmc
from ams.schedules import Level
from ams.statistics import asymptotic_order
from analysis.kinetic_langevin.equivalent_forms import A, U, dt, e, stationary_variance, symbols
from analysis.kinetic_langevin.settings import Settings, random_parameters
from analysis.proofs import left_over
from verdicts import Measurement, check


def variances() -> dict[Callable[[float], Step], sp.Expr]:
    """Return K3's `lam Var x` of each method."""
    return {
        obabo: 1 / (1 - U / 2),
        sghmc: (1 + e) / (1 + e - U),
        bao: (1 + e) ** 2 / (2 * (1 + e - U)),
    }


@check("K3.variance")
def relatives_are_as_stated(settings: Settings) -> Measurement:
    """The Lyapunov solution of each step has the stated variance of x."""
    return left_over(*(lam * symbols(method)[2][0, 0] - stated for method, stated in variances().items()))


@check("K3.law")
def relatives_against_the_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formulas against the exact law, at a third of the random points each."""
    gaps, points = [], list(zip(*random_parameters(settings), strict=True))[::3]
    for method, stated in variances().items():
        formula = sp.lambdify((dt, e, lam), stated, "numpy")
        for u, kept in points:
            size = u if method is obabo else u * (1 + kept) / 2
            gaps.append(abs(stationary_variance(method, size, kept) / formula((2 * size) ** 0.5, kept, 1.0) - 1.0))
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("K3.cools")
def symplectic_euler_cools(settings: Settings) -> Measurement:
    """As `a -> 0` at fixed e the last of them has `lam Var x = (1 + e)/2`, below 1; the others, and BAOAB, have 1."""
    limits = [sp.limit(lam * symbols(method)[2][0, 0], dt, 0) for method in (bao, obabo, sghmc, baoab)]
    return left_over(limits[0] - (1 + e) / 2, *(limit - 1 for limit in limits[1:]))


def stationary_error(step: Step, dt: float) -> float:
    """Return `|lam Var x - 1|` at `lam = 1` of a step's stationary law, however many draws it takes.

    One step from rest has the noise's covariance; with the transition, Lyapunov's equation gives the rest.
    """
    law = GaussianLaw([1.0])
    rest = law.start(0.0, 0.0)
    state = law.begin_step(rest._replace(p=rest.x))
    after, _ = step(state, law.score, law.noise, Level(0, sigma=0.0, step=dt**2 / 2), law)
    names = (after.x, after.p)
    noise = np.array([[law.covariance(one, other).item() for other in names] for one in names])
    covariance = solve_discrete_lyapunov(law.transition(after)[1][0].numpy(), noise)
    return float(abs(covariance[0, 0] - 1.0))


def order_at_fixed_friction(method: Callable[[float], Step], friction: float = 2.0) -> Measurement:
    """Return the order in dt of the variance's error with `e = exp(-friction dt)`."""
    steps = 0.2 * 2.0 ** -np.arange(6)
    errors = [stationary_error(method(math.exp(-friction * dt)), dt) for dt in steps]
    order = asymptotic_order(steps, errors)
    return Measurement(value=order.value, low=order.low, high=order.high, n=len(order.steps))


@check("K3.exponential")
def exponential_euler_is_first_order(settings: Settings) -> Measurement:
    """Return the order of exponential Euler's bias in dt, at fixed friction."""
    return order_at_fixed_friction(exponential_euler)


@check("K3.obabo")
def obabo_is_second_order(settings: Settings) -> Measurement:
    """Return the order of OBABO's: the control."""
    return order_at_fixed_friction(obabo)


@check("K4.move")
def moves_are_alike_in_all_directions(settings: Settings) -> Measurement:
    """In the stationary chain `E (x' - x)^2 = a (1 + e)`, whatever the direction's precision."""
    matrix, spread, covariance = symbols(baoab)
    change = sp.Matrix([[matrix[0, 0] - 1, matrix[0, 1]]])
    moved = (change * covariance * change.T)[0] + spread[0] ** 2
    return left_over(moved - A * (1 + e))


@check("K4.curvature")
def ratio_is_the_mean_curvature(settings: Settings) -> Measurement:
    """Return the largest relative error of `-<ds, dx> / <dx, dx>` as `tr H / d`, by the exact law on random spectra.

    `E |s|^2 / d` is the same number; so one quotient of inner products, which needs no further evaluation, gives it.
    """
    generator = np.random.default_rng(settings.seed)
    gaps = []
    for _ in range(20):
        precision = np.exp(generator.uniform(0.0, np.log(1e4), settings.directions))
        found = curvature(precision, 1.5 * generator.uniform() / precision.max(), generator.uniform(0.0, 0.95))
        gaps.append(max(abs(value / precision.mean() - 1.0) for value in found))
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


def curvature(precision: np.ndarray, size: float, kept: float) -> tuple[float, float]:
    """Return `-<ds, dx> / <dx, dx>` and `E |s|^2 / d` in BAOAB's stationary law on these precisions."""
    law, level = GaussianLaw(1.0 / precision), Level(0, sigma=0.0, step=size)
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, p=row))
    after, _ = baoab(kept)(state, law.score, law.noise, level, law)
    law.set_stationary(state, after)
    s, dx = law.score(state.x, level), after.x - state.x
    ds = law.score(after.x, level) - s
    ratio = -law.covariance(ds, dx).sum() / law.covariance(dx, dx).sum()
    return ratio.item(), law.covariance(s, s).mean().item()
