r"""The stationary law of constant momentum: G3 (closed form), G4 (small steps), G6 (the one step without bias).

    lam Var x = 2 (1 - b + 2ub(1+b)) / ((1-b) c (2 - u(1-b^2)))

falls from Langevin's to `1/c` as the step shrinks: momentum cools, the step heats, and at one `u` they cancel.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp
import torch

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.laws.symbolic import a, b, lam
from ams.samplers import constant, momentum, momentum_rule, sample
from ams.schedules import Level
from analysis.momentum.settings import Real, Settings, random_parameters, stability_bound
from analysis.momentum.transition import C, U, symbols
from analysis.proofs import left_over
from verdicts import Measurement, check

u = sp.Symbol("u", positive=True)


def variance_ratio(u: Real, beta: Real | float) -> Real:
    """Return G3's `lam Var x = 2 (1 - b + 2 u b (1 + b)) / ((1 - b) c (2 - u (1 - b^2)))`."""
    c = (1 + beta) ** 2
    return 2 * (1 - beta + 2 * u * beta * (1 + beta)) / ((1 - beta) * c * (2 - u * (1 - beta**2)))


@cache
def symbolic_variance() -> sp.Expr:
    """Return `lam Var x` of the step's own stationary law, in (u, b)."""
    return sp.factor((lam * symbols()[2][0, 0]).subs(a, u / lam))


@check("G3.covariance")
def stationary_covariance_is_as_stated(settings: Settings) -> Measurement:
    """The Lyapunov solution has the stated `Var x`, `Var m` and `Cov(x_t, m_{t-1})`."""
    _, _, covariance = symbols()
    last = C * (2 - U * (1 - b**2))
    return left_over(
        lam * covariance[0, 0] - 2 * (1 - b + 2 * U * b * (1 + b)) / ((1 - b) * last),
        covariance[1, 1] - 2 * lam / last,
        covariance[0, 1] - 2 * (U * (1 + b) - 1) / last,
        (lam * covariance[0, 0]).subs(b, 0) - 1 / (1 - U / 2),
    )


@check("G3.solved")
def closed_form_against_solved_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formula against the exact law's own linear system."""
    us, betas = random_parameters(settings)
    pairs = zip(us, betas, strict=True)
    gaps = [abs(solved_variance(u, beta) / variance_ratio(u, beta) - 1) for u, beta in pairs]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


def solved_variance(u: float, beta: float) -> float:
    """Return `lam Var x` as the exact law's linear system has it."""
    law = GaussianLaw([1.0])
    return law.moments(frozen(law, u, beta).x).variance.item()


@check("G3.reached")
def closed_form_against_reached_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formula against the law that a long run reaches.

    Ten precisions share a run (a step of 1), so that the random points need a tenth of the runs.
    """
    us, betas = random_parameters(settings)
    gaps = [_reached_gap(chunk, beta) for chunk, beta in _in_tens(us, betas)]
    return Measurement(value=max(gaps), n=10 * len(gaps), seeds=(settings.seed,))


def _in_tens(us: np.ndarray, betas: np.ndarray) -> list[tuple[np.ndarray, float]]:
    fractions = us / stability_bound(betas)
    return [(fractions[i : i + 10] * stability_bound(betas[i]), betas[i]) for i in range(0, len(us), 10)]


def _reached_gap(us: np.ndarray, beta: float) -> float:
    found = reached(GaussianLaw(1 / us), momentum(momentum_rule(constant(beta))), 1.0, start_variance=1.0)
    return float(np.abs(found.variance.numpy() * us / variance_ratio(us, beta) - 1).max())


@check("G3.particles")
def closed_form_against_particles(settings: Settings) -> Measurement:
    """Return the relative error of the particles' variance at u = 0.5, b = 0.5, after 60 steps from N(0, 1).

    The particles are independent, so `n Var^ / Var` is chi-squared: standard error `sqrt(2 / n)`.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn(settings.particles, 1, dtype=torch.float64, generator=generator)
    program = [(momentum(momentum_rule(constant(0.5))), Level(0, sigma=0.0, step=0.5))] * 60
    state, _, _ = sample(program, start, lambda at, level: -at, generator)
    exact = variance_ratio(0.5, 0.5)
    error = state.x.square().mean().item() / exact - 1
    spread = (2 / settings.particles) ** 0.5
    return Measurement(value=error, n=settings.particles, seeds=(settings.seed,), detail={"standard error": spread})


SLOPE = 2 * b * (1 + b) / (1 - b) + (1 - b**2) / 2


@check("G4.series")
def small_steps(settings: Settings) -> Measurement:
    """`c lam Var x = 1 + u (2b(1+b)/(1-b) + (1-b^2)/2) + O(u^2)`: Taylor's series of the step's own variance."""
    return left_over(C * sp.series(symbolic_variance(), u, 0, 2).removeO() - 1 - u * SLOPE)


@check("G4.remainder")
def remainder_is_geometric(settings: Settings) -> Measurement:
    """What the two terms leave out is `u slope w / (1 - w)` with `w = u / u_max`, `u_max = 2/(1-b^2)`: exactly."""
    share = u * (1 - b**2) / 2
    return left_over(C * symbolic_variance() - 1 - u * SLOPE - u * SLOPE * share / (1 - share))


def unbiased_step(beta: Real) -> Real:
    """Return G6's `u* = 2b(1-b)(2+b) / (b^5 + b^4 - 2b^3 + 2b^2 + 5b + 1)`."""
    return 2 * beta * (1 - beta) * (2 + beta) / (beta**5 + beta**4 - 2 * beta**3 + 2 * beta**2 + 5 * beta + 1)


@check("G6.root")
def unbiased_step_is_the_root(settings: Settings) -> Measurement:
    """`lam Var x = 1` is linear in u: its one root is the stated `u*`."""
    excess = sp.Poly(sp.numer(sp.together(symbolic_variance() - 1)), u)
    roots = sp.roots(excess)
    return left_over(*(root - unbiased_step(b) for root in roots), sp.Integer(excess.degree() - 1))


@check("G6.stable")
def unbiased_step_is_stable(settings: Settings) -> Measurement:
    """Count, by Sturm's theorem, the b in (0, 1) at which `u*` meets 0, a pole, or the stability bound; none is.

    Between, signs do not change, and at b = 1/2 `0 < u* < 2/(1-b^2)`; a violation there counts as well.
    """
    numerator, denominator = sp.fraction(sp.factor(unbiased_step(b)))
    room = sp.numer(sp.factor(2 / (1 - b**2) - unbiased_step(b)))
    inner = (sp.Rational(1, 10**9), 1 - sp.Rational(1, 10**9))
    met = sum(sp.Poly(part, b).count_roots(*inner) for part in (numerator, denominator, room))
    inside = 0.0 < unbiased_step(0.5) < stability_bound(0.5)
    return Measurement(value=int(met) + (not inside), n=3)


@check("G6.law")
def law_is_unbiased_there(settings: Settings) -> Measurement:
    """Return the largest relative error of the exact law's variance at `u*` to the target's, random b."""
    betas = random_parameters(settings)[1]
    gaps = [abs(solved_variance(unbiased_step(beta), beta) - 1) for beta in betas]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))
