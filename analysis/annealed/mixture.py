"""Target 2, a mixture on the line: a density on a grid, moved quantiles, or particles, as the
sampler needs.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from ams.grid_function import GridFunction
from ams.laws.grid import GridAlgebra
from ams.metrics.density import half_line, line_w2
from ams.rk45 import flow_rk45
from ams.samplers import NonFiniteState, Program, spent
from ams.samplers.presets import (
    LANGEVIN,
    SPECS,
    Hyperparameters,
    LineMethod,
    SigmaRange,
)
from ams.schedules import Level
from ams.statistics import Interval, jackknife_interval
from ams.targets import GaussianMixture
from analysis.annealed.particles import Sizes, averaged, divergence, particles, smoothed
from analysis.annealed.transport import Nodes, Transported, transport_kl, transport_w2
from analysis.annealed.tuning import edges, last_step
from analysis.targets import two_modes
from verdicts.studies import cell

SIGMAS = SigmaRange(20.0, 0.02)


class Shape(NamedTuple):
    """A mixture of two modes at -1 and 1: the standard deviation of each, and the weight of the
    one at -1.
    """

    spread: float
    minority: float


TARGET = Shape(0.1, 0.3)
SPREAD, MINORITY = TARGET
CONFIDENCE = 1 - 1e-6
_LAST = Level(0, sigma=SIGMAS.last)
_BANDWIDTH = 0.1 * SPREAD  # adds 1 % to a mode's variance: 2.5e-5 nats


class LineRun(NamedTuple):
    """What a run on the mixture is judged by, infinite where it diverged, and the evaluations it
    took.

    Intervals are points where the distribution is exact. `kl` is KL(run || target at the last noise
    level) in nats; `minority` the probability left of 0; `w2` is None for particles, whose own
    noise in the modes' weights would drown it. `edges` is as in `gaussian.GaussianRun`.
    """

    kl: Interval
    minority: Interval
    w2: float | None
    evaluations: int
    edges: int = 0


_NO_END = Interval(math.inf, math.inf, math.inf, 0)
LOST = LineRun(_NO_END, _NO_END, math.inf, 0)


def target(shape: Shape = TARGET) -> GaussianMixture:
    """Return the mixture, by default .3/.7 at -1/+1 with modes of standard deviation 0.1."""
    return two_modes(*shape)


def log_density(x: np.ndarray, shape: Shape = TARGET) -> np.ndarray:
    """Return the target's log-density at the last noise level."""
    return target(shape).log_density(torch.from_numpy(x)[:, None], _LAST).numpy()


@cell
def line_run(
    sampler: str,
    budget: int,
    tried: tuple[Hyperparameters, ...],
    sizes: Sizes,
    chosen: Hyperparameters | None = None,
) -> LineRun:
    """A sampler's run with those of the hyperparameters tried whose KL is least, or with others
    `chosen`.

    Particles choose by other random numbers than those of the run. Unstable ones are left out.
    """
    best = chosen or (_best(sampler, budget, tried, sizes) if len(tried) > 1 else tried[0])
    return run_at(sampler, budget, best, sizes)._replace(edges=edges(tried, best))


def run_at(
    sampler: str,
    budget: int,
    h: Hyperparameters,
    sizes: Sizes,
    shape: Shape = TARGET,
) -> LineRun:
    """Return a run of a sampler, by the method that it needs, on a mixture of that shape."""
    spec = SPECS[sampler]
    try:
        return _METHODS[spec.line_method](sizes, spec.build(SIGMAS, budget, h), shape=shape)
    except NonFiniteState:
        return LOST


def _best(
    sampler: str,
    budget: int,
    tried: Sequence[Hyperparameters],
    sizes: Sizes,
) -> Hyperparameters:
    other = sizes._replace(seed=sizes.seed + 1)
    return min(stable(sampler, budget, tried), key=lambda h: _kl(sampler, budget, h, other))


def _kl(sampler: str, budget: int, h: Hyperparameters, sizes: Sizes) -> float:
    """Return the KL of a run; of a density on a grid without its W2, which takes a third of the
    time.
    """
    spec = SPECS[sampler]
    if spec.line_method is not LineMethod.GRID:
        return float(run_at(sampler, budget, h, sizes).kl.value)
    try:
        return divergence(_density(spec.build(SIGMAS, budget, h), target())[0], log_density)
    except NonFiniteState:
        return math.inf


def stable(sampler: str, budget: int, tried: Sequence[Hyperparameters]) -> list[Hyperparameters]:
    """Return those without the largest steps: `drift u < 1.9` for Langevin, stable on a point,
    else `u < 3`.
    """
    spec = SPECS[sampler]
    largest = 1.9 / spec.drift if spec.line_method is LineMethod.GRID else 3.0
    return [h for h in tried if last_step(SIGMAS, budget, h) < largest]


@cell
def langevin_particles(budget: int, sizes: Sizes) -> LineRun:
    """Annealed Langevin by particles, where the density on a grid is known too: their control.

    Without intervals: the tolerances of the control hold them.
    """
    made = by_particles(sizes, LANGEVIN.build(SIGMAS, budget))
    return _known(made.kl.value, made.minority.value, None, made.evaluations)


@cell
def solver_runs(tolerances: tuple[float, ...], nodes: int) -> list[LineRun]:
    """The probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    quantiles = Nodes(target(), SIGMAS.first, nodes)
    ends = (
        flow_rk45(quantiles.start(), quantiles.score, *SIGMAS, rtol=tolerance, atol=tolerance)
        for tolerance in tolerances
    )
    return [transported(quantiles.end(x), evaluations) for x, evaluations in ends]


def by_grid(sizes: Sizes, program: Program, shape: Shape = TARGET) -> LineRun:
    """Return a run by its density on a grid."""
    density, evaluations = _density(program, target(shape))
    kl = divergence(density, partial(log_density, shape=shape))
    return _known(kl, half_line(density), line_w2(density, _exact(shape)), evaluations)


def _density(program: Program, mixture: GaussianMixture) -> tuple[GridFunction, int]:
    """Return the density at a run's end, and the evaluations."""
    law = GridAlgebra(mixture)
    start = law.start_normal(0.0, SIGMAS.first)
    state, evaluations = spent(law.run(program, start), start)
    return law.density(state), evaluations


def by_transport(sizes: Sizes, program: Program, shape: Shape = TARGET) -> LineRun:
    """Return a run by moved quantiles."""
    moved, evaluations = Nodes(target(shape), SIGMAS.first, sizes.nodes).run(program)
    return transported(moved, evaluations, shape)


def transported(moved: Transported, evaluations: int, shape: Shape = TARGET) -> LineRun:
    """Return a run by where it moved quantiles; KL is an upper bound where the map folds the
    line.
    """
    kl, w2 = transport_kl(moved, target(shape), _LAST), transport_w2(moved, _exact(shape))
    return _known(kl, float((moved.x < 0).mean()), w2, evaluations)


def by_particles(
    sizes: Sizes,
    program: Program,
    coupled: int = 0,
    shape: Shape = TARGET,
) -> LineRun:
    """Return a run by independent batches, with jackknife intervals; `coupled` as in
    `particles`.
    """
    ends, evaluations = particles(target(shape), SIGMAS.first, program, sizes, coupled)
    x, log_target = ends[:, :, 0], partial(log_density, shape=shape)
    densities = smoothed(x, _BANDWIDTH)
    without = [averaged([*densities[:i], *densities[i + 1 :]]) for i in range(len(densities))]
    kl = jackknife_interval(
        divergence(averaged(densities), log_target),
        [divergence(p, log_target) for p in without],
        CONFIDENCE,
    )
    left = (x < 0).mean(1)
    others = [np.delete(left, i).mean() for i in range(len(left))]
    minority = jackknife_interval(left.mean(), others, CONFIDENCE)
    return LineRun(kl, minority, None, evaluations)


def _exact(shape: Shape) -> GridFunction:
    """Return the target's density at the last noise level."""
    return GridAlgebra(target(shape)).exact(_LAST)


def _known(kl: float, minority: float, w2: float | None, evaluations: int) -> LineRun:
    at, weight = (Interval(exact, exact, exact, 1) for exact in (kl, minority))
    return LineRun(at, weight, w2, evaluations)


_METHODS: dict[LineMethod, Callable[..., LineRun]] = {
    LineMethod.GRID: by_grid,
    LineMethod.TRANSPORT: by_transport,
    LineMethod.PARTICLES: by_particles,
}
