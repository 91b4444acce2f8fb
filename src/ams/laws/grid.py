r"""Densities of annealed runs on one-dimensional targets, on a grid, without Monte Carlo.

A step of the position alone, `x' = g(x) + c z`, changes its density to

    p'(y) = int p(x) N(y; g(x), c^2) dx.

If `p` is as smooth as such a kernel leaves it, the trapezoidal rule with spacing h has an error
`exp(-pi^2 c^2 / h^2)`: two nodes per standard deviation of the kernel suffice for rounding. One run
of the sampler's own step on the nodes gives `g` and `c`. After every step the density has a new
grid, which ends where it falls below 3e-16 of its maximum.

    algebra = GridAlgebra(target)
    start = algebra.start(Level(0, sigma=20.0))        # the target at that noise level, or start_normal(mean, sd)
    end, _ = algebra.end(annealed(langevin(), levels, 5), start)
    density = algebra.density(end)                     # a GridFunction
    line_w2(density, algebra.exact(level)), line_kl(density, algebra.log_density(level)),
    half_line(density)

For steps whose state has more than a position (momentum, Leimkuhler-Matthews) see
`ams.laws.phase_space`.
"""

from collections.abc import Iterator

import numpy as np

from ams.grid_function import GridFunction, tabulated
from ams.laws.quadrature_algebra import Blurred, NodeAlgebra, folded, kernel_on_grid
from ams.samplers.base import VECTORS, Algebra, Info, Noise, Score, State, Step
from ams.samplers.loop import Program, last, run
from ams.schedules import Level
from ams.targets import Target

_RESOLUTION = (
    0.4  # spacing of a density in standard deviations of its kernel: interpolation errs by exp(-31)
)
_FREQUENCY = (
    3.0  # divided by the kernel's standard deviation: the kernel passes 0.01 of this frequency
)
# the integrand's Fourier coefficient, relative to the largest, at half the frequency of the error
_ALIASING = 1e-8
_MOST_NODES = 1 << 17
_COARSEST = 0.55  # the largest spacing of nodes, in standard deviations of the kernel


class GridAlgebra(NodeAlgebra):
    """The algebra of densities on the line, for a target of shape (1,) and steps of the position
    alone.

    `resolution` is the spacing of a density's nodes in standard deviations of its kernel.
    """

    def __init__(self, target: Target, resolution: float = _RESOLUTION) -> None:
        super().__init__(target)
        self.resolution = resolution
        self._begin(GridFunction(0.0, 1.0, np.ones(1)))

    def start(self, level: Level, power: float = 1.0) -> State:
        """Return the state whose position has the target's density at a noise level, or its
        normalised power.
        """
        return self.start_at(self.exact(level, power))

    def start_normal(self, mean: float, deviation: float) -> State:
        """Return the state whose position has the distribution N(mean, deviation^2)."""
        return self.start_at(tabulated(lambda x: -(((x - mean) / deviation) ** 2) / 2, around=mean))

    def start_at(self, density: GridFunction) -> State:
        """Return the state whose position has this density, and begin a new run."""
        return State(self._begin(density.trimmed()))

    def _begin(self, density: GridFunction) -> Blurred:
        self._density, self._drawn, self._nodes = density, False, Blurred(density.nodes)
        return self._nodes

    def density(self, state: State) -> GridFunction:
        """Return the density of a state's position. Raises ValueError for a state with other
        vectors.
        """
        others = [name for name in (*VECTORS[1:], "past") if getattr(state, name) not in (None, ())]
        if others:
            raise ValueError(
                f"the state has {', '.join(others)} too: no density of the position alone"
            )
        return (
            self._density
            if state.x is self._nodes
            else pushed_forward(self._density, state.x, self.resolution)
        )

    def begin_step(self, state: State) -> State:
        """Compute the density of the position on a new grid, whose nodes are the position of the
        next step.
        """
        return state._replace(x=self._begin(self.density(state).trimmed()))

    def run(self, program: Program, start: State) -> Iterator[tuple[State, Info]]:
        """Yield `(state, info)` after each step; a step whose kernel needs a finer grid is computed
        again on one.

        A step that replays a list cannot be computed again: it needs a fine enough `resolution`
        from the start.
        """
        resolving = ((self._resolving(step), level) for step, level in program)
        return run(resolving, start, self.score, self.noise, self)

    def end(self, program: Program, start: State) -> tuple[State, Info]:
        """Return the last state and info of a program from `start`. Raises ValueError for an
        empty program.
        """
        return last(self.run(program, start))

    def _resolving(self, step: Step) -> Step:
        def resolving(
            state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
        ) -> tuple[State, Info]:
            after, info = step(state, score, noise, level, algebra)
            while not resolves(self._density, after.x):
                if 2 * len(self._density.values) > _MOST_NODES:
                    raise ArithmeticError(
                        f"{_MOST_NODES} nodes do not resolve the step at noise level {level.number}"
                    )
                state = state._replace(x=self._begin(self._density.refined(2)))
                after, info = step(state, score, noise, level, algebra)
            return after, info

        return resolving

    def norm(self, vector: Blurred) -> float:
        """Return `E|v|` over the density at the start of the step and over its draw."""
        if vector.spread:
            return self._density.integral(folded(vector.values, abs(vector.spread)))
        return self._density.modulus(vector.values)


def resolves(density: GridFunction, image: Blurred) -> bool:
    """Return whether the nodes of `density` are close enough for the kernel `values + spread z`.

    The Fourier transform of the new density at `k` is `int p exp(-ik g) dx` times `exp(-k^2 c^2 /
    2)`. The error of the trapezoidal rule is the integrand's transform at multiples of `2 pi / h`;
    near `pi / h` it must be below 1e-8.
    """
    c = abs(image.spread)
    if not (c and np.isfinite(image.values).all()):
        return True  # more nodes would not help: `kernel_on_grid` or the loop raises
    stretch = max(1.0, float(np.abs(np.diff(image.values)).max()) / density.spacing)
    if density.spacing * stretch > _COARSEST * c:
        return False
    phase = np.exp(1j * _FREQUENCY * (image.values - density.nodes) / c)
    return density.with_values(density.values * phase).resolved(_ALIASING)


def pushed_forward(density: GridFunction, image: Blurred, resolution: float) -> GridFunction:
    """Return the density of `values + spread z`, where the nodes of `values` have the given
    density.
    """
    first, spacing = float(image.values.min()), resolution * abs(image.spread)
    index, _, kernel = kernel_on_grid(image, first, spacing)
    low = int(index.min())
    weight = density.values[:, None] * (density.spacing * kernel)
    return GridFunction(
        first + spacing * low, spacing, np.bincount((index - low).ravel(), weight.ravel())
    )
