"""Checks that combine several numbers: a gain that is excluded, a factor of evaluations,
published rows beside ours.
"""

import math
from typing import Any

from ams.statistics.bootstrap import combined
from ams_suite import queries
from experiments.graphs.correctors import study
from experiments.graphs.correctors.configurations import (
    ADAPTIVE,
    JUDGED,
    LANGEVIN,
    PREDICTOR,
    PUBLISHED_MOLECULES,
    PUBLISHED_ROWS,
    Preset,
)
from experiments.graphs.correctors.settings import Settings
from experiments.graphs.intervals import QUANTILE, farthest, over_seeds, smallest_seen
from verdicts import InsufficientData, Measurement, Unavailable
from verdicts.studies.table import Label, RunTable

DIGITS = {"valid": 0.00005, "NSPDK": 0.0005}
"""Half the last printed digit."""


def number(table: RunTable, name: str, **labels: Label) -> Any:
    """Return a number of the one row of these labels. Raises UserError where there is none."""
    return table.column(name, **labels).single


def gain(table: RunTable, data: str, nearer: Preset, farther: Preset) -> Measurement:
    """Return by how much one sampler's squared MMD is below another's at the judged evaluations,
    as checks do.
    """
    pair = (farther.name, nearer.name)
    return queries.difference(table, "mmd", data=data, sampler=pair, budget=2 * JUDGED)


def gain_not_excluded(table: RunTable, data: str) -> Measurement:
    """Return the largest gain on Langevin's corrector that is not excluded, over what that brings.

    Its interval is that of what the corrector brings. Raises InsufficientData where that is not
    clearly positive.
    """
    _, largest = gain(table, data, ADAPTIVE, LANGEVIN).interval
    brought = gain(table, data, LANGEVIN, PREDICTOR)
    if brought.interval[0] <= 0:
        raise InsufficientData(f"{data}: Langevin's corrector brings nothing that is clear")
    low, high = sorted(largest / end for end in brought.interval)
    return brought.model_copy(update={"value": largest / brought.value, "low": low, "high": high})


def evaluations_of_langevin(
    table: RunTable, settings: Settings, data: str, budget: int
) -> Measurement:
    """Return the evaluations of Langevin's corrector over adaptive momentum's `budget` at equal
    squared MMD.

    Langevin's squared MMD is taken as linear in the logarithm of its evaluations, from that budget
    to its next. Raises Unavailable where it has no larger one.
    """
    budgets = table.choices("budget", data=data, sampler=LANGEVIN.name)
    if not (more := [each for each in budgets if each > budget]):
        setting = f"groups.correctors.{data.lower()}.steps"
        raise Unavailable(f"{data} is not run with more than {budget} evaluations: {setting}")
    own, near, far = (
        number(table, "mmd", data=data, sampler=sampler.name, budget=spent)
        for sampler, spent in ((ADAPTIVE, budget), (LANGEVIN, budget), (LANGEVIN, min(more)))
    )
    times = min(more) / budget
    ratio = combined(lambda own, near, far: times ** ((near - own) / (near - far)), own, near, far)
    return over_seeds(ratio.interval(), settings.seed, 1)


def stray_of_graphs(table: RunTable, settings: Settings, data: str) -> Measurement:
    """Return how many standard errors the published MMDs of a set are from ours, the largest of
    three (as V10).
    """
    labels = {"data": data, "row": "published"}
    row = study.TableRow(*(number(table, name, **labels) for name in study.TableRow._fields))
    detail: dict[str, Any] = {entry.statistic: entry.text() for entry in row.entries}
    if row.false_alarms is not None:
        detail["correct rows left undecided"] = round(row.false_alarms, 3)
    return over_seeds(farthest(row.strays(), row.entries[0].ours.n), settings.seed, 1, **detail)


def stray_of_molecules(table: RunTable, settings: Settings, data: str) -> Measurement:
    """Return how many standard errors published validity and NSPDK MMD are from ours, the larger.

    The error is that of our interval, of a published row of 10,000 molecules (ours, scaled) and of
    the last digit.
    """
    sampler, budget, stated = PUBLISHED_ROWS[data]
    count, valid, mmd = (
        number(table, name, data=data, sampler=sampler, budget=budget)
        for name in ("graphs", "validity", "mmd")
    )
    strays, detail = list[float](), dict[str, Any]()
    for name, (value, low, high, _) in {"valid": valid, "NSPDK": mmd.interval()}.items():
        error = (high - low) / (2 * QUANTILE)
        error = math.hypot(error, error * math.sqrt(count / PUBLISHED_MOLECULES), DIGITS[name])
        strays.append(abs(stated[name] - value) / error)
        detail[name] = (
            f"published {stated[name]:g}, ours {value:.4f} [{low:.4f}, {high:.4f}], "
            f"standard error {error:.4f}, "
            f"smallest effect seen {smallest_seen(len(DIGITS)) * error:.4f}"
        )
    return over_seeds(farthest(strays, count), settings.seed, 1, **detail)
