"""Queries: what a check reads off its group's table; `claims.toml` has their names and arguments.

A query names the rows that it reads by all of their labels but the batch: a label that it does not
name is one that they do not have. Where a label has two values the query compares rows of the first
with rows of the second, batch by batch. A number of one batch is exact, or an estimate that brings
its resamples. All that a measurement says beside its value (the interval, n, the seed) follows from
the rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from ams.statistics import CONFIDENCE, Interval, mean_interval
from ams.statistics.bootstrap import BootstrapEstimate, combined
from ams_suite import measures
from verdicts import Measurement
from verdicts.errors import UserError
from verdicts.studies.table import Column, Label, RunTable

Pair = tuple[Label, Label]
Axes = Mapping[str, Any]
"""What a query goes over: by label a list of values, or `{ from, to }` for all that the rows
have between the two.
"""


def mean(table: RunTable, number: str, **labels: Label) -> Measurement:
    """Return the mean of a number over batches, with Student's interval."""
    column = table.column(number, **labels)
    return _mean([*column.values.values()], column)


def difference(table: RunTable, number: str, **labels: Label | Pair) -> Measurement:
    """Return the mean of a number less that of other rows, paired by batch, with Student's
    interval.

    Estimates that bring their resamples are paired by these. Raises UserError where the two have
    other batches, or resamples of other numbers of units.
    """
    first, second = (table.column(number, **_side(labels, side)) for side in (0, 1))
    if first.values.keys() != second.values.keys():
        raise UserError("rows of different batches are not paired")
    return _mean(
        [_less(first.values[batch], second.values[batch]) for batch in first.values], first
    )


def speed_up(
    table: RunTable, number: str, sampler: Pair, budget: int, **labels: Label
) -> Measurement:
    """Return the first sampler's evaluations, for the error that the second has at a budget, over
    that budget.

    They are read between the budgets of the first; the interval, by Student's test of paired
    batches, ends at some.
    """
    slow, fast = sampler
    errors, size, seed = table.column(number, sampler=fast, budget=budget, **labels)
    budgets = table.choices("budget", sampler=slow, **labels)
    columns = {each: table.column(number, sampler=slow, budget=each, **labels) for each in budgets}
    curve = {each: np.array([*column.values.values()]) for each, column in columns.items()}
    known = (CONFIDENCE, seed, size)
    return measures.speed_up([*errors.values()], curve, budget, *known, baseline=slow)


def least(table: RunTable, of: str, over: Axes, **given: Any) -> Measurement:
    """Return another query's measurement where its interval reaches lowest."""
    return min(_each(table, of, over, given), key=lambda one: one.interval[0])


def largest(table: RunTable, of: str, over: Axes, **given: Any) -> Measurement:
    """Return another query's measurement where its interval reaches highest."""
    return max(_each(table, of, over, given), key=lambda one: one.interval[1])


def farthest(table: RunTable, of: str, over: Axes, **given: Any) -> Measurement:
    """Return another query's measurement where its interval reaches farthest from 0."""
    return max(_each(table, of, over, given), key=lambda one: max(map(abs, one.interval)))


def count(
    table: RunTable, number: str, over: Axes, above: float = 0.0, **labels: Label
) -> Measurement:
    """Return how many of some cases have a mean above a bound; n counts the cases, the detail
    names those.
    """
    cases = list(_cases(table, over, labels))
    means = [
        float(np.mean([*table.column(number, **labels, **case).values.values()])) for case in cases
    ]
    counted = [
        " ".join(map(str, case.values()))
        for case, value in zip(cases, means, strict=True)
        if value > above
    ]
    return Measurement(value=len(counted), n=len(cases), detail={"counted": [*counted]})


BENEATH: dict[str, Callable[..., Measurement]] = {
    "mean": mean,
    "difference": difference,
    "speed_up": speed_up,
}
"""The queries of which others look for the least or the largest."""


def _mean(values: Sequence[Any], column: Column) -> Measurement:
    """Return the mean of numbers of batches; one alone is exact, or has the interval of its
    resamples.
    """
    first, *others = values
    if others:
        interval = mean_interval(values)
    elif isinstance(first, BootstrapEstimate):
        interval = first.interval()
    else:
        interval = Interval(first, first, first, 1)
    return measures.of_interval(interval, column.seed, column.size)


def _less(one: Any, other: Any) -> Any:
    """Return one number less another. Raises UserError for estimates from other numbers of
    units.
    """
    if not isinstance(one, BootstrapEstimate):
        return one - other
    if one.n != other.n:
        raise UserError(f"estimates from {one.n} and {other.n} units are not paired")
    return combined(np.subtract, one, other)


def _each(table: RunTable, of: str, over: Axes, given: Mapping[str, Any]) -> Iterator[Measurement]:
    labels = {name: value for name, value in given.items() if name != "number"}
    for case in _cases(table, over, labels):
        measured = BENEATH[of](table, **given, **case)
        yield measured.model_copy(update={"detail": {**measured.detail, **case}})


def _cases(table: RunTable, over: Axes, labels: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the values of the axes, each with each."""
    values = [_values(table, name, wanted, labels) for name, wanted in over.items()]
    yield from (dict(zip(over, case, strict=True)) for case in product(*values))


def _values(table: RunTable, name: str, wanted: Any, labels: Mapping[str, Any]) -> Sequence[Any]:
    """Return the values of one axis; of a range, those that rows of both sides have. Raises
    UserError for none.
    """
    if not isinstance(wanted, dict):
        return list(wanted)
    sides = [table.choices(name, **_side(labels, side)) for side in (0, 1)]
    low, high = wanted["from"], wanted["to"]
    if shared := [each for each in sides[0] if each in sides[1] and low <= each <= high]:
        return shared
    raise UserError(f"`runs` makes no row with {name} from {low} to {high}")


def _side(labels: Mapping[str, Any], side: int) -> dict[str, Any]:
    """Return the labels of one of the two sides that a comparison has."""
    return {
        name: value[side] if isinstance(value, tuple) else value for name, value in labels.items()
    }
