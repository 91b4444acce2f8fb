"""Evaluations needed: errors against the budget on each target, the budget for a given error, and ratios of those."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ams.samplers.presets import DEFAULT, RK45, SPECS
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from analysis.annealed import gaussian, mixture, study
from analysis.annealed.mixture import LineRun
from analysis.annealed.settings import BASELINE, PAPER, Settings


class Case(NamedTuple):
    """A target and an error, `error(run)`: the Gaussian, or the mixture on the `line`."""

    name: str
    error: Callable[[Any], float]
    line: bool = False

    def budgets(self, settings: Settings, sampler: str, tuned: bool = False) -> tuple[int, ...]:
        """Return the budgets at which a sampler is run, at the defaults or tuned."""
        if tuned:
            return settings.line_tuned if self.line else settings.tuned
        if self.line:
            return settings.line_budgets + ((settings.line_long,) if sampler == BASELINE else ())
        return settings.budgets + (settings.long if sampler in settings.lasting else ())

    def runs(self, settings: Settings, sampler: str, budget: int, tuned: bool = False) -> Sequence[Any]:
        """Return a sampler's runs at a budget: one at the defaults, or one for each setting that tuning tries."""
        if not self.line:
            return gaussian.runs(sampler, budget, settings.grid(SPECS[sampler]) if tuned else (DEFAULT,))
        tried = study.stable_grid(settings, sampler, budget) if tuned else [DEFAULT]
        return [mixture.line_run(sampler, budget, setting, study.sizes_of(settings)) for setting in tried]


def default_line_run(settings: Settings, sampler: str, budget: int) -> LineRun:
    """Return a sampler's run on the mixture at a budget and the defaults."""
    return mixture.line_run(sampler, budget, DEFAULT, study.sizes_of(settings))


def line_kl(run: LineRun) -> float:
    """Return KL of a run on the mixture (nats); an estimate below rounding counts as 1e-9."""
    return max(run.errors.kl.value, 1e-9)


def line_w2(run: LineRun) -> float:
    """Return W2 of a run on the mixture, infinite where it is not known."""
    return math.inf if run.errors.w2 is None else run.errors.w2


KL = Case("Gaussian, KL", lambda run: run.errors.kl)
W2 = Case("Gaussian, W2", lambda run: run.errors.w2)
LINE_KL = Case("mixture, KL", line_kl, line=True)
LINE_W2 = Case("mixture, W2", line_w2, line=True)


def curve(case: Case, settings: Settings, sampler: str, tuned: bool = False) -> Iterator[tuple[int, float]]:
    """Yield `(evaluations, error)` by ascending evaluations; what diverged is left out.

    Tuned: the least error over the grid, chosen anew for each budget and error.
    """
    tolerances, budgets = settings.tolerances, case.budgets(settings, sampler, tuned)
    runs: Iterable[Any] = (min(case.runs(settings, sampler, b, tuned), key=case.error) for b in budgets)
    if sampler == RK45.name:
        runs = mixture.solver_runs(tolerances, settings.nodes) if case.line else gaussian.solver_runs(tolerances)
    for run in runs:
        if math.isfinite(error := case.error(run)):
            yield run.evaluations, error


def error_at(case: Case, settings: Settings, budget: int, tuned: bool = False, sampler: str = PAPER) -> float:
    """Return a sampler's error at a budget."""
    return min(case.error(run) for run in case.runs(settings, sampler, budget, tuned))


def speed_up(case: Case, settings: Settings, budget: int, tuned: bool = False) -> float:
    """Return annealed Langevin's evaluations for the error that adaptive momentum has at `budget`, over `budget`.

    Infinite where annealed Langevin does not get there within its budgets.
    """
    error = error_at(case, settings, budget, tuned)
    return nfe_to_threshold(curve(case, settings, BASELINE, tuned), error) / budget
