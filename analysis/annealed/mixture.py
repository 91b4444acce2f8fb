"""Target 2, a mixture on the line: a density on a grid, moved quantiles, or particles, as the sampler needs."""

import math
from typing import NamedTuple

import numpy as np
import torch

from ams.grid_function import GridFunction
from ams.laws.grid import GridAlgebra
from ams.metrics.density import half_line, line_w2
from ams.samplers import NonFiniteState, Program, flow_rk45, spent
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
SPREAD, MINORITY = 0.1, 0.3
CONFIDENCE = 1 - 1e-6
_LAST = Level(0, sigma=SIGMAS.last)
_BANDWIDTH = 0.1 * SPREAD  # adds 1 % to a mode's variance: 2.5e-5 nats


class LineErrors(NamedTuple):
    """What a run on the mixture is judged by: intervals, points where the distribution is exact.

    `kl` is KL(run || target at the last noise level) in nats; `minority` the probability left of 0; `w2` is None for
    particles, whose own noise in the modes' weights would drown it.
    """

    kl: Interval
    minority: Interval
    w2: float | None


class LineRun(NamedTuple):
    """One setting of a sampler, the evaluations it took and its errors (infinite where it diverged)."""

    hyperparameters: Hyperparameters
    evaluations: int
    errors: LineErrors


_NO_END = Interval(math.inf, math.inf, math.inf, 0)
LOST = LineErrors(_NO_END, _NO_END, math.inf)


def target() -> GaussianMixture:
    """Return the mixture .3/.7 at -1/+1 with modes of standard deviation 0.1."""
    return two_modes(SPREAD, MINORITY)


def log_density(x: np.ndarray) -> np.ndarray:
    """Return the target's log-density at the last noise level."""
    return target().log_density(torch.from_numpy(x)[:, None], _LAST).numpy()


def last_step(sigmas: SigmaRange, budget: int, setting: Hyperparameters) -> float:
    """Return the step `u = a / sigma^2` of an annealed run at its last noise level."""
    _, epsilon = noise_schedule(sigmas, budget // setting.repeats, setting.repeats)
    return setting.factor * epsilon / sigmas.last**2


@cell
def line_run(sampler: str, budget: int, setting: Hyperparameters, sizes: Sizes) -> LineRun:
    """One run of a sampler, by the method that it needs."""
    spec = SPECS[sampler]
    try:
        return LineRun(setting, *_METHODS[spec.line_method](sizes, spec.build(SIGMAS, budget, setting)))
    except NonFiniteState:
        return LineRun(setting, 0, LOST)


@cell
def tuned_run(sampler: str, budget: int, settings: tuple[Hyperparameters, ...], sizes: Sizes) -> LineRun:
    """A sampler's run at the setting of least KL. Particles choose it by other random numbers than those of the run.

    Larger steps than these are left out: `drift u = 1.9`, nearly unstable on a point, for Langevin, 3 for the others.
    """
    spec = SPECS[sampler]
    grid = spec.line_method is LineMethod.GRID
    largest = 1.9 / spec.drift if grid else 3.0
    stable = [one for one in settings if last_step(SIGMAS, budget, one) < largest]
    trials = (line_run.wrapped(sampler, budget, one, sizes._replace(seed=sizes.seed + 1)) for one in stable)
    best = min(trials, key=lambda run: run.errors.kl.value)
    return best if grid else line_run.wrapped(sampler, budget, best.hyperparameters, sizes)


@cell
def langevin_particles(budget: int, sizes: Sizes) -> LineRun:
    """Annealed Langevin by particles, where the density on a grid is known too: their control."""
    return LineRun(DEFAULT, *by_particles(sizes, LANGEVIN.build(SIGMAS, budget)))


@cell
def solver_runs(tolerances: tuple[float, ...], nodes: int) -> list[LineRun]:
    """The probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    quantiles = Nodes(target(), SIGMAS.first, nodes)
    ends = ((t, *flow_rk45(quantiles.start(), quantiles.score, *SIGMAS, rtol=t, atol=t)) for t in tolerances)
    return [LineRun(Hyperparameters(tolerance=t), count, transported(quantiles.end(rows))) for t, rows, count in ends]


def by_grid(sizes: Sizes, program: Program) -> tuple[int, LineErrors]:
    """Return evaluations and errors of the density on a grid."""
    law = GridAlgebra(target())
    start = law.start_normal(0.0, SIGMAS.first)
    state, evaluations = spent(law.run(program, start), start)
    density = law.density(state)
    return evaluations, _known(divergence(density, log_density), half_line(density), line_w2(density, _exact()))


def by_transport(sizes: Sizes, program: Program) -> tuple[int, LineErrors]:
    """Return evaluations and errors of moved quantiles."""
    moved, evaluations = Nodes(target(), SIGMAS.first, sizes.nodes).run(program)
    return evaluations, transported(moved)


def transported(moved: Transported) -> LineErrors:
    """Return the errors of moved quantiles; KL is an upper bound where the map folds the line."""
    return _known(transport_kl(moved, target(), _LAST), float((moved.x < 0).mean()), transport_w2(moved, _exact()))


def by_particles(sizes: Sizes, program: Program, coupled: int = 0) -> tuple[int, LineErrors]:
    """Return evaluations and errors of independent batches, with jackknife intervals; `coupled` as in `particles`."""
    ends, evaluations = particles(target(), SIGMAS.first, program, sizes, coupled)
    x = ends[:, :, 0]
    densities = smoothed(x, _BANDWIDTH)
    without = [averaged([*densities[:i], *densities[i + 1 :]]) for i in range(len(densities))]
    kl = jackknife_interval(
        divergence(averaged(densities), log_density), [divergence(p, log_density) for p in without], CONFIDENCE
    )
    left = (x < 0).mean(1)
    others = [np.delete(left, i).mean() for i in range(len(left))]
    return evaluations, LineErrors(kl, jackknife_interval(left.mean(), others, CONFIDENCE), None)


def _exact() -> GridFunction:
    """Return the target's density at the last noise level."""
    return GridAlgebra(target()).exact(_LAST)


def _known(kl: float, minority: float, w2: float) -> LineErrors:
    return LineErrors(Interval(kl, kl, kl, 1), Interval(minority, minority, minority, 1), w2)


_METHODS = {LineMethod.GRID: by_grid, LineMethod.TRANSPORT: by_transport, LineMethod.PARTICLES: by_particles}
