"""What batches say: means with intervals, differences paired by batch, ratios of evaluations at equal error.

Batches are the independent units; those of one number have common starts and noise, whatever the sampler.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import numpy as np
from pydantic import JsonValue

from ams_suite import measures
from experiments.images.runs import BatchSetup
from verdicts import Measurement

CONFIDENCE = 0.999
"""Of every interval over batches: at most about one true statement in a thousand is contradicted."""

Batch = TypeVar("Batch")


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
