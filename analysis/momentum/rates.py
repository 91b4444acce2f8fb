r"""G2: how fast constant momentum forgets, the momentum that forgets fastest, and where its factor 8 comes from.

The transition's characteristic polynomial is heavy ball's, `r^2 - (1 + b - k) r + b` with `k = u c (1 - b)`: its roots
are complex, of modulus `sqrt b`, exactly for `(1 - sqrt b)^2 < k < (1 + sqrt b)^2`. With `b = q^2` the lower edge is

    u c (1 + q) = 1 - q,        so there the rate lost per step is    1 - q = u c (1 + q).

Langevin loses `u`. What is gained is `c (1 + sqrt b)`, exactly: `c` is the larger drift, `1 + sqrt b` the damping.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from ams.laws.symbolic import a, b, lam
from analysis.momentum.settings import Real, Settings, random_parameters
from analysis.momentum.transition import C, K, U, spectral_radius, symbols
from analysis.proofs import left_over
from verdicts import Measurement, check

q, r, u = sp.symbols("q r u", positive=True)


def characteristic(root: sp.Expr) -> sp.Expr:
    """Return the characteristic polynomial of the step's transition at `root`."""
    return (root * sp.eye(2) - symbols()[0]).det()


def contraction(u: Real, beta: Real | float) -> Real:
    """Return G2's spectral radius: `sqrt b` between the edges, else `(|1+b-k| + sqrt((1+b-k)^2 - 4b)) / 2`."""
    trace = 1 + beta - u * (1 + beta) ** 2 * (1 - beta)
    discriminant = trace**2 - 4 * beta
    real = (np.abs(trace) + np.sqrt(np.maximum(discriminant, 0.0))) / 2
    return np.where(discriminant < 0.0, np.sqrt(beta), real)


def step_at_best(root: Real) -> Real:
    """Return the `u` at which `b = root^2` forgets fastest: `(1 - q) / ((1 + q)(1 + q^2)^2)`, 1 at q = 0."""
    return (1 - root) / ((1 + root) * (1 + root**2) ** 2)


def best_momentum(u: float) -> float:
    """Return the momentum that forgets fastest at `0 < u < 1`: the root of `u c (1 + sqrt b) = 1 - sqrt b`."""
    return float(brentq(lambda root: step_at_best(root) - u, 0.0, 1.0, xtol=1e-16, rtol=1e-15)) ** 2


@check("G2.regimes")
def edges_of_the_complex_range(settings: Settings) -> Measurement:
    """The discriminant is `(k - (1-q)^2)(k - (1+q)^2)`, the roots' product `b`, at b = q^2."""
    matrix, _, _ = symbols()
    discriminant, k = (matrix.trace() ** 2 - 4 * matrix.det()).subs(b, q**2), K.subs(b, q**2)
    return left_over(discriminant - (k - (1 - q) ** 2) * (k - (1 + q) ** 2), matrix.det() - b)


@check("G2.law")
def contraction_against_the_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formula against eigenvalues of the law's transition."""
    us, betas = random_parameters(settings)
    radii = [spectral_radius(u, beta) for u, beta in zip(us, betas, strict=True)]
    gaps = np.abs(contraction(us, betas) / radii - 1)
    return Measurement(value=float(gaps.max()), n=len(gaps), seeds=(settings.seed,))


@check("G2.best")
def rate_improves_up_to_the_root(settings: Settings) -> Measurement:
    """Two identities that make the root the only best momentum for u < 1.

    Above the edge the radius `sqrt b` grows with b. Below it the larger root `r` falls, as `dr/db < 0` exactly if
    `r < r0 = 1/(1 + w)`, `w = u (1+b)(3b-1)` (at once for b <= 1/3). The polynomial at r0 is positive,
    `(1 + w)^2 F(r0) = 2u(1+b)(1-b)^2 + k w + b w^2`, so r0 lies above both roots or below both, and `r0 > sqrt b`
    excludes the latter. `u(q)` falls from 1 to 0, so the edge is met once.
    """
    excess = U * (1 + b) * (3 * b - 1)
    edge = (K - (1 - sp.sqrt(b)) ** 2).subs(b, q**2)
    on_step = (U * C * (1 + sp.sqrt(b)) - (1 - sp.sqrt(b))).subs(b, q**2)
    return left_over(
        edge - (1 - q) * on_step,
        sp.diff(b - K, b) - (1 + excess),
        (1 + excess) ** 2 * characteristic(1 / (1 + excess))
        - (2 * U * (1 + b) * (1 - b) ** 2 + K * excess + b * excess**2),
        on_step.subs(a, step_at_best(q) / lam),
    )


@check("G2.beaten")
def no_momentum_beats_the_root(settings: Settings) -> Measurement:
    """Return the most by which any momentum on a grid of 2001 forgets faster than the root, over random u < 1."""
    us = np.exp(np.random.default_rng(settings.seed).uniform(np.log(1e-5), 0.0, settings.points))
    best = contraction(us, np.array([best_momentum(u) for u in us]))
    grid = np.linspace(0.0, 1.0, 2001)[:-1]
    beaten = max(float(ours - contraction(u, grid).min()) for u, ours in zip(us, best, strict=True))
    return Measurement(value=beaten, n=len(us), seeds=(settings.seed,))


@check("G2.gain")
def gain_is_drift_times_damping(settings: Settings) -> Measurement:
    """`(1 - q) / u = c (1 + q)` at the root, so the gain's limit is 4 times 2, and `(1 - b) / u` tends to 16."""
    at_best = step_at_best(q)
    factor = C.subs(b, q**2)
    return left_over(
        (1 - q) / at_best - factor * (1 + q),
        sp.limit((1 - q) / at_best, q, 1) - 8,
        sp.limit(factor, q, 1) - 4,
        sp.limit((1 - q**2) / at_best, q, 1) - 16,
    )


@check("G2.langevin")
def langevin_loses_u(settings: Settings) -> Measurement:
    """At b = 0 the step's roots are `1 - u` and 0: what Langevin loses per step is `u`."""
    return left_over(characteristic(r).subs(b, 0) - r * (r - (1 - U)))
