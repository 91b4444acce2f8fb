"""A published row beside ours, of the authors' checkpoints and samplers, and how far the two are apart.

A published row is one number a statistic, of as many generated graphs as the test set has. Here more are generated, and
the row is their mean over sets of that size (`discrepancy.kernel_row`); so it is compared with the published one in
standard errors of both. The floor beside it is what real graphs give: the test set against as many training graphs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from ams.data import Graph
from ams.statistics import Interval
from experiments.graphs.checkpoints import networks
from experiments.graphs.data import Split, cut, published, sizes
from experiments.graphs.discrepancy import Row, kernel_estimates, kernel_floor, kernel_row, kernel_row_means
from experiments.graphs.generation import PUBLISHED, generate, shares
from experiments.graphs.statistics import PUBLISHED as STATISTICS, Statistic

ROWS: Mapping[str, tuple[float, float, float]] = {
    "community_small": (0.045, 0.086, 0.007),
    "ego_small": (0.021, 0.024, 0.007),
    "ENZYMES": (0.026, 0.061, 0.009),
    "grid": (0.111, 0.005, 0.070),
}
"""Degree, cluster, orbit as published for GDSS (arXiv 2202.02514), 1000 steps."""
PRINTED = 0.0005
"""Half the last printed digit."""
STEPS = 1000
"""Of the published rows."""


class Settings(BaseModel):
    """Of each set: how many graphs are generated, and in how many steps. `draws`: of real graphs, for the floor.

    The graphs are shared among `seeds` runs, from `seed` on: a batch of the sampler holds those of one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    community_small: tuple[PositiveInt, PositiveInt] = (128, 1000)
    ego_small: tuple[PositiveInt, PositiveInt] = (128, 1000)
    enzymes: tuple[PositiveInt, PositiveInt] = (64, 500)
    grid: tuple[PositiveInt, PositiveInt] = (4, 100)
    draws: PositiveInt = 2000
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405

    def of(self, name: str) -> tuple[int, int]:
        """Return graphs and steps of a set."""
        graphs, steps = getattr(self, name.lower())
        return int(graphs), int(steps)


class Cell(NamedTuple):
    """A statistic of a set: the published value; ours as a row; the floor's range.

    `each` is the mean of every seed alone; `resampled` the 95 % interval of ours with the test set drawn again too
    (None: too few graphs).
    """

    statistic: str
    published: float
    ours: Row
    floor: Interval
    each: list[float]
    resampled: Interval | None

    @property
    def error(self) -> float:
        """Return the standard error of the difference: of the published row, of our mean and of the last digit."""
        mean = self.ours.mean
        return math.hypot((mean.high - mean.low) / 2, self.ours.spread, PRINTED)

    @property
    def stray(self) -> float:
        """Return how many standard errors the two are apart."""
        return abs(self.published - self.ours.mean.value) / self.error


@cache
def generated(settings: Settings, name: str) -> list[list[Graph]]:
    """Return the graphs that the authors' checkpoint and sampler make, by seed. Raises DataUnavailable, NonFiniteState."""
    setting, (count, steps) = PUBLISHED[name], settings.of(name)
    both, plan = networks(setting.checkpoint, setting.averaged), setting.plan(setting.pair, steps)
    made = []
    for number, part in enumerate(shares(count, settings.seeds)):
        seed = settings.seed + number
        nodes = sizes(published(name).train, part, seed)
        end, layout = generate(plan, both, setting.pair, nodes, setting.features, seed)
        made.append(cut(layout.pad_pairs(end.adjacency, setting.largest)))
    return made


def row(settings: Settings, name: str) -> list[Cell]:
    """Return the three statistics of a set. Raises as `generated`."""
    made, real = generated(settings, name), published(name)
    return [_cell(settings, *one, made, real) for one in zip(STATISTICS, ROWS[name], strict=True)]


def _cell(settings: Settings, statistic: Statistic, value: float, made: list[list[Graph]], real: Split) -> Cell:
    size, seed, whole = len(real.test), settings.seed, [graph for listed in made for graph in listed]
    k = statistic.kernel([*real.test, *whole])
    ours, each = kernel_row(k, size, size, seed), kernel_row_means(k, size, size, [len(listed) for listed in made])
    floor = kernel_floor(statistic.kernel([*real.test, *real.train]), size, size, seed, settings.draws)
    resampled = _moved(kernel_estimates(k, size, seed).unbiased, ours.mean.value)
    return Cell(statistic.name, value, ours, floor, each, resampled)


def _moved(interval: Interval | None, to: float) -> Interval | None:
    """Return an interval moved to another value, cut at zero: the bias of a row hardly varies."""
    if interval is None:
        return None
    by = to - interval.value
    return Interval(to, max(interval.low + by, 0.0), interval.high + by, interval.n)
