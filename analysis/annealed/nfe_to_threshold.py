"""Evaluations needed: errors against the budget on each target, the budget for a given error, and ratios of those."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ams.samplers.presets import DEFAULT, RK45, SPECS, Family, Hyperparameters
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams.statistics.tuning import optima_on_edge
from analysis.annealed import gaussian, mixture, other_mixtures
from analysis.annealed.gaussian import SIGMAS
from analysis.annealed.mixture import LineRun
from analysis.annealed.particles import Sizes
from analysis.annealed.settings import BASELINE, LARGEST_STEP, NATURAL, PAPER, Settings


def sizes_of(settings: Settings) -> Sizes:
    """Return how finely distributions on the mixture are represented."""
    return Sizes(settings.batch, settings.batches, settings.nodes, settings.seed)


def judged(settings: Settings) -> Settings:
    """Return the settings of the runs that judge P2a and P2b: with more batches of particles."""
    return settings.model_copy(update={"batches": settings.judged})


def grid(settings: Settings, sampler: str, budget: int) -> tuple[Hyperparameters, ...]:
    """Return what tuning tries on the Gaussian: T that divide the budget, two noise levels at least, smaller steps."""
    spec = SPECS[sampler]
    tried = settings.grid(spec)
    if spec.family is not Family.ANNEALED:
        return tried
    divided = (one for one in tried if budget % one.repeats == 0 and budget >= 2 * one.repeats)
    return tuple(one for one in divided if mixture.last_step(SIGMAS, budget, one) < LARGEST_STEP)


def line_grid(settings: Settings, sampler: str) -> tuple[Hyperparameters, ...]:
    """Return what tuning tries on the mixture."""
    return settings.on_the_line().grid(SPECS[sampler])


class Case(NamedTuple):
    """A target and an error, `error(run)`: the Gaussian, or the mixture on the `line`.

    `conditions` are those of other Gaussians, on which the hyperparameters are tuned; `others` says that it was on
    other mixtures. Without either it is the target itself.
    """

    name: str
    error: Callable[[Any], float]
    line: bool = False
    conditions: tuple[float, ...] = ()
    others: bool = False
    can_tune: bool = True

    def budgets(self, settings: Settings, sampler: str, tuned: bool = False) -> tuple[int, ...]:
        """Return the budgets at which a sampler is run, at the defaults or tuned."""
        paired, baseline = sampler in (BASELINE, PAPER), sampler == BASELINE
        if self.conditions:
            known = (*settings.elsewhere, *(settings.tuned_long if baseline else ()))
            return tuple(sorted(known)) if tuned and paired else ()
        if tuned and self.line:
            known = (*settings.line_tuned, *(settings.line_tuned_long if baseline else ()))
            return known if paired and self.can_tune else ()
        if tuned:
            return tuple(sorted(settings.tuned + (settings.tuned_long if baseline else ())))
        if self.others:
            return ()
        if self.line:
            return settings.line_budgets + ((settings.line_long,) if baseline else ())
        known = settings.budgets + (settings.between if paired else ())
        return tuple(sorted(known)) + (settings.long if sampler in settings.lasting else ())

    def runs(self, settings: Settings, sampler: str, budget: int, tuned: bool = False) -> Sequence[Any]:
        """Return a sampler's runs at a budget: one at the defaults, or those among which tuning chooses."""
        sizes = sizes_of(settings)
        if self.others:
            return [mixture.line_run(sampler, budget, other_mixtures.chosen(sampler, budget), sizes)]
        if self.line and tuned:
            return [mixture.tuned_run(sampler, budget, line_grid(settings, sampler), sizes)]
        if self.line:
            return [default_line_run(settings, sampler, budget)]
        tried = grid(settings, sampler, budget) if tuned else (DEFAULT,)
        runs = gaussian.runs(sampler, budget, tried)
        if not self.conditions:
            return runs
        others = zip(*(gaussian.runs(sampler, budget, tried, at) for at in self.conditions), strict=True)
        scores = [math.prod(self.error(run) for run in ends) for ends in others]
        return [runs[scores.index(min(scores))]]


def default_line_run(settings: Settings, sampler: str, budget: int) -> LineRun:
    """Return a sampler's run on the mixture at a budget and the defaults."""
    return mixture.line_run(sampler, budget, DEFAULT, sizes_of(settings))


def line_kl(run: LineRun) -> float:
    """Return KL of a run on the mixture (nats); an estimate below rounding counts as 1e-9."""
    return max(run.errors.kl.value, 1e-9)


def line_w2(run: LineRun) -> float:
    """Return W2 of a run on the mixture, infinite where it is not known."""
    return math.inf if run.errors.w2 is None else run.errors.w2


KL = Case("Gaussian, KL", lambda run: run.errors.kl)
W2 = Case("Gaussian, W2", lambda run: run.errors.w2)
ELSEWHERE = KL._replace(name="Gaussian, KL, on others", conditions=(100.0, 10_000.0))
LINE_KL = Case("mixture, KL", line_kl, line=True)
LINE_ELSEWHERE = LINE_KL._replace(name="mixture, KL, on others", others=True)
LINE_W2 = Case("mixture, W2", line_w2, line=True, can_tune=False)


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


def speed_ups(case: Case, settings: Settings, tuned: bool = False) -> list[tuple[int, float]]:
    """Return `speed_up` at each of adaptive momentum's budgets, as pairs `(budget, speed-up)`."""
    return [(budget, speed_up(case, settings, budget, tuned)) for budget in case.budgets(settings, PAPER, tuned)]


def window(points: Sequence[tuple[float, float]], low: float = 2.0, high: float = 5.0) -> tuple[float, float]:
    """Return the ends of the first stretch of budgets whose speed-up is between `low` and `high`, log-log interpolated.

    Where there is none, they are the largest and the smallest budget. Infinite speed-ups count as 1e6.
    """
    budgets, ratios = np.log(np.minimum(np.array(points), 1e6)).T
    fine = np.linspace(budgets[0], budgets[-1], 20_001)
    inside = np.abs(np.interp(fine, budgets, ratios) - math.log(low * high) / 2) <= math.log(high / low) / 2
    if not inside.any():
        return max(points)[0], min(points)[0]
    first = int(inside.argmax())
    length = int(np.append(inside[first:], False).argmin())
    return round(math.exp(fine[first]), 6), round(math.exp(fine[first + length - 1]), 6)


def edges(case: Case, settings: Settings, sampler: str) -> list[str]:
    """Return where a tuned optimum has no tried neighbour on one side, natural bounds aside (`settings.NATURAL`)."""
    ends: list[str] = []
    for budget in case.budgets(settings, sampler, tuned=True):
        best = min(case.runs(settings, sampler, budget, tuned=True), key=case.error).hyperparameters
        tried = line_grid(settings, sampler) if case.line else grid(settings, sampler, budget)
        names = SPECS[sampler].tuned
        grids = {
            name: [getattr(one, name) for one in tried if one._replace(**{name: getattr(best, name)}) == best]
            for name in names
        }
        ends += optima_on_edge(grids, {f"{sampler}, {case.name}, NFE {budget}": best._asdict()}, NATURAL)
    return ends
