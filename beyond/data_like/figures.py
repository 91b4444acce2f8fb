"""The group's figure and table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import budget_ticks, error_against_nfe, legend_above, panels, reference_line
from ams_suite.drawn import save_drawn, tabled
from beyond.data_like import checks
from beyond.data_like.settings import HEADLINE, LONG, SAMPLERS, Settings
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

CLAIMS = ("J2", "J2a", "J3", "J5")
HEADER = (
    "evaluations",
    "sampler",
    "error",
    "+-",
    "weight of rare modes",
    "variance in dead directions",
)
LEAST = 0.02
"""Errors below are drawn there: samples of this size see no less."""


def errors_by_budget(settings: Settings) -> Drawing:
    """Adaptive momentum helps at small budgets and harms at large ones. A larger drift without
    momentum, run up to 300 evaluations, and ancestral sampling have less error. Error in standard
    deviations of the target against score evaluations, with the exact score. Errors below 0.02 are
    drawn there.
    """
    drawing, (axes,) = panels(1, 2.4)
    curves = {
        name: [(n, _drawn(settings, name, n)) for n in settings.budgets_of(name)]
        for name in SAMPLERS
    }
    error_against_nfe(axes, curves)
    reference_line(axes, 0.05, "5 %", right=False)
    axes.set(ylabel="error", ylim=(LEAST / 1.2, 1.2))
    budget_ticks(axes, settings.budgets)
    legend_above(axes)
    return drawing


def _drawn(settings: Settings, sampler: str, budget: int) -> float:
    """Return the root of the mean squared error, in the target's standard deviations."""
    return float(np.sqrt(max(checks.error(settings, sampler, budget).value, LEAST**2)))


def errors(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Errors in the target's variance, with the half-width of 99 % intervals; the weight of the
    modes below 0.05 and the variance in dead directions, both over the target's.
    """
    for budget in (HEADLINE, LONG):
        for sampler in (name for name in SAMPLERS if budget in settings.budgets_of(name)):
            measured = checks.error(settings, sampler, budget)
            rare = checks.rare_weight(settings, sampler, budget)
            dead = checks.dead_variance(settings, sampler, budget)
            width = measured.value - measured.interval[0]
            yield budget, sampler, measured.value, width, rare.value, dead.value


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figure."""
    return save_drawn({errors_by_budget: CLAIMS}, folder, settings)


def tables(settings: Settings) -> list[Table]:
    """Return the errors at 50 and at 1000 evaluations."""
    return [tabled(errors, HEADER, CLAIMS, settings)]
