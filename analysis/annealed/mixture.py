"""Target 2, a mixture on the line: a density on a grid, moved quantiles, or particles, as the
sampler needs.
"""

import math
from collections.abc import Callable
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
    DEFAULT,
    LANGEVIN,
    SPECS,
    Hyperparameters,
    LineMethod,
    SigmaRange,
    noise_schedule,
)
from ams.schedules import Level
from ams.statistics import Interval, jackknife_interval
from ams.targets import GaussianMixture
from analysis.annealed.particles import Sizes, averaged, divergence, particles, smoothed
from analysis.annealed.transport import Nodes, Transported, transport_kl, transport_w2
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


class LineErrors(NamedTuple):
    """What a run on the mixture is judged by: intervals, points where the distribution is exact.

    `kl` is KL(run || target at the last noise level) in nats; `minority` the probability left of 0;
    `w2` is None for particles, whose own noise in the modes' weights would drown it.
    """

    kl: Interval
    minority: Interval
    w2: float | None


class LineRun(NamedTuple):
    """One setting of a sampler, the evaluations it took and its errors (infinite where it
    diverged).
    """

    hyperparameters: Hyperparameters
    evaluations: int
    errors: LineErrors


_NO_END = Interval(math.inf, math.inf, math.inf, 0)
LOST = LineErrors(_NO_END, _NO_END, math.inf)


def target(shape: Shape = TARGET) -> GaussianMixture:
    """Return the mixture, by default .3/.7 at -1/+1 with modes of standard deviation 0.1."""
    return two_modes(*shape)


def log_density(x: np.ndarray, shape: Shape = TARGET) -> np.ndarray:
    """Return the target's log-density at the last noise level."""
    return target(shape).log_density(torch.from_numpy(x)[:, None], _LAST).numpy()


def last_step(sigmas: SigmaRange, budget: int, setting: Hyperparameters) -> float:
    """Return the step `u = a / sigma^2` of an annealed run at its last noise level."""
    _, epsilon = noise_schedule(sigmas, budget // setting.repeats, setting.repeats)
    return setting.factor * epsilon / sigmas.last**2


@cell
def line_run(
    sampler: str, budget: int, setting: Hyperparameters, sizes: Sizes, shape: Shape = TARGET
) -> LineRun:
    """One run of a sampler, by the method that it needs, on a mixture of that shape."""
    spec = SPECS[sampler]
    try:
        return LineRun(
            setting,
            *_METHODS[spec.line_method](sizes, spec.build(SIGMAS, budget, setting), shape=shape),
        )
    except NonFiniteState:
        return LineRun(setting, 0, LOST)


@cell
def tuned_run(
    sampler: str, budget: int, settings: tuple[Hyperparameters, ...], sizes: Sizes
) -> LineRun:
    """A sampler's run at the setting of least KL. Particles choose it by other random numbers than
    those of the run.

    Unstable settings are left out.
    """
    others, stable = sizes._replace(seed=sizes.seed + 1), stable_settings(sampler, budget, settings)
    best = min(stable, key=lambda one: _kl(sampler, budget, one, others))
    return line_run.wrapped(sampler, budget, best, sizes)


def _kl(sampler: str, budget: int, setting: Hyperparameters, sizes: Sizes) -> float:
    """Return the KL of a run; of a density on a grid without its W2, which takes a third of the
    time.
    """
    spec = SPECS[sampler]
    if spec.line_method is not LineMethod.GRID:
        return float(line_run.wrapped(sampler, budget, setting, sizes).errors.kl.value)
    try:
        return divergence(_density(spec.build(SIGMAS, budget, setting), target())[0], log_density)
    except NonFiniteState:
        return math.inf


def stable_settings(
    sampler: str, budget: int, settings: tuple[Hyperparameters, ...]
) -> list[Hyperparameters]:
    """Return the settings without the largest steps: `drift u < 1.9` for Langevin, stable on a
    point, else `u < 3`.
    """
    spec = SPECS[sampler]
    largest = 1.9 / spec.drift if spec.line_method is LineMethod.GRID else 3.0
    return [one for one in settings if last_step(SIGMAS, budget, one) < largest]


@cell
def langevin_particles(budget: int, sizes: Sizes) -> LineRun:
    """Annealed Langevin by particles, where the density on a grid is known too: their control."""
    return LineRun(DEFAULT, *by_particles(sizes, LANGEVIN.build(SIGMAS, budget)))


@cell
def solver_runs(tolerances: tuple[float, ...], nodes: int) -> list[LineRun]:
    """The probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    quantiles = Nodes(target(), SIGMAS.first, nodes)
    ends = (
        (t, *flow_rk45(quantiles.start(), quantiles.score, *SIGMAS, rtol=t, atol=t))
        for t in tolerances
    )
    return [
        LineRun(Hyperparameters(tolerance=t), count, transported(quantiles.end(rows)))
        for t, rows, count in ends
    ]


def by_grid(sizes: Sizes, program: Program, shape: Shape = TARGET) -> tuple[int, LineErrors]:
    """Return evaluations and errors of the density on a grid."""
    density, evaluations = _density(program, target(shape))
    kl = divergence(density, partial(log_density, shape=shape))
    return evaluations, _known(kl, half_line(density), line_w2(density, _exact(shape)))


def _density(program: Program, mixture: GaussianMixture) -> tuple[GridFunction, int]:
    """Return the density at a run's end, and the evaluations."""
    law = GridAlgebra(mixture)
    start = law.start_normal(0.0, SIGMAS.first)
    state, evaluations = spent(law.run(program, start), start)
    return law.density(state), evaluations


def by_transport(sizes: Sizes, program: Program, shape: Shape = TARGET) -> tuple[int, LineErrors]:
    """Return evaluations and errors of moved quantiles."""
    moved, evaluations = Nodes(target(shape), SIGMAS.first, sizes.nodes).run(program)
    return evaluations, transported(moved, shape)


def transported(moved: Transported, shape: Shape = TARGET) -> LineErrors:
    """Return the errors of moved quantiles; KL is an upper bound where the map folds the line."""
    kl, w2 = transport_kl(moved, target(shape), _LAST), transport_w2(moved, _exact(shape))
    return _known(kl, float((moved.x < 0).mean()), w2)


def by_particles(
    sizes: Sizes, program: Program, coupled: int = 0, shape: Shape = TARGET
) -> tuple[int, LineErrors]:
    """Return evaluations and errors of independent batches, with jackknife intervals; `coupled`
    as in `particles`.
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
    return evaluations, LineErrors(kl, jackknife_interval(left.mean(), others, CONFIDENCE), None)


def _exact(shape: Shape) -> GridFunction:
    """Return the target's density at the last noise level."""
    return GridAlgebra(target(shape)).exact(_LAST)


def _known(kl: float, minority: float, w2: float) -> LineErrors:
    return LineErrors(Interval(kl, kl, kl, 1), Interval(minority, minority, minority, 1), w2)


_METHODS: dict[LineMethod, Callable[..., tuple[int, LineErrors]]] = {
    LineMethod.GRID: by_grid,
    LineMethod.TRANSPORT: by_transport,
    LineMethod.PARTICLES: by_particles,
}
