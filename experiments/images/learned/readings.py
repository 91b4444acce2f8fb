"""What the runs say: means with intervals over batches, paired differences, the evaluations for a quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from ams.statistics import mean_interval
from experiments.images import speed
from experiments.images.features.rows import Row
from experiments.images.learned.runs import Batch, Batches, Numbers, judge
from experiments.images.learned.settings import Settings
from verdicts import Measurement

CONFIDENCE = 0.999
"""Of every interval here."""

Quantity = Callable[[Numbers], float]


def measured(settings: Settings, values: Sequence[float], **detail: JsonValue) -> Measurement:
    """Return the batches' mean with Student's interval."""
    found = mean_interval(values, CONFIDENCE)
    n = len(values) * settings.batch
    return Measurement(value=found.value, low=found.low, high=found.high, n=n, seeds=(settings.seed,), detail=detail)


def level_of(settings: Settings, batches: Sequence[Batch], quantity: Quantity) -> Measurement:
    """Return the mean of a quantity over batches."""
    return measured(settings, [quantity(batch.numbers) for batch in batches])


def paired(settings: Settings, batches: Sequence[Batch], others: Sequence[Batch], quantity: Quantity) -> Measurement:
    """Return the mean of `quantity(batch) - quantity(other)`, batch by batch: common starts and noise."""
    pairs = zip(batches, others, strict=True)
    return measured(settings, [quantity(batch.numbers) - quantity(other.numbers) for batch, other in pairs])


def missed(numbers: Numbers) -> float:
    """Return the share of the digits held out that a batch does not cover."""
    return 1.0 - numbers.coverage


def rows(results: Batches, settings: Settings) -> list[Row]:
    """Return every number as rows that carry their conditions."""
    conditions = judge().conditions(settings.batch)
    found = []
    for sampler, by_budget in results.items():
        for budget, batches in by_budget.items():
            for place, name in enumerate(Numbers._fields):
                interval = mean_interval([batch.numbers[place] for batch in batches], CONFIDENCE)
                value, low, high, sets = interval
                named = {"sampler": sampler, "nfe": budget, "quantity": name, "sets": sets}
                held = conditions.model_copy(update={"denoised": name != "temperature"})
                given = {"value": value, "low": low, "high": high, "conditions": held}
                found.append(Row.model_validate(named | given))
    return found


def speed_up(
    settings: Settings, ours: Sequence[Batch], curve: Mapping[int, Sequence[Batch]], budget: int, quantity: Quantity
) -> Measurement:
    """Return the evaluations at which `curve` falls to what `ours` reaches at `budget`, over it: `speed.speed_up`."""
    reached = np.array([quantity(batch.numbers) for batch in ours])
    table = {b: np.array([quantity(batch.numbers) for batch in them]) for b, them in curve.items()}
    return speed.speed_up(reached, table, budget, CONFIDENCE, settings.batch, settings.seed)
