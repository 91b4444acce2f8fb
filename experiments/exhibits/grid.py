"""The paper's whole grid of images: what it costs, as cells, and how long so many GPUs would take.

A cell is a batch of images by one sampler with one budget; all budgets of the image table and the configured one count.
"""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from experiments.exhibits.arithmetic import Rate
from experiments.exhibits.configurations import Configuration
from experiments.exhibits.coverage import ROWS
from experiments.exhibits.settings import Settings

HOUR = 3600.0
LARGEST = 256
"""Images of a cell at most: batches couple the samples of an adaptive sampler, so each cell is a batch."""
GPUS = (1, 10, 100, 1000, 10000)


class Grid(NamedTuple):
    """One configuration's part of the grid: `cells` are GPU-hours of one each, of `batch` images."""

    title: str
    batch: int
    evaluations: int
    core_hours: float
    cells: tuple[float, ...]


def gpu_hours(settings: Settings, rate: Rate, evaluations: int) -> float:
    """Return the hours of a GPU at the assumed rate."""
    return evaluations * rate.flops / (1e12 * settings.tflops) / HOUR


def grid_of(settings: Settings, entry: Configuration, rate: Rate) -> Grid:
    """Return a configuration's part of the grid."""
    samples, budgets = entry.samples or 0, (*settings.budgets, entry.budget)
    hours = gpu_hours(settings, rate, 1)
    batch = _batch(hours * max(budgets))
    samplers, batches = len(ROWS[entry.kind]), -(-samples // batch)
    cells = [hours * batch * budget for budget in budgets for _ in range(samplers * batches)]
    evaluations = samples * sum(budgets) * samplers
    return Grid(entry.title, batch, evaluations, evaluations * rate.seconds / HOUR, tuple(cells))


def _batch(hours: float) -> int:
    """Return the largest power of two, at most `LARGEST`, of images of `hours` each that take an hour at most."""
    batch = LARGEST
    while batch > 1 and batch * hours > 1.0:
        batch //= 2
    return batch


def hours_on(cells: Sequence[float], gpus: int) -> float:
    """Return the hours that so many GPUs take, each cell on one, the longest first."""
    hours = [0.0] * gpus
    for cell in sorted(cells, reverse=True):
        heapq.heapreplace(hours, hours[0] + cell)
    return max(hours)
