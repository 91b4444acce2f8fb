r"""The grid law: steps as exact laws on any target of the line, without Monte Carlo.

A step of position alone, `x' = g(x) + c z`, moves a density by

    p'(y) = int p(x) N(y; g(x), c^2) dx,

and with `p` as smooth as a kernel of that scale leaves it, the trapezoidal rule with spacing h errs by `exp(-pi^2 c^2
/ h^2)` (module `curve`): rounding, at two nodes a standard deviation of the kernel. `g` and `c` come from one run of
the sampler's own step on the nodes (module `nodes`). The density that is carried is cut where it falls below 3e-16 of
its maximum, on a grid of its own after every step, so an annealed run is followed from sigma = 20 to 0.02 without
interpolation.

    law = GridLaw(target)
    start = law.start(Level(0, sigma=20.0))            # the target's law at that level, or start_normal(mean, sd)
    end, _ = law.end(annealed(langevin(), levels, 5), start)
    found = law.density(end)                           # a GridFunction
    line_w2(found, law.exact(level)), line_kl(found, law.log_density(level)), half_line(found)

Steps that carry a vector from step to step (momentum, Leimkuhler-Matthews) have a law in phase space: module `phase`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ams.grid_function import GridFunction, tabulated
from ams.laws.quadrature_algebra import Blurred, NodeAlgebra, folded, land
from ams.samplers.base import VECTORS, Algebra, Info, Noise, Score, State, Step
from ams.samplers.loop import Program, last, run
from ams.schedules import Level
from ams.targets import Target

_RESOLUTION = 0.4  # spacing of a moved density, in deviations of its kernel: interpolation errs by exp(-31)
_FREQUENCY = 3.0  # over the deviation of a kernel: at it, what the kernel lets through is 0.01
_ALIASING = 1e-8  # of the integrand's largest Fourier coefficient, at half the frequency whose coefficient is the error
_MOST_NODES = 1 << 17
_COARSEST = 0.55  # the largest spacing of nodes that a kernel is taken at


class GridLaw(NodeAlgebra):
    """The algebra of densities on the line, for a target of shape (1,) and steps of position alone."""

    def __init__(self, target: Target, resolution: float = _RESOLUTION) -> None:
        super().__init__(target)
        self.resolution = resolution
        self._begin(GridFunction(0.0, 1.0, np.ones(1)))

    def start(self, level: Level, power: float = 1.0) -> State:
        """Return the state whose position has the target's law at `level` (or its power)."""
        return self.start_at(self.exact(level, power))

    def start_normal(self, mean: float, deviation: float) -> State:
        """Return the state whose position is Gaussian."""
        return self.start_at(tabulated(lambda x: -(((x - mean) / deviation) ** 2) / 2, around=mean))

    def start_at(self, density: GridFunction) -> State:
        """Return the state whose position has this density; it forgets what was carried."""
        return State(self._begin(density.trimmed()))

    def _begin(self, law: GridFunction) -> Blurred:
        self._law, self._drawn, self._nodes = law, False, Blurred(law.nodes)
        return self._nodes

    def density(self, state: State) -> GridFunction:
        """Return the density of a yielded state's position. Raises ValueError for a state that carries more."""
        carried = [name for name in VECTORS[1:] if getattr(state, name) is not None]
        if carried:
            raise ValueError(f"the step carries {', '.join(carried)}: its law is not one of position alone")
        return self._law if state.x is self._nodes else moved(self._law, state.x, self.resolution)

    def begin_step(self, state: State) -> State:
        """Move the density to the state's position, on a grid of its own; the step begins at that grid's nodes."""
        return state._replace(x=self._begin(self.density(state).trimmed()))

    def run(self, program: Program, start: State) -> Iterator[tuple[State, Info]]:
        """Run a program from `start`; a step for whose kernel the nodes prove too far apart is asked again on more.

        That is what steps are pure for. One that is not (a list of coefficients replayed) needs a `resolution` that
        is fine enough from the start.
        """
        asked = ((self._resolving(step), level) for step, level in program)
        return run(asked, start, self.score, self.noise, self)

    def end(self, program: Program, start: State) -> tuple[State, Info]:
        """Run a program to its end; returns the last state and info. Raises ValueError on an empty program."""
        return last(self.run(program, start))

    def _resolving(self, step: Step) -> Step:
        def resolving(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
            after, info = step(state, score, noise, level, algebra)
            while not resolves(self._law, after.x):
                if 2 * len(self._law.values) > _MOST_NODES:
                    raise ArithmeticError(f"{_MOST_NODES} nodes do not resolve the step at level {level.number}")
                state = state._replace(x=self._begin(self._law.refined(2)))
                after, info = step(state, score, noise, level, algebra)
            return after, info

        return resolving

    def norm(self, vector: Blurred) -> float:
        """Return `E|v|` over the law of the step's start, and the draw."""
        if vector.spread:
            return self._law.integral(folded(vector.values, abs(vector.spread)))
        return self._law.modulus(vector.values)


def resolves(law: GridFunction, image: Blurred) -> bool:
    """Tell whether the nodes of `law` are near enough for the kernel `values + spread z` and for the curve `values`.

    With `p` the law, the density's Fourier transform at `k` is `int p exp(-ik g) dx` times `exp(-k^2 c^2 / 2)`. The
    rule's error is the integrand's transform at multiples of `2 pi / h`; near `pi / h` that must be below 1e-8.
    """
    c = abs(image.spread)
    if not (c and np.isfinite(image.values).all()):
        return True  # nothing that more nodes would mend: the landing, or the loop, complains
    stretch = max(1.0, float(np.abs(np.diff(image.values)).max()) / law.spacing)
    if law.spacing * stretch > _COARSEST * c:
        return False
    turned = np.exp(1j * _FREQUENCY * (image.values - law.nodes) / c)
    return law.with_values(law.values * turned).resolved(_ALIASING)


def moved(law: GridFunction, image: Blurred, resolution: float) -> GridFunction:
    """Return the density of `values + spread z` where the nodes have the density `law`."""
    first, spacing = float(image.values.min()), resolution * abs(image.spread)
    index, _, density = land(image, first, spacing)
    low = int(index.min())
    weight = law.values[:, None] * (law.spacing * density)
    return GridFunction(first + spacing * low, spacing, np.bincount((index - low).ravel(), weight.ravel()))
