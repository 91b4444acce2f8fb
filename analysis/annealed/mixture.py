"""Target 2, a mixture on the line: the grid law, a transport, or particles, as the sampler's kind asks."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from ams.grid_function import GridFunction
from ams.laws.grid import GridLaw
from ams.metrics.density import half_line, line_w2
from ams.samplers import NonFiniteState, Program, State, flow_rk45, run
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams.statistics import Interval, jackknife_interval
from ams.targets import GaussianMixture
from analysis.annealed.counting import ended
from analysis.annealed.particles import Batches, averaged, divergence, smoothed
from analysis.annealed.samplers import DEFAULT, SAMPLERS, Hyperparameters, Kind, Sampler, SigmaRange, ladder
from analysis.annealed.settings import Settings
from analysis.annealed.transport import Nodes, Transported, transport_kl, transport_w2
from analysis.targets import two_modes

ENDS = SigmaRange(20.0, 0.02)
SPREAD, MINORITY = 0.1, 0.3
CONFIDENCE = 1 - 1e-6
_LAST = Level(0, sigma=ENDS.last)
_BANDWIDTH = 0.1 * SPREAD  # adds 1 % to a mode's variance: 2.5e-5 nats


class LineErrors(NamedTuple):
    """What a run on the mixture is judged by: intervals, points where the law is exact.

    `kl` KL(law || target at the last level), nats; `minority` the probability left of 0; `w2` None for particles, whose
    own noise in the modes' weights would drown it.
    """

    kl: Interval
    minority: Interval
    w2: float | None


class LineRun(NamedTuple):
    """One setting of a sampler, the evaluations it took and its errors (infinite where it diverged)."""

    choice: Hyperparameters
    evaluations: int
    errors: LineErrors


_NO_END = Interval(math.inf, math.inf, math.inf, 0)
LOST = LineErrors(_NO_END, _NO_END, math.inf)


@cache
def target() -> GaussianMixture:
    """Return the mixture .3/.7 at -1/+1 with modes of standard deviation 0.1."""
    return two_modes(SPREAD, MINORITY)


@cache
def exact() -> GridFunction:
    """Return the target's density at the last level."""
    return GridLaw(target()).exact(_LAST)


def log_density(x: np.ndarray) -> np.ndarray:
    """Return the target's log-density at the last level."""
    return target().log_density(torch.from_numpy(x)[:, None], _LAST).numpy()


@cache
def default_line_run(settings: Settings, sampler: str, budget: int) -> LineRun:
    """Return a sampler's run at a budget and the defaults."""
    found = SAMPLERS[sampler]
    return line_run(settings, found.kind, DEFAULT, found.program(ENDS, budget, DEFAULT))


@cache
def tuned_line_runs(settings: Settings, sampler: str, budget: int) -> list[LineRun]:
    """Return a sampler's runs at a budget over its grid of settings, the defaults among them."""
    found = SAMPLERS[sampler]
    choices = [c for c in dict.fromkeys([DEFAULT, *found.tuning(settings.on_the_line())]) if stable(found, budget, c)]
    return [line_run(settings, found.kind, choice, found.program(ENDS, budget, choice)) for choice in choices]


def stable(sampler: Sampler, budget: int, choice: Hyperparameters) -> bool:
    """Tell whether an annealed run's step, with the sampler's drift, is stable on a point target: `drift u < 1.9`."""
    _, epsilon = ladder(ENDS, budget // choice.repeats, choice.repeats)
    return not sampler.stacks or sampler.drift * choice.factor * epsilon < 1.9 * ENDS.last**2


@cache
def solver_line_runs(settings: Settings) -> list[LineRun]:
    """Return the probability flow by RK45, a run a tolerance, from the loosest to the tightest."""
    nodes = Nodes(target(), ENDS.first, settings.nodes)
    found = ((t, *flow_rk45(nodes.start(), nodes.score, *ENDS, rtol=t, atol=t)) for t in settings.tolerances)
    return [LineRun(Hyperparameters(tolerance=t), count, transported(nodes.end(rows))) for t, rows, count in found]


def line_run(settings: Settings, kind: Kind, choice: Hyperparameters, program: Program) -> LineRun:
    """Return one run, by the method of its kind."""
    try:
        return LineRun(choice, *_METHODS[kind](settings, program))
    except NonFiniteState:
        return LineRun(choice, 0, LOST)


def by_grid(settings: Settings, program: Program) -> tuple[int, LineErrors]:
    """Return evaluations and errors of the grid law."""
    law = GridLaw(target())
    start = law.start_normal(0.0, ENDS.first)
    state, evaluations = ended(law.run(program, start), start)
    found = law.density(state)
    return evaluations, _known(divergence(found, log_density), half_line(found), line_w2(found, exact()))


def by_transport(settings: Settings, program: Program) -> tuple[int, LineErrors]:
    """Return evaluations and errors of moved quantiles."""
    found, evaluations = Nodes(target(), ENDS.first, settings.nodes).run(program)
    return evaluations, transported(found)


def transported(found: Transported) -> LineErrors:
    """Return the errors of moved quantiles; KL is an upper bound where the map folds the line."""
    w2 = transport_w2(found, exact())
    return _known(transport_kl(found, target(), _LAST), float((found.x < 0).mean()), w2)


def by_particles(settings: Settings, program: Program, coupled: int = 0) -> tuple[int, LineErrors]:
    """Return evaluations and errors of independent batches, with jackknife intervals; `coupled` as in `particles`."""
    x, evaluations = particles(settings, program, coupled)
    curves = smoothed(x, _BANDWIDTH)
    without = [averaged([*curves[:i], *curves[i + 1 :]]) for i in range(len(curves))]
    kl = jackknife_interval(
        divergence(averaged(curves), log_density), [divergence(c, log_density) for c in without], CONFIDENCE
    )
    left = (x < 0).mean(1)
    others = [np.delete(left, i).mean() for i in range(len(left))]
    return evaluations, LineErrors(kl, jackknife_interval(left.mean(), others, CONFIDENCE), None)


def particles(settings: Settings, program: Program, coupled: int = 0) -> tuple[np.ndarray, int]:
    """Return the ends of a program's particles (batches, batch) and the evaluations.

    Norms are means over `coupled` samples, a divisor of the batch; 0 stands for the batch.
    """
    generator, algebra = torch.Generator().manual_seed(settings.seed), Batches(coupled or settings.batch)
    count, noise = settings.batch * settings.batches, generated(generator, algebra.empty_like)
    start = State(ENDS.first * torch.randn(count, 1, dtype=torch.float64, generator=generator))
    state, evaluations = ended(run(program, start, target().score, noise, algebra), start)
    return state.x.reshape(settings.batches, -1).numpy().copy(), evaluations


def _known(kl: float, minority: float, w2: float) -> LineErrors:
    return LineErrors(Interval(kl, kl, kl, 1), Interval(minority, minority, minority, 1), w2)


_METHODS = {Kind.KERNEL: by_grid, Kind.MAP: by_transport, Kind.PATH: by_particles}
