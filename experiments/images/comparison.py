"""What batches say: their numbers, means with intervals, evaluations to thresholds.

Batches are the independent units; those of one number have common starts and noise, whatever the
sampler.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ams.statistics import CONFIDENCE, mean_interval
from ams.statistics.nfe_to_threshold import BatchErrors, Nfe, nfe_interval, nfe_ratio_interval
from verdicts import Measurement
from verdicts.records.figures import TableCell

ROUNDING = 1e-4
"""What another processor's rounding may change in a number or an array of a batch, of its size. In
float32 one operation rounds by 6e-8; over 200 evaluations of 50 layers, as a random walk, that
grows to 6e-6. Sixteen times that is allowed.
"""
GREY = 8.0
"""Of grey levels, whole numbers up to 255: that 64 pixels fall on the other side of a half is
rounding.
"""
THRESHOLD_HEADER = (
    "sampler",
    "threshold",
    "NFE",
    "low",
    "high",
    "speed-up",
    "low",
    "high",
    "largest NFE tried",
)


def column(batches: Iterable[tuple[Any, ...]], quantity: str) -> list[float]:
    """Return the quantity of that name of each batch."""
    return [getattr(batch, quantity) for batch in batches]


def error_curve(curve: Mapping[int, Iterable[tuple[float, ...]]], quantity: str) -> BatchErrors:
    """Return the quantity of that name of each batch, by evaluations."""
    return {budget: np.array(column(batches, quantity)) for budget, batches in curve.items()}


def interval(values: Iterable[float]) -> tuple[float, float, float]:
    """Return mean, low and high over batches."""
    return mean_interval(list(values), CONFIDENCE)[:3]


def half_widths_named(quantities: Iterable[str]) -> Iterator[str]:
    """Yield the header of quantities in a table, each with the half-width of its interval."""
    for quantity in quantities:
        yield from (quantity, "+-")


def with_half_widths(intervals: Iterable[Sequence[float]]) -> Iterator[float]:
    """Yield the value of each interval (value, low, ...), and how far below it the interval
    reaches.
    """
    for value, low, *_ in intervals:
        yield from (value, value - low)


def bands(
    results: Mapping[str, Mapping[int, Iterable[tuple[float, ...]]]], quantity: str
) -> dict[str, dict[int, tuple[float, float, float]]]:
    """Return mean, low and high of a quantity, by sampler and evaluations."""
    return {
        name: {n: interval(column(each, quantity)) for n, each in curve.items()}
        for name, curve in results.items()
    }


SPEED_UP_HEADER = ("pair", "NFE", "times as many", "low", "high", "largest that could be seen")


def speed_up_intervals(ours: BatchErrors, theirs: BatchErrors) -> dict[int, Nfe]:
    """Return for each of our budgets their evaluations to our error there, over it: infinite where
    never.

    The ends of an interval are budgets of theirs at which runs were made. `low` is no bound where
    it is their least.
    """
    intervals = dict[int, Nfe]()
    for budget, errors in sorted(ours.items()):
        needed = nfe_interval(theirs, errors, CONFIDENCE)
        intervals[budget] = Nfe(*(evaluations / budget for evaluations in needed))
    return intervals


def speed_ups(ours: BatchErrors, theirs: BatchErrors) -> list[tuple[float, float]]:
    """Return our budgets, each with their evaluations to our error there over it: infinite where
    never.
    """
    return [(budget, times.value) for budget, times in speed_up_intervals(ours, theirs).items()]


def speed_up_rows(
    pairs: Mapping[str, tuple[BatchErrors, BatchErrors]],
) -> Iterator[tuple[TableCell, ...]]:
    """Yield the `speed_up_intervals` of named pairs, ours first; see `SPEED_UP_HEADER`."""
    for name, (ours, theirs) in pairs.items():
        for budget, times in speed_up_intervals(ours, theirs).items():
            yield name, budget, *map(_shown, times), float(f"{max(theirs) / budget:.3g}")


def farthest(measurements: Iterable[Measurement], origin: float = 0.0) -> Measurement:
    """Return the measurement whose interval reaches farthest from `origin`."""
    return max(measurements, key=lambda one: max(abs(end - origin) for end in one.interval))


def threshold_rows(
    curves: Mapping[str, BatchErrors], baseline: str, thresholds: Sequence[float]
) -> Iterator[tuple[TableCell, ...]]:
    """Yield each sampler's evaluations to each threshold, and the baseline's over them; see
    `THRESHOLD_HEADER`.
    """
    for sampler, curve in curves.items():
        for threshold in thresholds:
            needed = nfe_interval(curve, threshold, CONFIDENCE)
            ratio = nfe_ratio_interval(curve, curves[baseline], threshold, CONFIDENCE)
            yield sampler, threshold, *map(_shown, needed + ratio), max(curve)


def _shown(number: float) -> TableCell:
    """Return three digits of a number of evaluations or a ratio, or what stands for one that is
    not reached.
    """
    if math.isnan(number):
        return "neither"
    return "not reached" if math.isinf(number) else float(f"{number:.3g}")
