"""The fixed point of adaptive momentum on the line in its mean field: the coefficient beta that
reproduces itself.

In an infinite batch beta is a number, and in the stationary state it is constant. The stationary
distribution is then that of constant momentum with this beta, and the rule must compute this beta
on it again. The rule's norms are integrals over position, momentum and draw of one more step.

The integral over the draw of `|s(x') - s(x)|` is split where `x' = x`. The momentum does not depend
on the draw; its norm is an integral between zeros (`GridFunction.modulus`).
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import root_scalar

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.phase_space import StationaryDensity, momentum_variable, stationary
from ams.laws.quadrature_algebra import TAILS, Blurred, NodeAlgebra
from ams.laws.stationary import solved
from ams.samplers.base import Coefficients, Rule, State
from ams.samplers.rules import Factor, authors_factor, momentum
from ams.samplers.scalars import FloatScalars
from ams.schedules import Level
from ams.targets import CLEAN, Target

_PANELS, _POINTS = 6, 8  # of the Gauss-Legendre rule for the draw, on either side of the split
_HIGHEST = 1.0 - 1e-9
_TOLERANCE = 1e-9  # of beta

Values = Float[np.ndarray, "x v _"]


class MeanField(NamedTuple):
    """The momentum coefficient of the fixed point and the stationary distribution of constant
    momentum with it.
    """

    beta: float
    stationary: StationaryDensity


def mean_field(
    target: Target,
    rule: Rule,
    size: float,
    nodes: int = 8,
    factor: Factor = authors_factor,
    resolution: float = 0.4,
) -> MeanField:
    """Return the fixed point of an adaptive `rule` at base step `size`, by the secant method from a
    Gaussian's.

    `factor` is the rule's own. `nodes` are those of the momentum, `resolution` is the spacing of
    positions in standard deviations of the kernel. Raises ArithmeticError if the search does not
    converge.
    """
    tried: dict[float, StationaryDensity] = {}

    def excess(beta: float) -> float:
        near = small_step_limit(target, beta, factor)
        tried[beta] = frozen_density(target, size, beta, nodes, factor, resolution, near)
        return returned_momentum(target, rule, size, beta, tried[beta], factor) - beta

    guess = _guess(target, rule, size, factor)
    second = guess + 0.02 * (1.0 - guess)
    search = root_scalar(excess, x0=guess, x1=second, xtol=_TOLERANCE, method="secant", maxiter=20)
    if not search.converged:
        raise ArithmeticError(f"no stationary momentum coefficient at step {size:g}: {search.flag}")
    beta = min(tried, key=lambda each: abs(each - search.root))
    return MeanField(beta, tried[beta])


def frozen_density(
    target: Target,
    size: float,
    beta: float,
    nodes: int = 12,
    factor: Factor = authors_factor,
    resolution: float = 0.4,
    near: GridFunction | None = None,
) -> StationaryDensity:
    """Return the stationary distribution of constant momentum `beta` with drift `factor(beta)
    size`.

    The grid spans the nodes of `near`. The default is `pi^(factor / 2)`, whose square is the limit
    for small steps.
    """
    coefficients = _frozen(size, beta, factor)
    near = near or NodeAlgebra(target).exact(CLEAN, max(1.0, factor(beta) / 2))
    variable = momentum_variable(target, size, beta, nodes)
    return stationary(target, momentum(lambda *_: coefficients), size, variable, near, resolution)


def small_step_limit(target: Target, beta: float, factor: Factor = authors_factor) -> GridFunction:
    """Return the density `pi^factor(beta)`, the limit of `frozen_density` for small steps,
    without negligible ends.
    """
    return NodeAlgebra(target).exact(CLEAN, factor(beta)).trimmed()


def returned_momentum(
    target: Target,
    rule: Rule,
    size: float,
    beta: float,
    stationary: StationaryDensity,
    factor: Factor = authors_factor,
) -> float:
    """Return the beta that the rule computes on the `stationary` distribution of constant
    momentum `beta`.
    """
    algebra, coefficients = NodeAlgebra(target), _frozen(size, beta, factor)
    shape, x = (
        stationary.auxiliary.shape,
        np.repeat(stationary.density.nodes, stationary.auxiliary.shape[1]),
    )
    start = State(Blurred(x), Blurred(stationary.auxiliary.ravel()))
    after = algebra.image(momentum(lambda *_: coefficients), start, size)
    z, weights = _draws((x - after.x.values) / after.x.spread)
    level = Level(0, sigma=0.0, step=size)
    s = algebra.score(Blurred(after.x.values[:, None] + after.x.spread * z), level).values.reshape(
        *shape, -1
    )
    m, s_before = (values.reshape(*shape, 1) for values in (after.m.values, after.s.values))
    state = State(s, m, s_before, drift=coefficients.drift, effective_drift=coefficients.drift)
    return rule(
        state, s, np.zeros(1), level, _RuleAlgebra(stationary, weights.reshape(*shape, -1))
    ).beta


class _RuleAlgebra(FloatScalars):
    """The algebra of rules, which take no step: a vector has values at (position, momentum,
    draw).
    """

    def __init__(self, stationary: StationaryDensity, weights: Values) -> None:
        self.stationary, self.weights = stationary, weights

    def combine(self, *terms: tuple[float, Values], over: Values | None = None) -> Values:
        """Return the linear combination; values that do not depend on the draw are broadcast."""
        return sum((c * v for c, v in terms), np.zeros(1))

    def finite(self, vector: Values) -> bool:
        """Return whether every value is finite."""
        return bool(np.isfinite(vector).all())

    def norm(self, vector: Values) -> float:
        """Return `E|v|` over the stationary distribution and the draw."""
        density, masses = self.stationary.density, self.stationary.masses
        if vector.shape[2] > 1:
            return density.spacing * float(
                (np.abs(vector) * self.weights).sum(2).ravel() @ masses.ravel()
            )
        columns = zip(masses.T, vector[..., 0].T, strict=True)
        return sum(density.with_values(mass).modulus(values) for mass, values in columns)


def _draws(split: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of N(0, 1) in a row for each split: composite Gauss-Legendre on
    either side of it.
    """
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    part = ((np.arange(_PANELS)[:, None] + (points + 1) / 2) / _PANELS).ravel()
    weight = np.tile(weights / (2 * _PANELS), _PANELS)
    split = np.clip(split, -TAILS, TAILS)[:, None]
    z = np.concatenate([split + (end - split) * part for end in (-TAILS, TAILS)], axis=1)
    width = np.concatenate([np.abs(end - split) * weight for end in (-TAILS, TAILS)], axis=1)
    return z, width * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _frozen(size: float, beta: float, factor: Factor) -> Coefficients:
    return Coefficients(beta, size, size * factor(beta), math.sqrt(2 * size))


def _guess(target: Target, rule: Rule, size: float, factor: Factor) -> float:
    """Return the momentum coefficient on the Gaussian whose precision is the target's Fisher
    information, `E s^2`.
    """
    algebra = NodeAlgebra(target)
    density = algebra.exact(CLEAN)
    precision = density.integral(algebra.score(Blurred(density.nodes), CLEAN).values ** 2)
    return solved(GaussianLaw([1.0 / precision]), rule, size, _HIGHEST, factor).beta
