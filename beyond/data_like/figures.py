"""The group's figure and table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import budget_ticks, error_against_nfe, legend_above, panels, reference_line
from ams_suite.drawn import save_drawn, tabled
from beyond.data_like import checks
from beyond.data_like.settings import HEADLINE, SAMPLERS, Settings
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

CLAIMS = ("J1", "J2", "J6")
SHOWN = (
    *("annealed Langevin", "adaptive momentum", "constant momentum", "PC, adaptive", "reverse diffusion"),
    *("DPM-Solver++", "SDE-DPM-Solver++", "annealed BAOAB, e = 1/2"),
)
PANELS = {0: "Exact score", 3: "Score error 0.2 (random features)", 5: "Fitted score (error 0.2 to 0.6)"}
HEADER = (
    *("target", "sampler", "exact", "+-", "features 0.2", "+-", "fitted", "+-"),
    *("within modes", "rare modes", "dead variance"),
)
LEAST = 0.02
"""Errors below are drawn there: samples of this size see no less."""


def if_your_score_is_this_good(settings: Settings) -> Drawing:
    """The better the score, the more the sampler matters. Error in standard deviations of the target, root mean square
    over the targets, against score evaluations. With the exact score DPM-Solver++ is right from 20 evaluations on. With
    a score error it keeps the score's own error, and samplers that add noise, or momentum, gather more of it with more
    evaluations. Errors below 0.02 are drawn there.
    """
    drawing, panes = panels(len(PANELS), 2.3, sharex=True, sharey=True)
    for axes, (number, title) in zip(panes, PANELS.items(), strict=True):
        curves = {sampler: [(n, _error(settings, sampler, n, number)) for n in settings.budgets] for sampler in SHOWN}
        error_against_nfe(axes, curves)
        reference_line(axes, 0.05, "5 %", right=False)
        axes.set(ylabel="error", ylim=(LEAST / 1.2, 1.2), title=title if number else None)
        budget_ticks(axes, settings.budgets)
    legend_above(panes[0], title=PANELS[0])
    return drawing


def errors_at_50(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Errors at 50 evaluations with three scores, in the target's variance, with the half-width of 99 % intervals; with
    the exact score the error within modes, in the mode's variance, the weight of the modes below 0.05 and the variance
    in dead directions, both over the target's.
    """
    for name in settings.targets:
        for sampler in SAMPLERS:
            cells: list[TableCell] = [name, sampler]
            for number in PANELS:
                measured = checks.error(settings, name, sampler, HEADLINE, number)
                cells += [measured.value, measured.value - measured.interval[0]]
            exact = (checks.error_within_modes, checks.rare_weight, checks.dead_variance)
            yield *cells, *(measure(settings, name, sampler, HEADLINE).value for measure in exact)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figure."""
    return save_drawn({if_your_score_is_this_good: CLAIMS}, folder, settings)


def tables(settings: Settings) -> list[Table]:
    """Return the errors at 50 evaluations."""
    return [tabled(errors_at_50, HEADER, CLAIMS, settings)]


def _error(settings: Settings, sampler: str, budget: int, number: int) -> float:
    """Return the root mean square error over the targets, in their standard deviations."""
    every = [np.mean(checks.errors(settings, name, sampler, budget, number)) for name in settings.targets]
    return float(np.sqrt(max(float(np.mean(every)), LEAST**2)))
