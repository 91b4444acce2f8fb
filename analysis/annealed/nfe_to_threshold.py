"""Evaluations needed: errors against the budget on each target, the budget for a given error, and
ratios of those.

Both samplers are tuned on the target, or on other targets of its kind: what tuning is worth where
the target is not available for it. The other mixtures have narrower and wider modes than the
target's, and other weights, on either side of its own. A setting is chosen for each budget, over
the target's own grid, by the least product of both KLs, as on Gaussians of other condition numbers;
adaptive momentum's by particles. The chosen ones stand here: no run on the target has entered them.
Chosen on one mixture and judged on the other, adaptive momentum is 1.9 and 2.9 times as fast at 40
evaluations.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ams.errors import UserError
from ams.samplers.presets import DEFAULT, RK45, SPECS, Family, Hyperparameters
from ams.statistics.nfe_to_threshold import budgets_around
from ams.statistics.tuning import optima_on_edge
from analysis.annealed import gaussian, mixture
from analysis.annealed.gaussian import SIGMAS
from analysis.annealed.mixture import LineRun
from analysis.annealed.particles import Sizes
from analysis.annealed.settings import BASELINE, LARGEST_STEP, NATURAL, PAPER, Settings

CHOSEN: dict[str, dict[int, tuple[float, int]]] = {
    BASELINE: {20: (2.0, 1), 40: (4.0, 1), 60: (4.0, 1), 100: (4.0, 2), 200: (8.0, 1)},
    PAPER: {20: (2.0, 2), 40: (2.0, 2), 60: (1.0, 2), 100: (0.5, 2)},
}
"""`factor` and `repeats` that were chosen for each budget; a test chooses again those that
decide P2b.
"""


def sizes_of(settings: Settings) -> Sizes:
    """Return how finely distributions on the mixture are represented."""
    return Sizes(settings.batch, settings.batches, settings.nodes, settings.seed)


def judged(settings: Settings) -> Settings:
    """Return the settings of the runs that judge P2a and P2b: with more batches of particles."""
    return settings.model_copy(update={"batches": settings.judged})


def grid(settings: Settings, sampler: str, budget: int) -> tuple[Hyperparameters, ...]:
    """Return what tuning tries on the Gaussian: T that divide the budget, two noise levels at
    least, smaller steps.
    """
    spec = SPECS[sampler]
    tried = settings.grid(spec)
    if spec.family is not Family.ANNEALED:
        return tried
    divided = (one for one in tried if budget % one.repeats == 0 and budget >= 2 * one.repeats)
    return tuple(one for one in divided if mixture.last_step(SIGMAS, budget, one) < LARGEST_STEP)


def line_grid(settings: Settings, sampler: str) -> tuple[Hyperparameters, ...]:
    """Return what tuning tries on the mixture."""
    return settings.on_the_line().grid(SPECS[sampler])


def chosen(sampler: str, budget: int) -> Hyperparameters:
    """Return the setting that was chosen for a budget. Raises UserError for a budget at which
    none was.
    """
    settings = CHOSEN[sampler]
    if budget not in settings:
        raise UserError(
            f"{sampler} was tuned on other mixtures at {list(settings)} "
            f"evaluations, not at {budget}"
        )
    factor, repeats = settings[budget]
    return DEFAULT._replace(factor=factor, repeats=repeats)


class Criterion(NamedTuple):
    """A target and an error, `error(run)`: the Gaussian, or the mixture on the `line`.

    `conditions` are those of other Gaussians, on which the hyperparameters are tuned; `others` says
    that it was on other mixtures. Without either it is the target itself.
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
        far = (*settings.compared, *settings.compared_long) if baseline else ()
        if self.conditions:
            most = 4 * max(settings.elsewhere, default=0)
            near = (each for each in far if each <= most)
            return tuple(sorted({*settings.elsewhere, *near})) if tuned and paired else ()
        if tuned and self.line:
            known = (*settings.line_tuned, *(settings.line_tuned_long if baseline else ()))
            return known if paired and self.can_tune else ()
        if tuned:
            return tuple(sorted({*settings.tuned, *(settings.compared if paired else ()), *far}))
        if self.others:
            return ()
        if self.line:
            return settings.line_budgets + ((settings.line_long,) if baseline else ())
        lasting = settings.long if sampler in settings.lasting else ()
        return tuple(sorted({*settings.budgets, *settings.at_every(sampler), *lasting}))

    def compared(self, settings: Settings, tuned: bool = False) -> tuple[int, ...]:
        """Return adaptive momentum's budgets at which annealed Langevin is compared with it."""
        own = not (self.line or self.conditions)
        return settings.compared if tuned and own else self.budgets(settings, PAPER, tuned)

    def runs(
        self, settings: Settings, sampler: str, budget: int, tuned: bool = False
    ) -> Sequence[Any]:
        """Return a sampler's runs at a budget: one at the defaults, or those among which tuning
        chooses.
        """
        sizes = sizes_of(settings)
        if self.others:
            return [mixture.line_run(sampler, budget, chosen(sampler, budget), sizes)]
        if self.line and tuned:
            return [mixture.tuned_run(sampler, budget, line_grid(settings, sampler), sizes)]
        if self.line:
            return [default_line_run(settings, sampler, budget)]
        together = settings.at_every(sampler)
        if not tuned and budget in together:
            errors = gaussian.errors_at_defaults(sampler, together)[together.index(budget)]
            return [gaussian.GaussianRun(DEFAULT, budget, errors)]
        tried = grid(settings, sampler, budget) if tuned else (DEFAULT,)
        runs = gaussian.runs(sampler, budget, tried)
        if not self.conditions:
            return runs
        others = zip(
            *(gaussian.runs(sampler, budget, tried, at) for at in self.conditions), strict=True
        )
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


KL = Criterion("Gaussian, KL", lambda run: run.errors.kl)
W2 = Criterion("Gaussian, W2", lambda run: run.errors.w2)
ELSEWHERE = KL._replace(name="Gaussian, KL, on others", conditions=(100.0, 10_000.0))
ELSEWHERE_W2 = W2._replace(name="Gaussian, W2, on others", conditions=ELSEWHERE.conditions)
LINE_KL = Criterion("mixture, KL", line_kl, line=True)
LINE_ELSEWHERE = LINE_KL._replace(name="mixture, KL, on others", others=True)
LINE_W2 = Criterion("mixture, W2", line_w2, line=True, can_tune=False)


def curve(
    case: Criterion, settings: Settings, sampler: str, tuned: bool = False
) -> Iterator[tuple[int, float]]:
    """Yield `(evaluations, error)` by ascending evaluations; what diverged is left out.

    Tuned: the least error over the grid, chosen anew for each budget and error.
    """
    tolerances, budgets = settings.tolerances, case.budgets(settings, sampler, tuned)
    runs: Iterable[Any] = (
        min(case.runs(settings, sampler, b, tuned), key=case.error) for b in budgets
    )
    if sampler == RK45.name:
        runs = (
            mixture.solver_runs(tolerances, settings.nodes)
            if case.line
            else gaussian.solver_runs(tolerances)
        )
    for run in runs:
        if math.isfinite(error := case.error(run)):
            yield run.evaluations, error


def error_at(
    case: Criterion, settings: Settings, budget: int, tuned: bool = False, sampler: str = PAPER
) -> float:
    """Return a sampler's error at a budget."""
    return min(case.error(run) for run in case.runs(settings, sampler, budget, tuned))


class SpeedUp(NamedTuple):
    """Annealed Langevin's evaluations for the error that adaptive momentum has at `budget`, over
    `budget`.

    They are at least `low` and at most `high`, by the budgets computed around that error. Where all
    budgets that exist are computed the two are equal. Where no computed budget is enough `high` is
    infinite.
    """

    budget: int
    low: float
    high: float


def needed(
    points: Iterable[tuple[float, float]], error: float, tuned: bool = False
) -> tuple[float, float]:
    """Return the least and the most evaluations that a sampler, by its curve `points`, may need for
    an error.

    At the defaults they are multiples of T.
    """
    before, enough = budgets_around(points, error)
    return min(before + (1 if tuned else DEFAULT.repeats), enough), enough


def speed_ups(case: Criterion, settings: Settings, tuned: bool = False) -> list[SpeedUp]:
    """Return the speed-up at each budget at which the two samplers are compared."""
    budgets = case.compared(settings, tuned)
    points = list(curve(case, settings, BASELINE, tuned)) if budgets else []
    errors = [(budget, error_at(case, settings, budget, tuned)) for budget in budgets]
    spans = [(budget, *needed(points, error, tuned)) for budget, error in errors]
    return [SpeedUp(budget, low / budget, high / budget) for budget, low, high in spans]


def stretch(points: Sequence[SpeedUp], least: float = 2.0) -> list[SpeedUp]:
    """Return the neighbouring budgets, around that of the largest speed-up, whose speed-ups are
    at least `least`.
    """
    groups = (
        list(group) for enough, group in groupby(points, lambda point: point.low >= least) if enough
    )
    return max(groups, key=lambda group: max(point.low for point in group), default=[])


def edges(case: Criterion, settings: Settings, sampler: str) -> list[str]:
    """Return where a tuned optimum has no tried neighbour on one side, natural bounds aside
    (`settings.NATURAL`).
    """
    ends: list[str] = []
    for budget in case.budgets(settings, sampler, tuned=True):
        best = min(case.runs(settings, sampler, budget, tuned=True), key=case.error).hyperparameters
        tried = line_grid(settings, sampler) if case.line else grid(settings, sampler, budget)
        grids = {
            name: [
                getattr(one, name)
                for one in tried
                if one._replace(**{name: getattr(best, name)}) == best
            ]
            for name in SPECS[sampler].tuned
        }
        ends += optima_on_edge(
            grids, {f"{sampler}, {case.name}, NFE {budget}": best._asdict()}, NATURAL
        )
    return ends
