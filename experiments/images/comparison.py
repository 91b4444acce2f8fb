"""What batches say: means with intervals, differences paired by batch, ratios of evaluations at equal error.

Batches are the independent units; those of one number have common starts and noise, whatever the sampler.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from pydantic import JsonValue

from ams.statistics import mean_interval
from ams.statistics.nfe_to_threshold import nfe_interval, nfe_ratio_interval
from ams_suite import measures
from experiments.images.runs import BatchSetup
from verdicts import Measurement
from verdicts.records.figures import Cell

CONFIDENCE = 0.999
"""Of every interval over batches: at most about one true statement in a thousand is contradicted."""

Batch = TypeVar("Batch")


def interval(values: Iterable[float]) -> tuple[float, float, float]:
    """Return mean, low and high over batches."""
    return mean_interval(list(values), CONFIDENCE)[:3]


def mean(
    setup: BatchSetup, batches: Iterable[Batch], quantity: Callable[[Batch], float], **detail: JsonValue
) -> Measurement:
    """Return the mean of a quantity over batches."""
    return measures.mean_of(list(map(quantity, batches)), CONFIDENCE, setup.seed, setup.size, **detail)


def difference(
    setup: BatchSetup,
    ours: Iterable[Batch],
    theirs: Iterable[Batch],
    quantity: Callable[[Batch], float],
    **detail: JsonValue,
) -> Measurement:
    """Return the mean of `quantity(ours) - quantity(theirs)`, batch by batch."""
    one, other = list(map(quantity, ours)), list(map(quantity, theirs))
    return measures.mean_difference(one, other, CONFIDENCE, setup.seed, setup.size, **detail)


def speed_up(
    setup: BatchSetup,
    ours: Iterable[Batch],
    curve: Mapping[int, Iterable[Batch]],
    budget: int,
    quantity: Callable[[Batch], float],
    **detail: JsonValue,
) -> Measurement:
    """Return the evaluations at which `curve` falls to the error of `ours` at `budget`, over `budget`."""
    reached, errors = list(map(quantity, ours)), error_curve(curve, quantity)
    return measures.speed_up(reached, errors, budget, CONFIDENCE, setup.seed, setup.size, **detail)


def error_curve(curve: Mapping[int, Iterable[Batch]], quantity: Callable[[Batch], float]) -> dict[int, np.ndarray]:
    """Return a quantity of each batch, by evaluations."""
    return {budget: np.array(list(map(quantity, batches))) for budget, batches in curve.items()}


def farthest(measurements: Iterable[Measurement], origin: float = 0.0) -> Measurement:
    """Return the measurement whose interval reaches farthest from `origin`."""
    return max(measurements, key=lambda one: max(abs(end - origin) for end in one.interval))


def threshold_rows(
    curves: Mapping[str, Mapping[int, np.ndarray]], baseline: str, thresholds: Sequence[float]
) -> Iterator[tuple[Cell, ...]]:
    """Yield each sampler's evaluations to each threshold, and the baseline's over them; see `THRESHOLD_HEADER`."""
    for sampler, curve in curves.items():
        for threshold in thresholds:
            needed = nfe_interval(curve, threshold, CONFIDENCE)
            ratio = nfe_ratio_interval(curve, curves[baseline], threshold, CONFIDENCE)
            yield sampler, threshold, *map(_shown, needed + ratio), max(curve)


THRESHOLD_HEADER = ("sampler", "threshold", "NFE", "low", "high", "speed-up", "low", "high", "largest NFE tried")


def _shown(number: float) -> Cell:
    """Return three digits of a number of evaluations or a ratio, or what stands for one that is not reached."""
    if math.isnan(number):
        return "neither"
    return "not reached" if math.isinf(number) else float(f"{number:.3g}")
