"""H3a: with a Lipschitz Hessian the limit's distance from the tempered target is of order a."""

import math
from collections.abc import Iterator

import numpy as np
import sympy as sp

from ams.grid_function import tabulated
from ams.laws.contraction import Chain
from ams.laws.phase_space import momentum_variable, stationary
from ams.laws.symbolic import a, b, lam, m as memory, mu, symbolic_step, x, z
from ams.metrics import line_w2
from ams.samplers import State, constant, momentum, momentum_rule
from ams.targets import GaussianMixture
from ams_suite.measures import largest
from analysis.proofs import left_over
from beyond.contraction.checks import chains, distance_on_a_gaussian
from beyond.contraction.settings import Settings
from verdicts import Measurement

HALVES = (0.5, 0.9)
"""Half the distance of the mixture's modes; its deviations are 1, so that it is log-concave below 1."""
STEPS = ((0.4, 0.1), (0.4, 0.01), (0.7, 0.02), (0.9, 0.005))
"""Momentum coefficients, and steps times the largest curvature, on mixtures."""


def terms_left_of_the_moved_chain() -> Measurement:
    """Count the terms left of H3a's lines: the moved position, the sums of defects, integrals, the mixture's Hessian.

    The position moved by `a b c / (1 - b)` times the momentum takes a plain gradient step, with the score before it.
    """
    after = symbolic_step(momentum(momentum_rule(constant(b))), State(x, memory))
    r, t, rho, u, v, half = sp.symbols("r t rho u v delta", positive=True)
    c, lag = (1 + b) ** 2, a * b * (1 + b) ** 2 / (1 - b)
    moved = after.x + lag * after.m - (x + lag * memory)
    expected, random = (1 - rho) * u, (1 - rho**2) * v**2
    potential = x**2 / 2 - sp.log((sp.exp(half * x) + sp.exp(-half * x)) / 2)
    tangent = (sp.exp(half * x) - sp.exp(-half * x)) / (sp.exp(half * x) + sp.exp(-half * x))
    hessian, cubed = 1 - half**2 * (1 - t**2), 2 * half**3 * t * (1 - t**2)
    return left_over(
        moved - sp.sqrt(2 * a) * z + a * c * lam * (x - mu),
        (u + v) ** 2 - (rho * (u + v) + expected) ** 2 - random - 2 * (1 - rho) * u * v,
        sp.integrate((a - r) ** 2, (r, 0, a)) - a**3 / 3,
        sp.integrate(a - r, (r, 0, a)) - a**2 / 2,
        sp.diff(potential, x, 2) - hessian.subs(t, tangent),
        sp.diff(potential, x, 3) - cubed.subs(t, tangent),
        sp.diff(cubed, t) - 2 * half**3 * (1 - 3 * t**2),
        cubed.subs(t, 1 / sp.sqrt(3)) - 4 * half**3 / (3 * sp.sqrt(3)),
    )


def largest_share_on_gaussians(settings: Settings) -> Measurement:
    """Measure the largest W2 to `pi^c / Z` over its bound, on Gaussians with three precisions, both ends among them."""
    generator, shares = np.random.default_rng(settings.seed + 3), []
    for chain in _smooth(settings):
        precisions = np.array([chain.smallest, generator.uniform(chain.smallest, chain.largest), chain.largest])
        shares.append(distance_on_a_gaussian(chain, precisions) / chain.distance_if_smooth(3, 0.0))
    return largest(shares, settings.seed)


def _smooth(settings: Settings) -> Iterator[Chain]:
    """Yield random chains within the region of contraction at which the bound is known."""
    for chain in chains(settings, inside=True):
        if chain.step * chain.beta * (1 + chain.beta) ** 2 * chain.largest < 1 - chain.beta:
            yield chain


def largest_share_on_mixtures() -> Measurement:
    """Measure the largest W2 to `pi^c / Z` over its bound on log-concave mixtures of two Gaussians, by exact laws.

    With modes at -h and h the curvature is at least `1 - h^2` and at most 1, its derivative `4 h^3 / 3^(3/2)`.
    """
    return largest([_share(half, *pair) for half in HALVES for pair in STEPS])


def _share(half: float, beta: float, step: float) -> float:
    target, c = GaussianMixture([0.5, 0.5], [[-half], [half]], 1.0), (1 + beta) ** 2
    variable = momentum_variable(target, step, beta)
    limit = stationary(target, momentum(momentum_rule(constant(beta))), step, variable).density
    tempered = tabulated(lambda x: c * (np.logaddexp(half * x, -half * x) - x**2 / 2))
    chain = Chain(beta, step, 1 - half**2, 1.0)
    return line_w2(limit, tempered) / chain.distance_if_smooth(1, 4 * half**3 / 3**1.5)


def least_order() -> Measurement:
    """Measure the least logarithmic slope of the bound between steps of 1e-6 and 1e-4, conditions 10 to 1e4."""

    def slope(beta: float, condition: float) -> float:
        low, high = (Chain(beta, step, 1 / condition, 1.0).distance_if_smooth(1, 1.0) for step in (1e-6, 1e-4))
        return math.log(high / low) / math.log(100)

    values = [slope(beta, condition) for beta in (0.0, 0.4, 0.9) for condition in (10.0, 100.0, 1e4)]
    return Measurement(value=min(values), n=len(values))
