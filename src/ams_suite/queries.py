"""Queries: what a check reads off its group's table; `claims.toml` has their names and arguments.

A query names the rows that it reads by all of their labels but the batch: a label that it does not
name is one that they do not have. Where a label has two values the query compares rows of the first
with rows of the second, batch by batch. All that a measurement says beside its value (the interval,
n, the seed) follows from the rows: where they are batches the interval is Student's, else a number
is exact, or has its own, or brings its resamples.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import JsonValue

from ams.statistics import CONFIDENCE, Interval, mean_interval
from ams.statistics.bootstrap import BootstrapEstimate, combined
from ams.statistics.nfe_to_threshold import budgets_around
from ams_suite import measures
from verdicts import Measurement
from verdicts.errors import UserError
from verdicts.studies.table import Column, Label, RunTable

Pair = tuple[Label, Label]
Axes = Mapping[str, Any]
"""What a query goes over: by label a list of values, or of pairs of values that are compared.

`{ from, to }` stands for all that the rows have between the two; `{ from, to, neighbours = true }`
for pairs of these, each with the one before.
"""
UNREACHED = 1e6
"""Stands for a number without end: an error that no budget reaches, a stretch that is not there."""
UNPAIRED = "rows of different batches are not paired"
NO_LABELS = ("number", "error", "spacing")
"""Arguments of queries that name no row."""


def mean(table: RunTable, number: str, **labels: Label) -> Measurement:
    """Return a number, over batches its mean, with its interval."""
    column = table.column(number, **labels)
    return _measured(_interval(column), column)


def difference(table: RunTable, number: str, **labels: Label | Pair) -> Measurement:
    """Return a number less that of other rows; the mean where both have batches, paired by batch.

    Estimates that bring their resamples are paired by these. Raises UserError where the two have
    other batches, or resamples of other numbers of units.
    """
    first, second = _paired(table, number, labels)
    if first.batched:
        ours, theirs = ([*column.values.values()] for column in (first, second))
        return measures.mean_difference(ours, theirs, CONFIDENCE, first.seed or 0, first.size)
    if isinstance(first.single, BootstrapEstimate):
        return _measured(_less(first.single, second.single).interval(), first)
    one, other = map(_interval, (first, second))
    ends = (one.value - other.value, one.low - other.high, one.high - other.low)
    return _measured(Interval(*ends, max(one.n, other.n)), first)


def ratio(table: RunTable, number: str, **labels: Label | Pair) -> Measurement:
    """Return a positive number over that of other rows; the geometric mean where both have batches.

    Raises UserError as `difference`.
    """
    first, second = _paired(table, number, labels)
    if first.batched:
        ours, theirs = ([*column.values.values()] for column in (first, second))
        return measures.geometric_mean_ratio(ours, theirs, CONFIDENCE, first.seed or 0)
    one, other = map(_interval, (first, second))
    ends = (one.value / other.value, one.low / other.high, one.high / other.low)
    return _measured(Interval(*ends, max(one.n, other.n)), first)


def speed_up(
    table: RunTable, number: str, sampler: Pair, budget: int, spacing: int = 1, **labels: Label
) -> Measurement:
    """Return the first sampler's evaluations, for the error that the second has at a budget, over
    that budget.

    Of batches they are read between the budgets of the first; the interval, by Student's test of
    paired batches, ends at some. Else they are the first budget that is enough, and at least
    `spacing` more than the last that is not. Where none is enough that bound is the value, and
    the interval ends at 1e6.
    """
    slow, fast = sampler
    error = table.column(number, sampler=fast, budget=budget, **labels)
    columns = table.columns(number, "budget", sampler=slow, **labels)
    if any(column.values.keys() != error.values.keys() for column in columns.values()):
        raise UserError(UNPAIRED)
    if error.batched:
        curve = {each: np.array([*column.values.values()]) for each, column in columns.items()}
        known = (CONFIDENCE, error.seed or 0, error.size)
        return measures.speed_up([*error.values.values()], curve, budget, *known, baseline=slow)
    points = [(each, _interval(column).value) for each, column in columns.items()]
    value, least, most, n = _interval(error)
    before, soonest = budgets_around(points, most)
    enough, latest = (budgets_around(points, end)[1] for end in (value, least))
    low = min(before + spacing, soonest) / budget
    high = min(latest / budget, UNREACHED)
    ends = (enough / budget if math.isfinite(enough) else low, low, high)
    return _measured(Interval(*ends, n), error).model_copy(update={"detail": {"budget": budget}})


def evaluations_to(
    table: RunTable,
    number: str,
    error: float,
    sampler: Pair,
    **labels: Label,
) -> Measurement:
    """Return the evaluations at which a sampler first has an exact error, over those of another.

    It is 1e6 where the first one does not get there.
    """
    curves = [
        curve(table, number, "budget", "evaluations", sampler=name, **labels) for name in sampler
    ]
    first, second = (budgets_around(points, error)[1] for points in curves)
    return Measurement(value=first / second if math.isfinite(first) else UNREACHED)


def curve(
    table: RunTable, number: str, along: str = "budget", x: str = "", **labels: Label
) -> list[tuple[float, float]]:
    """Return points, ascending by `x`: a number of the rows, by default the label `along`.

    The ordinate is another number of theirs; where it is infinite there is no point.
    """
    values = table.columns(number, along, **labels)
    at = table.columns(x, along, **labels) if x else {}
    places = {label: _interval(at[label]).value if x else label for label in values}
    points = [(places[label], _interval(column).value) for label, column in values.items()]
    return sorted(point for point in points if math.isfinite(point[1]))


def least(table: RunTable, of: str, over: Axes, at: str = "", **given: Any) -> Measurement:
    """Return another query's measurement where its interval reaches lowest; or the label `at`."""
    lowest = min(each_case(table, of, over, **given), key=lambda one: one.interval[0])
    return _at(lowest, at) if at else lowest


def largest(table: RunTable, of: str, over: Axes, **given: Any) -> Measurement:
    """Return another query's measurement where its interval reaches highest."""
    return max(each_case(table, of, over, **given), key=lambda one: one.interval[1])


def farthest(table: RunTable, of: str, over: Axes, **given: Any) -> Measurement:
    """Return another query's measurement where its interval reaches farthest from 0."""
    return max(each_case(table, of, over, **given), key=lambda one: max(map(abs, one.interval)))


def count(
    table: RunTable,
    over: Axes,
    above: float = 0.0,
    of: str = "mean",
    **given: Any,
) -> Measurement:
    """Return in how many cases another query's value is above a bound.

    n counts the cases, the detail names those.
    """
    cases = list(each_case(table, of, over, **given))
    places = [case.detail for case in cases if case.value > above]
    counted: list[JsonValue] = [" ".join(str(at[name]) for name in over) for at in places]
    return Measurement(value=len(counted), n=len(cases), detail={"counted": counted})


def stretch(
    table: RunTable, edge: str, least: float, of: str, over: Axes, by: str = "low", **given: Any
) -> Measurement:
    """Return where a stretch begins or ends: neighbours on an axis, about another query's largest.

    In it intervals have their `by` end, "low" or "high", at `least` or above. `edge` is the "first"
    or the "last" value of the axis in it, or the next one, "beyond". Where there is none it is 0
    for "last", else 1e6. The detail has the values that decide.
    """
    (axis,) = over
    cases = list(each_case(table, of, over, **given))
    inside = [case.interval[by == "high"] >= least for case in cases]
    here = max(range(len(cases)), key=lambda place: cases[place].interval[0])
    step = -1 if edge == "first" else 1
    if not inside[here]:
        return Measurement(value=0.0 if edge == "last" else UNREACHED)
    while 0 <= (after := here + step) < len(cases) and inside[after]:
        here = after
    if edge == "beyond" and after == len(cases):
        return Measurement(value=UNREACHED)
    shown = _at(cases[after if edge == "beyond" else here], axis)
    decisive = [cases[place].detail[axis] for place in (here, after) if 0 <= place < len(cases)]
    return shown.model_copy(update={"detail": {axis: decisive}})


BENEATH: dict[str, Callable[..., Measurement]] = {
    "mean": mean,
    "difference": difference,
    "ratio": ratio,
    "speed_up": speed_up,
    "evaluations_to": evaluations_to,
}
"""The queries that others go over."""


def each_case(table: RunTable, of: str, over: Axes, **given: Any) -> Iterator[Measurement]:
    """Yield another query's measurements over the axes; the detail of each has its place on
    them.
    """
    labels = {name: value for name, value in given.items() if name not in NO_LABELS}
    for case in _cases(table, over, labels):
        measured = BENEATH[of](table, **given, **case)
        place = {name: list(at) if isinstance(at, tuple) else at for name, at in case.items()}
        yield measured.model_copy(update={"detail": {**measured.detail, **place}})


def _paired(
    table: RunTable,
    number: str,
    labels: Mapping[str, Label | Pair],
) -> tuple[Column, Column]:
    """Return a number of both sides. Raises UserError where they have other batches."""
    first, second = (table.column(number, **_side(labels, side)) for side in (0, 1))
    if first.values.keys() != second.values.keys():
        raise UserError(UNPAIRED)
    return first, second


def _interval(column: Column) -> Interval:
    """Return a number's interval: Student's over batches, its own, or a point where it is exact."""
    if column.batched:
        return mean_interval([*column.values.values()], CONFIDENCE)
    value = column.single
    if isinstance(value, BootstrapEstimate):
        return value.interval()
    return value if isinstance(value, Interval) else Interval(value, value, value, 1)


def _less(one: BootstrapEstimate, other: BootstrapEstimate) -> BootstrapEstimate:
    """Return one estimate less another. Raises UserError for those of other numbers of units."""
    if one.n != other.n:
        raise UserError(f"estimates from {one.n} and {other.n} units are not paired")
    return combined(np.subtract, one, other)


def _at(measured: Measurement, label: str) -> Measurement:
    """Return the label of a case as a number."""
    return Measurement(value=float(str(measured.detail[label])), detail=measured.detail)


def _measured(interval: Interval, column: Column) -> Measurement:
    """Return an interval as a measurement; of one number without draws nothing but its value."""
    if interval.n <= 1 and interval.low == interval.high:
        return Measurement(value=interval.value)
    return measures.of_interval(interval, column.seed, column.size)


def _cases(table: RunTable, over: Axes, labels: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the values of the axes, each with each; of a range, those that the axes before
    leave.
    """
    if not over:
        yield {}
        return
    (name, wanted), *rest = over.items()
    for value in _values(table, name, wanted, labels):
        known = labels if name in NO_LABELS else {**labels, name: value}
        for case in _cases(table, dict(rest), known):
            yield {name: value, **case}


def _values(table: RunTable, name: str, wanted: Any, labels: Mapping[str, Any]) -> Sequence[Any]:
    """Return the values of one axis; of a range, those that rows of both sides have. Raises
    UserError for none.
    """
    if not isinstance(wanted, dict):
        return [tuple(value) if isinstance(value, list) else value for value in wanted]
    sides = [table.choices(name, **_side(labels, side)) for side in (0, 1)]
    low, high = wanted["from"], wanted["to"]
    if shared := [value for value in sides[0] if value in sides[1] and low <= value <= high]:
        pairs = [(after, before) for before, after in pairwise(shared)]
        return pairs if "neighbours" in wanted else shared
    raise UserError(f"`runs` makes no row with {name} from {low} to {high}")


def _side(labels: Mapping[str, Any], side: int) -> dict[str, Any]:
    """Return the labels of one of the two sides that a comparison has."""
    return {
        name: value[side] if isinstance(value, tuple) else value for name, value in labels.items()
    }
