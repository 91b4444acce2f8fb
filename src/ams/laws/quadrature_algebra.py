"""The algebra of one-dimensional steps on nodes: one run of a step gives mean and standard
deviation of its kernel.

A vector is `values + spread z`: it has a value at each node at which the step starts, and `z` is
the step's only draw.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import erf

from ams.grid_function import GridFunction, tabulated
from ams.samplers.base import State, Step
from ams.samplers.scalars import FloatScalars
from ams.schedules import Level
from ams.targets import Target

TAILS = 8.6
"""The standard deviations at which a Gaussian kernel is cut, where its density is 1e-16 of the
maximum.
"""

Array = Float[np.ndarray, "*nodes"]


class Blurred(NamedTuple):
    """The vector `values + spread z`, with a value at each node and the same `spread` at all
    nodes.
    """

    values: Array
    spread: float = 0.0


class NodeAlgebra(FloatScalars):
    """The algebra of `Blurred` vectors on a target of shape (1,), for steps with constant
    coefficients.

    Raises ValueError for a target of another shape.
    """

    def __init__(self, target: Target) -> None:
        if target.shape != (1,):
            raise ValueError(
                f"a density on a grid needs a target on the line, of shape (1,); got {target.shape}"
            )
        self.target = target
        self._drawn = False

    def score(self, x: Blurred, level: Level) -> Blurred:
        """Return the score at `values`. Raises ValueError for a vector that contains the step's
        draw.
        """
        if x.spread:
            raise ValueError("scores on a grid are taken before the step's draw is added")
        points = torch.from_numpy(np.ascontiguousarray(x.values))
        return Blurred(
            self.target.score(points.reshape(-1, 1), level).numpy().reshape(x.values.shape)
        )

    def noise(self, x: Blurred) -> Blurred:
        """Return the step's draw. Raises ValueError if a step draws twice."""
        if self._drawn:
            raise ValueError("a step on a grid has one draw, this step takes more")
        self._drawn = True
        return Blurred(np.zeros_like(x.values), 1.0)

    def combine(self, *terms: tuple[float, Blurred], over: Blurred | None = None) -> Blurred:
        """Return the linear combination of the terms."""
        (c, v), *rest = terms
        values, spread = c * v.values, c * v.spread
        for c, v in rest:
            values += c * v.values
            spread += c * v.spread
        return Blurred(values, spread)

    def begin_step(self, state: State) -> State:
        """Begin a step at `state`, which is returned."""
        self._drawn = False
        return state

    def norm(self, vector: Blurred) -> float:
        """Raise ValueError: a norm is an integral over a density, and the nodes have none."""
        raise ValueError(
            "nodes have no density: a rule that takes norms needs constant coefficients here"
        )

    def finite(self, vector: Blurred) -> bool:
        """Return whether every value is finite."""
        return bool(np.isfinite(vector.values).all()) and math.isfinite(vector.spread)

    def image(self, step: Step, state: State, size: float) -> State:
        """Return the state after one step from `state`, with base step `size`, on the target
        without noise.
        """
        return step(
            self.begin_step(state), self.score, self.noise, Level(0, sigma=0.0, step=size), self
        )[0]

    def log_density(self, level: Level, power: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
        """Return the target's log-density at a noise level, or its normalised power's, for
        arrays (nats).
        """

        def powered(x: np.ndarray) -> np.ndarray:
            return power * self.target.log_density(torch.from_numpy(x)[:, None], level).numpy()

        if power == 1.0:
            return powered
        shape = tabulated(powered)
        top = int(shape.values.argmax())
        constant = float(powered(shape.nodes[top : top + 1])[0]) - math.log(shape.values[top])
        return lambda x: powered(x) - constant

    def exact(self, level: Level, power: float = 1.0) -> GridFunction:
        """Return the target's density at a noise level, or its normalised power."""
        return tabulated(self.log_density(level, power))


def folded(mean: Array, spread: float) -> Array:
    """Return the mean of a folded normal distribution, `E|mean + spread z|`, for a spread above
    0.
    """
    t = mean / spread
    return spread * math.sqrt(2 / math.pi) * np.exp(-t * t / 2) + mean * erf(t / math.sqrt(2))


def kernel_on_grid(image: Blurred, first: float, spacing: float) -> tuple[np.ndarray, Array, Array]:
    """Return the Gaussian kernel of each starting node at the nodes `first + spacing k` around its
    mean, k any integer.

    The arrays (starting nodes, window) have k, the draw that leads to it and the kernel's density
    there. Raises ValueError for a spread of 0, since a deterministic step has no kernel.
    """
    s = abs(image.spread)
    if not s:
        reason = "a deterministic map is a transport, not a kernel"
        raise ValueError(f"a density on a grid needs noise in every step: {reason}")
    window = math.ceil(TAILS * s / spacing)
    nearest = np.rint((image.values.ravel() - first) / spacing).astype(np.int64)
    index = nearest[:, None] + np.arange(-window, window + 1)
    z = (first + spacing * index - image.values.ravel()[:, None]) / image.spread
    return index, z, np.exp(-z * z / 2) / (s * math.sqrt(2 * math.pi))
