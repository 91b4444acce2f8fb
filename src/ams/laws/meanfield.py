r"""Adaptive momentum on the line in its mean field: the damping that its own stationary law returns.

With infinitely many particles in a batch the damping is a number, and at a stationary law it stands still: the law is
that of constant momentum at that number (module `phase`), of which the rule, asked at it, must return the same. The
rule's norms are integrals over the law of one more step, in position, momentum and draw.

The integral over the draw of `|s(x') - s(x)|` is cut where `x' = x`; a momentum, which is free of the draw, is
integrated from zero to zero (`GridFunction.modulus`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import root_scalar

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.phase_space import Steady, momentum_memory, stationary
from ams.laws.quadrature_algebra import TAILS, Blurred, NodeAlgebra
from ams.laws.stationary import solved
from ams.samplers.base import Coefficients, Rule, State
from ams.samplers.rules import Factor, authors_factor, momentum
from ams.samplers.scalars import FloatScalars
from ams.schedules import Level
from ams.targets import CLEAN, Target

_PANELS, _POINTS = 6, 8  # of Gauss's rule for the draw, on either side of the cut
_HIGHEST = 1.0 - 1e-9
_SETTLED = 1e-9  # change of the damping at which the search ends

Values = Float[np.ndarray, "x v z"]


class MeanField(NamedTuple):
    """The damping and the stationary law at it."""

    beta: float
    law: Steady


def mean_field(
    target: Target, rule: Rule, size: float, nodes: int = 8, factor: Factor = authors_factor, resolution: float = 0.4
) -> MeanField:
    """Return the fixed point of an adaptive `rule` at base step `size`, by the secant rule from a Gaussian's.

    `nodes` and `resolution` as in module `phase`; `factor` is the rule's own. Raises ArithmeticError where the search
    does not begin_step.
    """
    found: dict[float, Steady] = {}

    def excess(beta: float) -> float:
        found[beta] = frozen_law(target, size, beta, nodes, factor, resolution, limit(target, beta, factor))
        return returned(target, rule, size, beta, found[beta], factor) - beta

    guess = _guess(target, rule, size, factor)
    search = root_scalar(excess, x0=guess, x1=guess + 0.02 * (1.0 - guess), xtol=_SETTLED, method="secant", maxiter=20)
    if not search.converged:
        raise ArithmeticError(f"no stationary damping found at step {size:g}: {search.flag}")
    beta = min(found, key=lambda tried: abs(tried - search.root))
    return MeanField(beta, found[beta])


def frozen_law(
    target: Target,
    size: float,
    beta: float,
    nodes: int = 12,
    factor: Factor = authors_factor,
    resolution: float = 0.4,
    near: GridFunction | None = None,
) -> Steady:
    """Return the stationary law of constant momentum `beta` with drift `factor(beta) size`.

    `near` as in module `phase`; the default, `pi^(factor / 2)`, is wide enough for a temperature twice the limit's.
    """
    chosen = _frozen(size, beta, factor)
    near = near or NodeAlgebra(target).exact(CLEAN, max(1.0, factor(beta) / 2))
    memory = momentum_memory(target, size, beta, nodes)
    return stationary(target, momentum(lambda *_: chosen), size, memory, near, resolution)


def limit(target: Target, beta: float, factor: Factor = authors_factor) -> GridFunction:
    """Return `pi^factor`, to which that law tends with the step, cut where it is negligible."""
    return NodeAlgebra(target).exact(CLEAN, factor(beta)).trimmed()


def returned(
    target: Target, rule: Rule, size: float, beta: float, law: Steady, factor: Factor = authors_factor
) -> float:
    """Return the damping that the rule finds in the stationary `law` of the damping `beta`."""
    algebra, chosen, level = NodeAlgebra(target), _frozen(size, beta, factor), Level(0, sigma=0.0, step=size)
    x = np.repeat(law.density.nodes, law.memory.shape[1])
    after = algebra.image(momentum(lambda *_: chosen), State(Blurred(x), Blurred(law.memory.ravel())), size)
    z, weights = _draws((x - after.x.values) / after.x.spread)
    average = _Average(law, weights.reshape(*law.memory.shape, -1))

    def on_grid(values: np.ndarray) -> Values:
        return values.reshape(*law.memory.shape, -1)

    m, s = on_grid(after.m.values), on_grid(after.s.values)
    here = algebra.score(Blurred(after.x.values[:, None] + after.x.spread * z), level).values
    state = State(here, m, s, drift=chosen.drift, effective_drift=chosen.drift)
    next_beta: float = rule(state, on_grid(here), np.zeros(1), level, average).beta
    return next_beta


class _Average(FloatScalars):
    """Vectors as values at (position, momentum, draw); their norm is the integral over a law. For rules alone."""

    def __init__(self, law: Steady, weights: Values) -> None:
        self.law, self.weights = law, weights

    def combine(self, *terms: tuple[float, Values], over: Values | None = None) -> Values:
        """Return the linear combination; a value free of the draw is the same at each."""
        return sum((c * v for c, v in terms), np.zeros(1))

    def begin_step(self, state: State) -> State:
        """Return the state unchanged: a rule takes no step."""
        return state

    def finite(self, vector: Values) -> bool:
        """Tell whether every value is finite."""
        return bool(np.isfinite(vector).all())

    def norm(self, vector: Values) -> float:
        """Return `E|v|` over the law and the draw."""
        if vector.shape[2] > 1:
            return self.law.density.spacing * float(
                (np.abs(vector) * self.weights).sum(2).ravel() @ self.law.masses.ravel()
            )
        columns = zip(self.law.masses.T, vector[..., 0].T, strict=True)
        return sum(self.law.density.with_values(mass).modulus(values) for mass, values in columns)


def _draws(cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the normal law, a row for each cut: composite Gauss on either side of it."""
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    part = ((np.arange(_PANELS)[:, None] + (points + 1) / 2) / _PANELS).ravel()
    weight = np.tile(weights / (2 * _PANELS), _PANELS)
    cut = np.clip(cut, -TAILS, TAILS)[:, None]
    z = np.concatenate([cut + (end - cut) * part for end in (-TAILS, TAILS)], axis=1)
    width = np.concatenate([np.abs(end - cut) * weight for end in (-TAILS, TAILS)], axis=1)
    return z, width * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _frozen(size: float, beta: float, factor: Factor) -> Coefficients:
    return Coefficients(beta, size, size * factor(beta), math.sqrt(2 * size))


def _guess(target: Target, rule: Rule, size: float, factor: Factor) -> float:
    """Return the damping on the Gaussian whose precision is the target's Fisher information, `E s^2`."""
    algebra = NodeAlgebra(target)
    law = algebra.exact(CLEAN)
    precision = law.integral(algebra.score(Blurred(law.nodes), CLEAN).values ** 2)
    return solved(GaussianLaw([1.0 / precision]), rule, size, _HIGHEST, factor).beta
