"""Distributions on the line in phase space, stationary or after a number of steps, without Monte
Carlo.

A step with position x, auxiliary variable v (momentum, velocity or last draw) and one draw z is

    x' = X(x, v) + c z,   v' = V(x, v) + f z,

and one run of the sampler's own step on nodes gives these functions. The density in x is smooth at
the scale c, so that equally spaced nodes represent it to rounding. The density in v need not be
smooth: a momentum is a function of past positions. But all later integrands are smooth in v, so
that masses at the nodes `centre(x) + width xi_l` of a Gauss-Hermite rule suffice. Mass between
nodes is distributed by the polynomials `g_l sum_r H_r(xi) H_r(xi_l)`, with the weights g of the
rule and the orthonormal Hermite polynomials H; the error falls exponentially in the degree.

The stationary distribution is the null vector of a sparse matrix. A direct solver finds it, without
the redundant equation of the node with the largest mass. `estimated` bounds its error by the
difference to half the nodes in x and three quarters of those in v; as the convergence is
exponential, this is far more than the error.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import splu

from ams.grid_function import GridFunction
from ams.laws.quadrature_algebra import Blurred, NodeAlgebra, kernel_on_grid
from ams.samplers.base import State, Step
from ams.targets import CLEAN, Target

_RESOLUTION = 0.4  # spacing of the nodes in standard deviations of the kernel
_NEGLIGIBLE = 1e-12  # of a density at the ends of its grid, relative to its maximum
_PIVOT = (
    0.1  # a diagonal entry this large, relative to its column, is a pivot: the matrix stays banded
)

Array = Float[np.ndarray, " n"]


class AuxiliaryVariable(NamedTuple):
    """The variable v of a state besides its position: a `field` of `State`, with nodes at
    `centre(x) + width xi`.
    """

    field: str
    nodes: int = 12
    width: float = 1.0
    centre: Callable[[Array], Array] = np.zeros_like


POSITION_ALONE = AuxiliaryVariable("", 1)
"""Stands for the missing auxiliary variable of a step of the position alone."""


def momentum_variable(
    target: Target, size: float, beta: float, nodes: int = 12
) -> AuxiliaryVariable:
    """Return the momentum `m` of constant momentum at base step `size`, with nodes centred at the
    score.

    `m - s(x)` is a sum of changes `s' sqrt(2 a) z` of the score with weights `beta^k`. Its standard
    deviation, which is the width of the nodes, is about `(E s'^2)^(1/2) (2 a / (1 -
    beta^2))^(1/2)`.
    """
    algebra = NodeAlgebra(target)

    def score(x: Array) -> Array:
        return algebra.score(Blurred(x), CLEAN).values

    density = algebra.exact(CLEAN)
    slope = math.sqrt(density.integral(np.gradient(score(density.nodes), density.spacing) ** 2))
    return AuxiliaryVariable("m", nodes, slope * math.sqrt(2 * size / (1 - beta**2)), score)


class StationaryDensity(NamedTuple):
    """A stationary distribution: the density of the position, and masses at its nodes and the nodes
    of v (x, v).
    """

    density: GridFunction
    masses: Float[np.ndarray, "x v"]
    auxiliary: Float[np.ndarray, "x v"]


def stationary(
    target: Target,
    step: Step,
    size: float,
    variable: AuxiliaryVariable = POSITION_ALONE,
    near: GridFunction | None = None,
    resolution: float = _RESOLUTION,
) -> StationaryDensity:
    """Return the stationary distribution of `step` at base step `size` on a target of shape (1,).

    The grid spans the nodes of `near`, by default the target's density, outside which the result
    must be negligible; `resolution` is its spacing in standard deviations of the kernel. Raises
    ArithmeticError if the result does not vanish at the ends of the grid.
    """
    algebra = NodeAlgebra(target)
    near = near or algebra.exact(CLEAN)
    return _phase(algebra, step, size, variable, near, resolution).stationary(
        algebra, step, size, near
    )


def estimated(
    target: Target,
    step: Step,
    size: float,
    variable: AuxiliaryVariable = POSITION_ALONE,
    near: GridFunction | None = None,
) -> tuple[StationaryDensity, float]:
    """Return the stationary distribution, as `stationary`, and an upper estimate of its density's
    relative error.

    The estimate is the largest difference to the density on half the nodes in x and three quarters
    of those in v, divided by the density's maximum.
    """
    algebra = NodeAlgebra(target)
    near = near or algebra.exact(CLEAN)
    fine = _phase(algebra, step, size, variable, near, _RESOLUTION)
    fewer = variable._replace(nodes=-(-variable.nodes * 3 // 4))
    coarse = _PhaseGrid(fine.first, 2 * fine.spacing, len(fine.x) // 2 + 1, fewer)
    result, rough = (phase.stationary(algebra, step, size, near) for phase in (fine, coarse))
    gap = result.density.values[::2] - rough.density.values
    return result, float(np.abs(gap).max() / result.density.values.max())


def evolved(
    target: Target,
    step: Step,
    size: float,
    variable: AuxiliaryVariable,
    start: Callable[[Array], Array],
    near: GridFunction,
    counts: Sequence[int],
) -> list[GridFunction]:
    """Return the densities of the position after each of `counts` steps, ascending, from the
    density `start(x)`.

    The auxiliary variable starts with the distribution N(centre(x), width^2), as a velocity that is
    drawn. The grid spans the nodes of `near`. Raises ArithmeticError where a density does not
    vanish at the ends of the grid.
    """
    algebra = NodeAlgebra(target)
    phase = _phase(algebra, step, size, variable, near, _RESOLUTION)
    kernel, densities, done = phase.transfer(algebra, step, size), [], 0
    masses = (start(phase.x)[:, None] * phase.share[0]).ravel()
    for count in counts:
        for _ in range(count - done):
            masses = kernel @ masses
        done = count
        densities.append(phase.density(masses.reshape(phase.v.shape)))
    return densities


class _PhaseGrid:
    """Equally spaced nodes in x, and at each of them the Gauss-Hermite nodes of v."""

    def __init__(
        self, first: float, spacing: float, count: int, variable: AuxiliaryVariable
    ) -> None:
        self.first, self.spacing, self.variable = first, spacing, variable
        self.x = first + spacing * np.arange(count)
        self.xi, weights = np.polynomial.hermite_e.hermegauss(variable.nodes)
        self.share = hermite(self.xi, variable.nodes) * weights / weights.sum()
        self.v = variable.centre(self.x)[:, None] + variable.width * self.xi

    def stationary(
        self, algebra: NodeAlgebra, step: Step, size: float, near: GridFunction
    ) -> StationaryDensity:
        """Return the stationary distribution on these nodes; `near` has its maximum where the mass
        is large.
        """
        masses = self.invariant(algebra, step, size, near)
        return StationaryDensity(self.density(masses), masses, self.v)

    def density(self, masses: Float[np.ndarray, "x v"]) -> GridFunction:
        """Return the density of the position. Raises ArithmeticError unless it vanishes at the ends
        of the grid.
        """
        density = GridFunction(self.first, self.spacing, masses.sum(1))
        if not np.abs(density.values[[0, -1]]).max() < _NEGLIGIBLE * density.values.max():
            raise ArithmeticError(
                "the density does not vanish at the ends of its grid: `near` is too narrow"
            )
        return density

    def invariant(
        self, algebra: NodeAlgebra, step: Step, size: float, near: GridFunction
    ) -> Float[np.ndarray, "x v"]:
        """Return the masses that the step leaves invariant, normalised as a density in x."""
        kernel = self.transfer(algebra, step, size)
        known = (
            np.abs(near.nodes[near.values.argmax()] - self.x).argmin() * len(self.xi)
            + len(self.xi) // 2
        )
        others = np.delete(np.arange(self.v.size), known)
        rows = kernel[others]
        rest = (sparse.identity(len(others), format="csc") - rows[:, others]).tocsc()
        masses = np.ones(self.v.size)
        solver = splu(rest, permc_spec="NATURAL", diag_pivot_thresh=_PIVOT)
        masses[others] = solver.solve(rows[:, [known]].toarray()[:, 0])
        return masses.reshape(self.v.shape) / (masses.sum() * self.spacing)

    def transfer(self, algebra: NodeAlgebra, step: Step, size: float) -> sparse.csc_matrix:
        """Return the matrix that maps masses at the nodes to masses after a step."""
        after = algebra.image(
            step, _state(self.variable, np.repeat(self.x, len(self.xi)), self.v.ravel()), size
        )
        index, z, density = kernel_on_grid(after.x, self.first, self.spacing)
        inside = (index >= 0) & (index < len(self.x))
        shares = (self.spacing * density)[..., None] * self._shares(
            after, np.clip(index, 0, len(self.x) - 1), z
        )
        row = index[..., None].astype(np.int32) * len(self.xi) + np.arange(
            len(self.xi), dtype=np.int32
        )
        # where each begins: its rows ascend
        column = np.append(0, np.cumsum(inside.sum(1) * len(self.xi)))
        return sparse.csc_matrix(
            (shares[inside].ravel(), row[inside].ravel(), column), shape=(self.v.size,) * 2
        )

    def _shares(self, after: State, index: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the share of mass for each node of v at each grid node `index` (nodes, window,
        v).
        """
        if not self.variable.field:
            return np.ones((*index.shape, 1))
        v = getattr(after, self.variable.field)
        xi = (
            v.values[:, None] + v.spread * z - self.variable.centre(self.x)[index]
        ) / self.variable.width
        return np.tensordot(hermite(xi, len(self.xi)), self.share, axes=(0, 0))


def _phase(
    algebra: NodeAlgebra,
    step: Step,
    size: float,
    variable: AuxiliaryVariable,
    near: GridFunction,
    resolution: float,
) -> _PhaseGrid:
    """Return nodes over the range of `near`, an odd number in x, as close as the step's kernel
    requires.
    """
    kernel = algebra.image(
        step, _state(variable, near.nodes, variable.centre(near.nodes)), size
    ).x.spread
    length = near.spacing * (len(near.values) - 1)
    half = math.ceil(length / (2 * resolution * abs(kernel)))
    return _PhaseGrid(near.first, length / (2 * half), 2 * half + 1, variable)


def _state(variable: AuxiliaryVariable, x: np.ndarray, v: np.ndarray) -> State:
    state = State(Blurred(x))
    return state._replace(**{variable.field: Blurred(v)}) if variable.field else state  # type: ignore[arg-type]


def hermite(xi: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` Hermite polynomials at xi, orthonormal for N(0, 1), as an array
    (count, *xi.shape).
    """
    values = np.ones((count, *xi.shape))
    for r in range(1, count):
        lower = values[r - 2] * math.sqrt(r - 1) if r > 1 else 0.0
        values[r] = (xi * values[r - 1] - lower) / math.sqrt(r)
    return values
