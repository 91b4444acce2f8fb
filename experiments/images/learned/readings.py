"""What the runs say: means with intervals over batches, paired differences, the evaluations for a quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from ams.inference import mean_interval
from ams.ledger import Measurement
from experiments.images.features import Row
from experiments.images.learned.runs import Batch, Batches, Numbers, judge
from experiments.images.learned.settings import Settings

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


def needed(curve: Mapping[int, float], quality: float) -> float | None:
    """Return the evaluations at which a curve first falls to `quality`, by log-log interpolation between budgets.

    The curve is made monotone from the right: once reached counts. None where it never is; its first budget where it is
    reached there already.
    """
    budgets = sorted(curve)
    below = [budget for budget in budgets if curve[budget] <= quality]
    if not below:
        return None
    after = below[0]
    if after == budgets[0]:
        return float(after)
    before = budgets[budgets.index(after) - 1]
    share = np.log(curve[before] / quality) / np.log(curve[before] / curve[after])
    return float(np.exp(np.log(before) + share * np.log(after / before)))


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
    """Return the evaluations at which `curve` falls to what `ours` reaches at `budget`, over `budget`.

    The interval is a bootstrap's over batches, paired. Where the curve never falls so far, its largest budget stands
    for the evaluations, which bounds the ratio from below: the detail says in which share of the resamples.
    """
    reached = np.array([quantity(batch.numbers) for batch in ours])
    table = {b: np.array([quantity(batch.numbers) for batch in them]) for b, them in curve.items()}

    def of(rows: np.ndarray) -> float:
        means = {b: float(values[rows].mean()) for b, values in table.items()}
        return (needed(means, float(reached[rows].mean())) or max(table)) / budget

    drawn = np.random.default_rng(settings.seed).integers(0, len(reached), (2000, len(reached)))
    spread = np.array([of(rows) for rows in drawn])
    value, tail = of(np.arange(len(reached))), (1 - CONFIDENCE) / 2
    low, high = np.quantile(spread, [tail, 1 - tail])
    detail: dict[str, JsonValue] = {
        "budget": budget,
        "reach of the baseline": max(table) / budget,
        "share of resamples at its reach": float((spread == max(table) / budget).mean()),
    }
    n = len(reached) * settings.batch
    ends = {"value": value, "low": min(low, value), "high": max(high, value)}
    return Measurement(**ends, n=n, seeds=(settings.seed,), detail=detail)
