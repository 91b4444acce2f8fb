"""The published table of graphs, from the authors' checkpoints and settings: claims W1 to W3.

A published row is one number a statistic, of as many generated graphs as the test set has. Here more are generated, and
the row is their mean over sets of that size (`discrepancy.kernel_row`); so it is compared with the published one in
standard errors of both. The floor beside it is what real graphs give: the test set against as many training graphs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue

from ams.data import Graph
from ams.inference import Interval
from ams.ledger import Measurement, check
from experiments.graphs.checkpoints import networks
from experiments.graphs.data import Split, cut, published, sizes
from experiments.graphs.discrepancy import estimates, kernel_floor, kernel_row, mean_kernel
from experiments.graphs.generation import PUBLISHED, generate
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from experiments.graphs.statistics import Statistic

ROWS: Mapping[str, tuple[float, float, float]] = {
    "community_small": (0.045, 0.086, 0.007),
    "ego_small": (0.021, 0.024, 0.007),
    "ENZYMES": (0.026, 0.061, 0.009),
    "grid": (0.111, 0.005, 0.070),
}
"""Degree, cluster, orbit as published for GDSS (arXiv 2202.02514), 1000 steps."""


class Settings(BaseModel):
    """Of each set: how many graphs are generated, and in how many steps. `draws`: of real graphs, for the floor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    community_small: tuple[int, int] = (128, 1000)
    ego_small: tuple[int, int] = (128, 1000)
    enzymes: tuple[int, int] = (64, 500)
    grid: tuple[int, int] = (4, 100)
    draws: int = 2000
    seed: int = 2405

    def of(self, name: str) -> tuple[int, int]:
        """Return graphs and steps of a set."""
        graphs, steps = getattr(self, name.lower())
        return int(graphs), int(steps)


class Cell(NamedTuple):
    """A statistic of a set: the published value; ours with an interval of one standard error; the floor's range.

    `stray` is how many standard errors, of ours and of the published row, the two are apart; `resampled` the 95 %
    interval of ours with the test set drawn again too.
    """

    statistic: str
    published: float
    ours: Interval
    floor: Interval
    stray: float
    resampled: Interval | None


@cache
def generated(settings: Settings, name: str) -> list[Graph]:
    """Return the graphs that the authors' checkpoint and sampler make. Raises Unavailable, NonFiniteState."""
    setting, (count, steps) = PUBLISHED[name], settings.of(name)
    both = networks(setting.checkpoint, setting.averaged)
    nodes = sizes(published(name).train, count, settings.seed)
    plan = setting.plan(setting.pair, steps)
    end, layout = generate(plan, both, setting.pair, nodes, setting.features, settings.seed)
    return cut(layout.pad_pairs(end.adjacency, setting.largest))


def row(settings: Settings, name: str) -> list[Cell]:
    """Return the three statistics of a set. Raises as `generated`."""
    made, real = generated(settings, name), published(name)
    return [_cell(settings, *one, made, real) for one in zip(STATISTICS, ROWS[name], strict=True)]


def _cell(settings: Settings, statistic: Statistic, value: float, made: list[Graph], real: Split) -> Cell:
    size, seed = len(real.test), settings.seed
    ours, spread = kernel_row(statistic.kernel([*real.test, *made]), size, size, seed)
    floor = kernel_floor(statistic.kernel([*real.test, *real.train]), size, size, seed, settings.draws)
    error = math.hypot((ours.high - ours.low) / 2, spread)
    resampled = estimates(statistic, real.test, made, seed).published
    return Cell(statistic.name, value, ours, floor, abs(value - ours.value) / error, resampled)


def farthest(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors the published value of a statistic is from ours, at most."""
    cells, (count, steps) = row(settings, name), settings.of(name)
    detail: dict[str, JsonValue] = {
        cell.statistic: f"published {cell.published:g}, ours {cell.ours.value:.4f}, floor {cell.floor.value:.4f}"
        for cell in cells
    }
    detail |= {"steps": steps, "size of a row": len(published(name).test)}
    return Measurement(value=max(cell.stray for cell in cells), n=count, seeds=(settings.seed,), detail=detail)


@check("W1.community_small")
def community_small_is_reproduced(settings: Settings) -> Measurement:
    """Return the published row's distance from ours."""
    return farthest(settings, "community_small")


@check("W1.ego_small")
def ego_small_is_reproduced(settings: Settings) -> Measurement:
    """Return the published row's distance from ours."""
    return farthest(settings, "ego_small")


@check("W3.enzymes")
def enzymes_is_near(settings: Settings) -> Measurement:
    """Return the published row's distance from ours, in half the published steps."""
    return farthest(settings, "ENZYMES")


@check("W3.grid")
def grid_is_near(settings: Settings) -> Measurement:
    """Return the published row's distance from ours, in a tenth of the published steps."""
    return farthest(settings, "grid")


def real_range(settings: Settings, name: str) -> Measurement:
    """Return half the central 95 % range of a row's mean over the statistics when real graphs are drawn."""
    real = published(name)
    size, k = len(real.test), mean_kernel(STATISTICS, [*real.test, *real.train])
    found = kernel_floor(k, size, size, settings.seed, settings.draws)
    detail: dict[str, JsonValue] = {"mean": found.value, "low": found.low, "high": found.high, "size": size}
    return Measurement(value=(found.high - found.low) / 2, n=settings.draws, seeds=(settings.seed,), detail=detail)


@check("W2.community_small")
def real_community_small_varies(settings: Settings) -> Measurement:
    """Return the half-range for 20 graphs."""
    return real_range(settings, "community_small")


@check("W2.ego_small")
def real_ego_small_varies(settings: Settings) -> Measurement:
    """Return the half-range for 40 graphs."""
    return real_range(settings, "ego_small")


@check("W2.enzymes")
def real_enzymes_varies(settings: Settings) -> Measurement:
    """Return the half-range for 117 graphs."""
    return real_range(settings, "ENZYMES")
