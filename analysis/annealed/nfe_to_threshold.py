"""Evaluations needed: errors against the budget, the budget at which they fall to a value, and ratios of budgets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from analysis.annealed import gaussian
from analysis.annealed import mixture as line
from analysis.annealed.settings import Settings

RK45 = "RK45 ODE"
BASELINE, PAPER = "annealed Langevin", "adaptive momentum"


class Point(NamedTuple):
    """A run's evaluations and its error."""

    evaluations: int
    error: float


class Case(NamedTuple):
    """A target and an error, `error(run)`; the runs behind it, budgets at the defaults and tuned, the grid searched."""

    name: str
    error: Callable[[Any], float]
    default: Callable[[Settings, str, int], Any]
    grid: Callable[[Settings, str, int], Sequence[Any]]
    solver: Callable[[Settings], Sequence[Any]]
    budgets: Callable[[Settings, str], Sequence[int]]
    tuned: Callable[[Settings], Sequence[int]]
    searched: Callable[[Settings], Settings]


def _gaussian(name: str, error: Callable[[gaussian.Run], float]) -> Case:
    return Case(
        name,
        error,
        lambda settings, sampler, budget: gaussian.default_run(sampler, budget),
        lambda settings, sampler, budget: gaussian.tuned_runs(settings, sampler, budget),
        lambda settings: gaussian.solver_runs(settings.tolerances),
        lambda settings, sampler: settings.budgets + (settings.long if sampler in settings.lasting else ()),
        lambda settings: settings.tuned,
        lambda settings: settings,
    )


def _mixture(name: str, error: Callable[[line.LineRun], float]) -> Case:
    return Case(
        name,
        error,
        lambda settings, sampler, budget: line.default_line_run(settings, sampler, budget),
        lambda settings, sampler, budget: line.tuned_line_runs(settings, sampler, budget),
        line.solver_line_runs,
        lambda settings, sampler: settings.line_budgets + ((settings.line_long,) if sampler == BASELINE else ()),
        lambda settings: settings.line_tuned,
        Settings.on_the_line,
    )


def line_kl(run: line.LineRun) -> float:
    """Return KL of a run on the mixture (nats); an estimate below rounding counts as 1e-9."""
    return max(run.errors.kl.value, 1e-9)


def line_w2(run: line.LineRun) -> float:
    """Return W2 of a run on the mixture, infinite where it is not known."""
    return math.inf if run.errors.w2 is None else run.errors.w2


KL = _gaussian("Gaussian, KL", lambda run: run.errors.kl)
W2 = _gaussian("Gaussian, W2", lambda run: run.errors.w2)
LINE_KL = _mixture("mixture, KL", line_kl)
LINE_W2 = _mixture("mixture, W2", line_w2)


def track(case: Case, settings: Settings, sampler: str, tuned: bool = False) -> Iterator[Point]:
    """Yield errors by ascending evaluations, each run only when asked for; what diverged is left out.

    Tuned: the least error over the grid, chosen anew for each budget and error.
    """
    for run in _runs(case, settings, sampler, tuned):
        if math.isfinite(error := case.error(run)):
            yield Point(run.evaluations, error)


def _runs(case: Case, settings: Settings, sampler: str, tuned: bool) -> Iterator[Any]:
    if sampler == RK45:
        yield from case.solver(settings)
    elif tuned:
        yield from (min(case.grid(settings, sampler, b), key=case.error) for b in case.tuned(settings))
    else:
        yield from (case.default(settings, sampler, b) for b in case.budgets(settings, sampler))


def needed(points: Iterable[Point], error: float) -> float:
    """Return the evaluations at which the error first falls to `error`: log-log between budgets, infinite if never.

    Where the smallest budget is enough already that is returned, an upper bound.
    """
    before = None
    for point in points:
        if point.error <= error:
            return point.evaluations if before is None else _between(before, point, error)
        before = point
    return math.inf


def _between(before: Point, after: Point, error: float) -> float:
    share = math.log(before.error / error) / math.log(before.error / after.error)
    return before.evaluations * (after.evaluations / before.evaluations) ** share


def speed_up(case: Case, settings: Settings, budget: int, tuned: bool = False, sampler: str = PAPER) -> float:
    """Return annealed Langevin's evaluations for the error that `sampler` has at `budget`, over `budget`.

    Infinite where annealed Langevin does not get there within its budgets.
    """
    error = reached(case, settings, budget, tuned, sampler)
    return needed(track(case, settings, BASELINE, tuned), error) / budget


def reached(case: Case, settings: Settings, budget: int, tuned: bool = False, sampler: str = PAPER) -> float:
    """Return a sampler's error at a budget."""
    runs = case.grid(settings, sampler, budget) if tuned else [case.default(settings, sampler, budget)]
    return min(case.error(run) for run in runs)
