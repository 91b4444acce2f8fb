r"""Stationary laws on the line in phase space: position and what a step remembers, without Monte Carlo.

A step of one evaluation at its position x, with memory v (momentum, velocity or last draw) and a draw z, is

    x' = X(x, v) + c z,   v' = V(x, v) + f z,

its functions read off one run of the sampler's own step on nodes (module `nodes`). The law's density in x is smooth at
the scale c of the kernel, so nodes of equal spacing carry it to rounding (module `curve`). In v it need not be smooth:
momentum is a function of the past positions and concentrates on curves. But what is asked of the law later is smooth in
v, so it suffices to carry, at each x, its integrals of the polynomials in v up to a degree: masses at the nodes
`centre(x) + width xi_l` of Gauss's rule for the normal law. Mass that arrives between nodes is shared out by the
polynomials `g_l sum_r H_r(xi) H_r(xi_l)`, `g` the rule's weights, `H` the orthonormal Hermite polynomials; the error
falls exponentially in the degree.

The stationary law is the null vector of a sparse matrix, solved for directly: the redundant equation of the heaviest
node is left out. Its error is estimated (`estimated`) from half the nodes in x and three quarters in v; as the
convergence is exponential that is far more than the error itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import splu

from ams.grid_function import GridFunction
from ams.laws.quadrature_algebra import Blurred, NodeAlgebra, land
from ams.samplers.base import State, Step
from ams.targets import CLEAN, Target

_RESOLUTION = 0.4  # spacing over the deviation of the kernel
_NEGLIGIBLE = 1e-12  # of the maximum: a density's ends on its grid
_PIVOT = 0.1  # a diagonal entry this large, relative to its column, is kept: the matrix stays banded

Array = Float[np.ndarray, " n"]


class Memory(NamedTuple):
    """What a step carries besides the position: the state's `field`, and the nodes `centre(x) + width xi` for it."""

    field: str
    nodes: int = 12
    width: float = 1.0
    centre: Callable[[Array], Array] = np.zeros_like


NOTHING = Memory("", 1)
"""The memory of a step of position alone."""


def momentum_memory(target: Target, size: float, beta: float, nodes: int = 12) -> Memory:
    """Return the memory `m` of constant momentum at base step `size`: about the score, at its typical distance.

    `m - s(x)` collects the changes `s' sqrt(2 a) z` of the score with weights `beta^k`: its deviation is about
    `(E s'^2)^(1/2) (2 a / (1 - beta^2))^(1/2)`.
    """
    algebra = NodeAlgebra(target)

    def score(x: Array) -> Array:
        return algebra.score(Blurred(x), CLEAN).values

    law = algebra.exact(CLEAN)
    slope = math.sqrt(law.integral(np.gradient(score(law.nodes), law.spacing) ** 2))
    return Memory("m", nodes, slope * math.sqrt(2 * size / (1 - beta**2)), score)


class Steady(NamedTuple):
    """A stationary law: the position's density, and the masses (x, nodes of v) at its nodes and at `memory`."""

    density: GridFunction
    masses: Float[np.ndarray, "x v"]
    memory: Float[np.ndarray, "x v"]


def stationary(
    target: Target,
    step: Step,
    size: float,
    memory: Memory = NOTHING,
    near: GridFunction | None = None,
    resolution: float = _RESOLUTION,
) -> Steady:
    """Return the stationary law of `step` at base step `size` on `target`, a target of shape (1,).

    `near` is a density that is negligible where the law is: the grid spans its nodes (by default the target's).
    Raises ArithmeticError where the law does not fall off on that grid.
    """
    algebra = NodeAlgebra(target)
    near = near or algebra.exact(CLEAN)
    phase = _phase(algebra, step, size, memory, near, resolution)
    return _steady(phase, phase.fixed(algebra, step, size, near))


def estimated(
    target: Target,
    step: Step,
    size: float,
    memory: Memory = NOTHING,
    near: GridFunction | None = None,
    resolution: float = _RESOLUTION,
) -> tuple[Steady, float]:
    """Return the same, and an estimate of the density's largest error over its maximum, from above.

    It is the difference to the law found on half the nodes in x and three quarters of those in v.
    """
    algebra = NodeAlgebra(target)
    near = near or algebra.exact(CLEAN)
    fine = _phase(algebra, step, size, memory, near, resolution)
    fewer = memory._replace(nodes=-(-memory.nodes * 3 // 4))
    coarse = _Phase(fine.first, 2 * fine.spacing, len(fine.x) // 2 + 1, fewer)
    found, rough = (_steady(phase, phase.fixed(algebra, step, size, near)) for phase in (fine, coarse))
    gap = found.density.values[::2] - rough.density.values
    return found, float(np.abs(gap).max() / found.density.values.max())


def _phase(
    algebra: NodeAlgebra, step: Step, size: float, memory: Memory, near: GridFunction, resolution: float
) -> _Phase:
    """Return nodes over those of `near`, an odd number in x, as near as the step's own kernel asks for."""
    kernel = algebra.image(step, _state(memory, near.nodes, memory.centre(near.nodes)), size).x.spread
    length = near.spacing * (len(near.values) - 1)
    half = math.ceil(length / (2 * resolution * abs(kernel)))
    return _Phase(near.first, length / (2 * half), 2 * half + 1, memory)


def _steady(phase: _Phase, masses: Float[np.ndarray, "x v"]) -> Steady:
    density = GridFunction(phase.first, phase.spacing, masses.sum(1))
    if not np.abs(density.values[[0, -1]]).max() < _NEGLIGIBLE * density.values.max():
        raise ArithmeticError("the stationary law does not fall off on the grid given: a density near it is too narrow")
    return Steady(density, masses, phase.v)


def _state(memory: Memory, x: np.ndarray, v: np.ndarray) -> State:
    state = State(Blurred(x))
    return state._replace(**{memory.field: Blurred(v)}) if memory.field else state


class _Phase:
    """Nodes of equal spacing in x, and at each of them Gauss's nodes of the memory."""

    def __init__(self, first: float, spacing: float, count: int, memory: Memory) -> None:
        self.first, self.spacing, self.memory = first, spacing, memory
        self.x = first + spacing * np.arange(count)
        self.xi, weights = np.polynomial.hermite_e.hermegauss(memory.nodes)
        self.share = hermite(self.xi, memory.nodes) * weights / weights.sum()
        self.v = memory.centre(self.x)[:, None] + memory.width * self.xi

    def fixed(self, algebra: NodeAlgebra, step: Step, size: float, near: GridFunction) -> Float[np.ndarray, "x v"]:
        """Return the masses that the step leaves alone, as a density in x: a null vector, found without iteration."""
        kernel = self.transfer(algebra, step, size)
        known = np.abs(near.nodes[near.values.argmax()] - self.x).argmin() * len(self.xi) + len(self.xi) // 2
        others = np.delete(np.arange(self.v.size), known)
        rows = kernel[others]
        rest = (sparse.identity(len(others), format="csc") - rows[:, others]).tocsc()
        masses = np.ones(self.v.size)
        solver = splu(rest, permc_spec="NATURAL", diag_pivot_thresh=_PIVOT)
        masses[others] = solver.solve(rows[:, [known]].toarray()[:, 0])
        return masses.reshape(self.v.shape) / (masses.sum() * self.spacing)

    def transfer(self, algebra: NodeAlgebra, step: Step, size: float) -> sparse.csc_matrix:
        """Return the matrix that takes masses at the nodes to masses after the step."""
        after = algebra.image(step, _state(self.memory, np.repeat(self.x, len(self.xi)), self.v.ravel()), size)
        index, z, density = land(after.x, self.first, self.spacing)
        inside = (index >= 0) & (index < len(self.x))
        shares = (self.spacing * density)[..., None] * self._shares(after, np.clip(index, 0, len(self.x) - 1), z)
        row = index[..., None].astype(np.int32) * len(self.xi) + np.arange(len(self.xi), dtype=np.int32)
        column = np.append(0, np.cumsum(inside.sum(1) * len(self.xi)))  # where each begins: its rows ascend
        return sparse.csc_matrix(
            (shares[inside].ravel(), row[inside].ravel(), column), shape=(self.v.size, self.v.size)
        )

    def _shares(self, after: State, index: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return, for each node, place and node of the memory there, the part of the mass that it gets."""
        if not self.memory.field:
            return np.ones((*index.shape, 1))
        memory = getattr(after, self.memory.field)
        arriving = memory.values[:, None] + memory.spread * z
        xi = (arriving - self.memory.centre(self.x)[index]) / self.memory.width
        return np.tensordot(hermite(xi, len(self.xi)), self.share, axes=(0, 0))


def hermite(xi: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` Hermite polynomials at xi, orthonormal for the normal law: shape (count, *xi.shape)."""
    values = np.ones((count, *xi.shape))
    for r in range(1, count):
        lower = values[r - 2] * math.sqrt(r - 1) if r > 1 else 0.0
        values[r] = (xi * values[r - 1] - lower) / math.sqrt(r)
    return values
