"""A learned score of digits, the suite's own network: quality against evaluations; claims Q0 to Q6."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import JsonValue

from ams.inference import mean_interval
from ams.ledger import Figure, Measurement, Table, check
from experiments.images.learned import drawing
from experiments.images.learned.losses import losses
from experiments.images.learned.readings import CONFIDENCE, Quantity, level_of, paired, speed_up
from experiments.images.learned.runs import EXACT, FLOOR, LEARNED, Numbers, batches, floor, judge, results
from experiments.images.learned.settings import Settings

__all__ = ["Settings"]

OURS, BASELINE = "adaptive momentum", "annealed Langevin"
ISOTHERMAL = "isothermal, e = 1/2"


def temperature(numbers: Numbers) -> float:
    """Return the temperature."""
    return numbers.temperature


def frechet(numbers: Numbers) -> float:
    """Return the Frechet distance to the digits held out."""
    return numbers.frechet


def kernel(numbers: Numbers) -> float:
    """Return the kernel distance to the digits held out."""
    return numbers.kernel


@check("Q0.kernel")
def real_digits_are_at_the_floor(settings: Settings) -> Measurement:
    """Return the kernel distance of real digits to those held out, over that of adaptive momentum at the least budget."""
    sets = floor(settings)
    found = judge().kernel_interval([batch.features for batch in sets], CONFIDENCE, settings.seed)
    scale = level_of(settings, results(settings)[OURS][min(settings.budgets)], kernel).value
    return Measurement(
        value=found.value / scale, low=found.low / scale, high=found.high / scale, n=found.n, seeds=(settings.seed,)
    )


@check("Q0.temperature")
def real_digits_are_at_one(settings: Settings) -> Measurement:
    """Return the temperature of real digits, blurred to the last level."""
    return level_of(settings, floor(settings), temperature)
