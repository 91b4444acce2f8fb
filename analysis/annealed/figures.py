"""The group's tables, and its figures (module `drawing`)."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from ams.samplers.presets import SPECS, LineMethod
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams_suite.drawn import tabled
from analysis.annealed.drawing import figures as figures
from analysis.annealed.nfe_to_threshold import (
    ELSEWHERE,
    ELSEWHERE_W2,
    KL,
    LINE_ELSEWHERE,
    LINE_KL,
    LINE_W2,
    W2,
    Criterion,
    SpeedUp,
    curve,
    speed_ups,
)
from analysis.annealed.settings import BASELINE, PAPER, TABULATED, Settings
from verdicts import Table
from verdicts.records.figures import TableCell


def tables(settings: Settings) -> list[Table]:
    """Return evaluations to thresholds, for each target and error, and the speed-ups behind P2, P2c, P2d and B2."""
    everything = settings.tabulated or TABULATED
    # particles' own noise in the modes' weights would drown their W2
    header = ("NFE", *(f"{case.name}{', tuned' if tuned else ''}" for case, tuned in SPEED))
    known = [sampler for sampler in everything if SPECS[sampler].line_method is not LineMethod.PARTICLES]
    return [
        needed_table(settings, KL, everything, settings.kl, "needed_gaussian_kl"),
        needed_table(settings, W2, everything, settings.w2, "needed_gaussian_w2"),
        needed_table(settings, LINE_KL, everything, settings.line_kl, "needed_mixture_kl"),
        needed_table(settings, LINE_W2, known, settings.w2, "needed_mixture_w2"),
        tabled(speed_up, header, ("P2", "P2c", "P2d", "B2"), settings),
    ]


def needed_table(
    settings: Settings, case: Criterion, samplers: Sequence[str], errors: Sequence[float], name: str
) -> Table:
    """Return evaluations to each threshold, at the defaults and tuned; empty where the budgets do not reach it."""
    choices = [tuned for tuned in (False, True) if not tuned or case.budgets(settings, BASELINE, tuned)]
    columns, grid = list(product(choices, errors)), ""
    if len(choices) > 1:
        last, grid = max(case.budgets(settings, PAPER, True)), _grid(settings.on_the_line() if case.line else settings)
        grid = f" Tuned for each budget and error, up to {last} evaluations, over: {grid}."
    header = ("sampler", *(f"{error:g}{', tuned' if tuned else ''}" for tuned, error in columns))
    said = {"name": name, "case": case.name, "grid": grid}
    return tabled(needed, header, ("P2", "B1", "B2", "B3", "B4"), settings, case, samplers, columns, **said)


def needed(
    settings: Settings, case: Criterion, samplers: Sequence[str], columns: Sequence[tuple[bool, float]]
) -> Iterator[tuple[TableCell, ...]]:
    """{case}: score evaluations to each threshold, log-log between budgets; the smallest budget is an upper
    bound.{grid}
    """
    for sampler in samplers:
        yield sampler, *(_cell(curve(case, settings, sampler, tuned), error) for tuned, error in columns)


def _grid(settings: Settings) -> str:
    """Return what tuning tries, in words."""
    return (
        f"T in {_list(settings.repeats)} and NCSNv2's step times {_list((*settings.low_factors, *settings.factors))} "
        "(the smallest, "
        f"{_list(settings.low_factors)}, where drift or momentum is constant); snr in "
        f"{_list(settings.snrs)}; noise levels geometric or with EDM's exponent in {_list(settings.rhos[:-1])}; churn "
        f"in {_list(settings.churns)}; constant momentum in {_list(settings.betas)}; drift of consistent annealed "
        f"sampling, in units of the flow's, in {_list(settings.drift_scales)}; RK45 by its tolerance"
    )


def _cell(points: Iterable[tuple[float, float]], error: float) -> TableCell:
    evaluations = nfe_to_threshold(points, error)
    return round(evaluations) if math.isfinite(evaluations) else ""


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


SPEED = (*product((KL, W2, LINE_KL), (False, True)), *product((ELSEWHERE, ELSEWHERE_W2, LINE_ELSEWHERE), (True,)))
"""The columns of the table of speed-ups: a case, at the defaults or tuned."""


def speed_up(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """How many times as many evaluations annealed Langevin needs for the error of adaptive momentum, both at the
    defaults or both tuned: by the first budget, of those computed, at which it gets there. >: it does not get there
    within its budgets. Empty: that budget was not run.
    """
    columns = [{point.budget: _times(point) for point in speed_ups(case, settings, tuned)} for case, tuned in SPEED]
    known = {*settings.budgets, *settings.long, *settings.line_budgets, *settings.compared, *settings.elsewhere}
    for budget in sorted(known & {budget for column in columns for budget in column}):
        yield budget, *(column.get(budget, "") for column in columns)


def _times(point: SpeedUp) -> TableCell:
    return round(point.high, 2) if math.isfinite(point.high) else f"> {point.low:.1f}"
