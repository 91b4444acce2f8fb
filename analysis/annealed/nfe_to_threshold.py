"""Evaluations needed: errors against the budget on each target, the budget for a given error, and ratios of those."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ams.samplers.presets import DEFAULT, RK45, SPECS
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from analysis.annealed import gaussian, mixture, study
from analysis.annealed.gaussian import Run
from analysis.annealed.mixture import LineRun
from analysis.annealed.settings import BASELINE, PAPER, Settings


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


def default_line_run(settings: Settings, sampler: str, budget: int) -> LineRun:
    """Return a sampler's run on the mixture at a budget and the defaults."""
    return mixture.line_run(sampler, budget, DEFAULT, study.sizes_of(settings))


def _gaussian(name: str, error: Callable[[Run], float]) -> Case:
    return Case(
        name,
        error,
        lambda settings, sampler, budget: gaussian.runs(sampler, budget, (DEFAULT,))[0],
        lambda settings, sampler, budget: gaussian.runs(sampler, budget, settings.grid(SPECS[sampler])),
        lambda settings: gaussian.solver_runs(settings.tolerances),
        lambda settings, sampler: settings.budgets + (settings.long if sampler in settings.lasting else ()),
        lambda settings: settings.tuned,
        lambda settings: settings,
    )


def _mixture(name: str, error: Callable[[LineRun], float]) -> Case:
    def tuned(settings: Settings, sampler: str, budget: int) -> list[LineRun]:
        grid = study.stable_grid(settings, sampler, budget)
        return [mixture.line_run(sampler, budget, setting, study.sizes_of(settings)) for setting in grid]

    return Case(
        name,
        error,
        default_line_run,
        tuned,
        lambda settings: mixture.solver_runs(settings.tolerances, settings.nodes),
        lambda settings, sampler: settings.line_budgets + ((settings.line_long,) if sampler == BASELINE else ()),
        lambda settings: settings.line_tuned,
        Settings.on_the_line,
    )


def line_kl(run: LineRun) -> float:
    """Return KL of a run on the mixture (nats); an estimate below rounding counts as 1e-9."""
    return max(run.errors.kl.value, 1e-9)


def line_w2(run: LineRun) -> float:
    """Return W2 of a run on the mixture, infinite where it is not known."""
    return math.inf if run.errors.w2 is None else run.errors.w2


KL = _gaussian("Gaussian, KL", lambda run: run.errors.kl)
W2 = _gaussian("Gaussian, W2", lambda run: run.errors.w2)
LINE_KL = _mixture("mixture, KL", line_kl)
LINE_W2 = _mixture("mixture, W2", line_w2)


def curve(case: Case, settings: Settings, sampler: str, tuned: bool = False) -> Iterator[tuple[int, float]]:
    """Yield `(evaluations, error)` by ascending evaluations; what diverged is left out.

    Tuned: the least error over the grid, chosen anew for each budget and error.
    """
    for run in _runs(case, settings, sampler, tuned):
        if math.isfinite(error := case.error(run)):
            yield run.evaluations, error


def _runs(case: Case, settings: Settings, sampler: str, tuned: bool) -> Iterator[Any]:
    if sampler == RK45.name:
        yield from case.solver(settings)
    elif tuned:
        yield from (min(case.grid(settings, sampler, b), key=case.error) for b in case.tuned(settings))
    else:
        yield from (case.default(settings, sampler, b) for b in case.budgets(settings, sampler))


def error_at(case: Case, settings: Settings, budget: int, tuned: bool = False, sampler: str = PAPER) -> float:
    """Return a sampler's error at a budget."""
    runs = case.grid(settings, sampler, budget) if tuned else [case.default(settings, sampler, budget)]
    return min(case.error(run) for run in runs)


def speed_up(case: Case, settings: Settings, budget: int, tuned: bool = False) -> float:
    """Return annealed Langevin's evaluations for the error that adaptive momentum has at `budget`, over `budget`.

    Infinite where annealed Langevin does not get there within its budgets.
    """
    error = error_at(case, settings, budget, tuned)
    return nfe_to_threshold(curve(case, settings, BASELINE, tuned), error) / budget
