r"""G1: transition and stability of constant momentum, read off the sampler's own step.

Notation: base step `a`, momentum `b`, target precision `lam`; `u = a lam`, `c = (1 + b)^2`, `k = u c (1 - b)`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import a, b, lam, m, stationary_covariance, symbolic_step, transition, x, z
from ams.samplers import State, constant, momentum, momentum_rule
from ams.schedules import Level
from analysis.momentum.settings import Settings, random_parameters, stability_bound
from analysis.proofs import left_over, matrix_entries
from verdicts import Measurement, check

C = (1 + b) ** 2
U = a * lam
K = U * C * (1 - b)


@cache
def symbols() -> tuple[sp.Matrix, sp.Matrix, sp.Matrix]:
    """Return transition of (x, m), noise vector and stationary covariance, read off the sampler's step."""
    after = symbolic_step(momentum(momentum_rule(constant(b))), State(x, m))
    matrix, spread = transition(after, [x, m], ["x", "m"]), transition(after, [z], ["x", "m"])
    return matrix, spread, stationary_covariance(matrix, spread)


@check("G1.transition")
def transition_is_as_stated(settings: Settings) -> Measurement:
    """The step's derivative is `[[1 - a c (1-b) lam, a c b], [-(1-b) lam, b]]`, its noise `(sqrt(2a), 0)`."""
    matrix, spread, _ = symbols()
    stated = sp.Matrix([[1 - a * C * (1 - b) * lam, a * C * b], [-(1 - b) * lam, b]])
    return left_over(*matrix_entries(matrix, stated), *matrix_entries(spread, sp.Matrix([sp.sqrt(2 * a), 0])))


@check("G1.invariants")
def determinant_and_trace(settings: Settings) -> Measurement:
    """`det = b` and `trace = 1 + b - k`."""
    matrix, _, _ = symbols()
    return left_over(matrix.det() - b, matrix.trace() - (1 + b - K))


@check("G1.jury")
def stability_is_jury(settings: Settings) -> Measurement:
    """Jury's conditions: `|det| = b < 1`; `1 - trace + det = k > 0`; `1 + trace + det > 0`.

    The last is `u < 2 / (1 - b^2)`: its left side is `2 / (1 - b^2) - u` times the positive `(1 - b^2)(1 + b)`.
    """
    matrix, _, _ = symbols()
    trace, determinant = matrix.trace(), matrix.det()
    return left_over(
        1 - trace + determinant - K,
        1 + trace + determinant - (2 / (1 - b**2) - U) * (1 - b**2) * (1 + b),
    )


def law_transition(u: float, beta: float) -> np.ndarray:
    """Return the transition of (x, m) as the exact law applies it, at `lam = 1`, `a = u`."""
    law = GaussianLaw([1.0])
    start = law.start(0.0, 1.0).x
    state = law.begin_step(State(start, start, drift=u, effective_drift=u))
    step = momentum(momentum_rule(constant(beta)))
    after, _ = step(state, law.score, law.noise, Level(0, sigma=0.0, step=u), law)
    return law.transition(after._replace(s=None))[1][0].numpy()


def spectral_radius(u: float, beta: float) -> float:
    """Return the spectral radius of the transition that the exact law applies: the contraction per step."""
    return float(np.abs(np.linalg.eigvals(law_transition(u, beta))).max())


@check("G1.law")
def law_and_symbols_agree(settings: Settings) -> Measurement:
    """Return the largest difference of the law's transition to the symbols' over the random points."""
    numeric = sp.lambdify((a, b, lam), symbols()[0], "numpy")
    us, betas = random_parameters(settings)
    pairs = zip(us, betas, strict=True)
    gaps = [np.abs(law_transition(u, beta) - numeric(u, beta, 1.0)).max() for u, beta in pairs]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("G1.boundary")
def boundary_separates(settings: Settings) -> Measurement:
    """Count the random b whose spectral radius is not below 1 just under the bound and above 1 just over it."""
    betas = random_parameters(settings)[1]
    sides = [[spectral_radius(side * stability_bound(b), b) for side in (1 - 1e-6, 1 + 1e-6)] for b in betas]
    wrong = sum(not (below < 1.0 < above) for below, above in sides)
    return Measurement(value=wrong, n=len(betas), seeds=(settings.seed,))
