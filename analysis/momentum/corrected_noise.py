r"""G7: the same momentum with its noise scaled like its drift, `sqrt(2 a c)`: no cooling left, and nothing gained.

In `u = a c lam` the step is momentum without the factor, so `lam Var x = (1-b^2+2bu) / ((1-b^2) - u(1-b)^2/2)`, which
tends to 1 with the step. At one variance V > 1 Langevin's step is `u_L = 2(1 - 1/V)`, and slow directions lose `u` a
step with momentum, `u_L` without:

    u_L / u = (1 + b)^2 / (1 - b^2 + 2bu),        above 1 exactly while V < 2 / (1 - b).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.laws.symbolic import a, b, lam, m, stationary_covariance, symbolic_step, transition, x, z
from ams.samplers import State, constant, momentum, momentum_rule, with_corrected_noise
from analysis.momentum.settings import Real, Settings, random_parameters
from analysis.momentum.transition import C
from analysis.proofs import left_over
from verdicts import Measurement, check

u, t = sp.symbols("u t", positive=True)


@cache
def corrected_symbols() -> tuple[sp.Matrix, sp.Expr]:
    """Return transition of (x, m) and `lam Var x` of the corrected step, in (u, b) with `u = a c lam`."""
    after = symbolic_step(momentum(with_corrected_noise(momentum_rule(constant(b)))), State(x, m))
    matrix, spread = transition(after, [x, m], ["x", "m"]), transition(after, [z], ["x", "m"])
    variance = lam * stationary_covariance(matrix, spread)[0, 0]
    scaled = {a: u / (C * lam)}
    return matrix.subs(scaled).applyfunc(sp.factor), sp.factor(variance.subs(scaled))


def corrected_variance(u: Real, beta: Real) -> Real:
    """Return G7's `lam Var x = (1 - b^2 + 2bu) / ((1 - b^2) - u (1-b)^2 / 2)`, `u = a c lam`."""
    return (1 - beta**2 + 2 * beta * u) / ((1 - beta**2) - u * (1 - beta) ** 2 / 2)


@check("G7.variance")
def variance_is_as_stated(settings: Settings) -> Measurement:
    """The corrected step's stationary variance, its limit 1 and its bias `(u/2)(1+b)/(1-b)` for small steps."""
    variance = corrected_symbols()[1]
    return left_over(
        variance - corrected_variance(u, b),
        sp.limit(variance, u, 0) - 1,
        sp.limit((variance - 1) / u, u, 0) - (1 + b) / (2 * (1 - b)),
    )


@check("G7.rate")
def slow_directions_lose_u(settings: Settings) -> Measurement:
    """`dr/du = -1` at r = 1, u = 0, by the implicit function theorem: the loss per step is `u`, as without momentum.

    At equal bias `u (1+b)/(1-b) = u_L`, so the slow rate is `(1-b)/(1+b)` times Langevin's.
    """
    polynomial = sp.expand((t * sp.eye(2) - corrected_symbols()[0]).det())
    derivative = -sp.diff(polynomial, u) / sp.diff(polynomial, t)
    return left_over(polynomial.subs({t: 1, u: 0}), derivative.subs({t: 1, u: 0}) + 1)


@check("G7.loses")
def momentum_loses_at_equal_bias(settings: Settings) -> Measurement:
    """`u_L/u - 1 = 2b(1+b-u)/(1-b^2+2bu)`: positive exactly for `u < 1 + b`, which is a variance below `2/(1-b)`."""
    variance = corrected_symbols()[1]
    of_langevin = 2 * (1 - 1 / variance)
    return left_over(
        of_langevin / u - 1 - 2 * b * (1 + b - u) / (1 - b**2 + 2 * b * u),
        variance.subs(u, 1 + b) - 2 / (1 - b),
        sp.limit(of_langevin / u, u, 0) - (1 + b) / (1 - b),
    )


@check("G7.solved")
def corrected_form_against_solved_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formula against the exact law's linear system, random (u, b).

    With the noise corrected the step at `a` is the step without the factor at `a c`.
    """
    us, betas = _corrected_parameters(settings)
    law = GaussianLaw([1.0])
    solved = [law.moments(frozen(law, u, b, lambda _: 1.0).x).variance.item() for u, b in zip(us, betas, strict=True)]
    gaps = np.abs(np.array(solved) / corrected_variance(us, betas) - 1)
    return Measurement(value=float(gaps.max()), n=len(gaps), seeds=(settings.seed,))


@check("G7.reached")
def corrected_form_against_reached_law(settings: Settings) -> Measurement:
    """Return the same for laws that the corrected rule itself reaches by running, at five (u, b)."""
    gaps = []
    for u, beta in ((0.05, 0.5), (0.2, 0.9), (0.5, 0.3), (1.0, 0.8), (2.0, 0.6)):
        step = momentum(with_corrected_noise(momentum_rule(constant(beta))))
        found = reached(GaussianLaw([1.0]), step, u / (1 + beta) ** 2, start_variance=4.0).variance.item()
        gaps.append(abs(found / corrected_variance(u, beta) - 1))
    return Measurement(value=max(gaps), n=len(gaps))


def _corrected_parameters(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return random `(u, b)`, `u = a c lam`, in 1 % to 95 % of the stable range `u < 2 (1+b)/(1-b)`."""
    us, betas = random_parameters(settings)
    return us * (1 + betas) ** 2, betas
