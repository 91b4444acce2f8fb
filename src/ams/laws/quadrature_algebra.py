"""What the laws on grids share: a step run at every node at once, with its noise kept symbolic.

A vector is the function `values + spread z` of the point the step starts from: `values` at the nodes, `z` the step's
one draw, so a step that is run once on the nodes yields the mean and the scale of its kernel. Norms are integrals over
the law of the start, so coefficients that depend on them (a corrector's snr rule) are those of infinitely many
particles, for one-dimensional samples.
"""

from __future__ import annotations

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
"""Standard deviations at which a Gaussian kernel is cut: its density is 1e-16 of the maximum there."""

Array = Float[np.ndarray, "*nodes"]


class Blurred(NamedTuple):
    """The vector `values + spread z` at every node."""

    values: Array
    spread: float = 0.0


class NodeAlgebra(FloatScalars):
    """The operations of a step on `Blurred` vectors, for a target on the line, coefficients frozen.

    Module `grid` adds the law that is carried from step to step. Raises ValueError for a target of another shape.
    """

    def __init__(self, target: Target) -> None:
        if target.shape != (1,):
            raise ValueError(f"a law on a grid needs a target on the line, of shape (1,); got {target.shape}")
        self.target = target
        self._drawn = False

    def score(self, x: Blurred, level: Level) -> Blurred:
        """Return the score at the nodes' images. Raises ValueError where these already hold this step's draw."""
        if x.spread:
            raise ValueError("a grid law takes scores at points that the step's own draw has not moved")
        at = torch.from_numpy(np.ascontiguousarray(x.values))
        return Blurred(self.target.score(at.reshape(-1, 1), level).numpy().reshape(x.values.shape))

    def noise(self, x: Blurred) -> Blurred:
        """Return the step's draw. Raises ValueError where a step draws twice."""
        if self._drawn:
            raise ValueError("a grid law carries one draw a step, this one takes more")
        self._drawn = True
        return Blurred(np.zeros_like(x.values), 1.0)

    def combine(self, *terms: tuple[float, Blurred], over: Blurred | None = None) -> Blurred:
        """Return the linear combination."""
        (c, v), *rest = terms
        values, spread = c * v.values, c * v.spread
        for c, v in rest:
            values += c * v.values
            spread += c * v.spread
        return Blurred(values, spread)

    def begin_step(self, state: State) -> State:
        """Begin a step at `state`."""
        self._drawn = False
        return state

    def norm(self, vector: Blurred) -> float:
        """Raise ValueError: a norm is an integral over a law, of which these nodes know nothing."""
        raise ValueError("no law is carried here: a rule that takes norms needs its coefficients frozen")

    def finite(self, vector: Blurred) -> bool:
        """Tell whether every value is finite."""
        return bool(np.isfinite(vector.values).all()) and math.isfinite(vector.spread)

    def image(self, step: Step, state: State, size: float) -> State:
        """Return where one step of base step `size`, at the level without noise, leads from the nodes of `state`."""
        return step(self.begin_step(state), self.score, self.noise, Level(0, sigma=0.0, step=size), self)[0]

    def log_density(self, level: Level, power: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
        """Return the logarithm of the target's density at a level, or of its normalised power, on arrays (nats)."""

        def powered(x: np.ndarray) -> np.ndarray:
            return power * self.target.log_density(torch.from_numpy(x)[:, None], level).numpy()

        if power == 1.0:
            return powered
        shape = tabulated(powered)
        top = int(shape.values.argmax())
        constant = float(powered(shape.nodes[top : top + 1])[0]) - math.log(shape.values[top])
        return lambda x: powered(x) - constant

    def exact(self, level: Level, power: float = 1.0) -> GridFunction:
        """Return the target's density at a level, or its normalised power."""
        return tabulated(self.log_density(level, power))


def folded(mean: Array, spread: float) -> Array:
    """Return `E|mean + spread z|`, z standard normal, for a spread above 0."""
    t = mean / spread
    means: np.ndarray = spread * math.sqrt(2 / math.pi) * np.exp(-t * t / 2) + mean * erf(t / math.sqrt(2))
    return means


class Landing(NamedTuple):
    """Where a kernel's Gaussian images lie on a uniform grid: `(nodes, window)` arrays.

    `node` is the grid node's number, `z` the draw that leads there, `density` of the image there.
    """

    node: np.ndarray
    z: Array
    density: Array


def land(image: Blurred, first: float, spacing: float) -> Landing:
    """Return the landing of `values + spread z` on the grid of nodes `first + spacing k`, k any integer.

    Raises ValueError for an image without spread: a deterministic step has no density on a grid.
    """
    s = abs(image.spread)
    if not s:
        raise ValueError("a grid law needs noise in every step: a deterministic map is a transport, not a kernel")
    reach = math.ceil(TAILS * s / spacing)
    nearest = np.rint((image.values.ravel() - first) / spacing).astype(np.int64)
    index = nearest[:, None] + np.arange(-reach, reach + 1)
    z = (first + spacing * index - image.values.ravel()[:, None]) / image.spread
    return Landing(index, z, np.exp(-z * z / 2) / (s * math.sqrt(2 * math.pi)))
