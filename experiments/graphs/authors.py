"""The published table of graphs, from the authors' checkpoints and settings: claims V10 to V12.

A published row is one number a statistic, of as many generated graphs as the test set has. Here more are generated, and
the row is their mean over sets of that size (`discrepancy.kernel_row`); so it is compared with the published one in
standard errors of both. The floor beside it is what real graphs give: the test set against as many training graphs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from pydantic import BaseModel, ConfigDict, JsonValue

from ams.data import Graph
from ams.inference import Interval
from ams.ledger import Figure, Measurement, Table, check, save_figure
from experiments.graphs.checkpoints import networks
from experiments.graphs.data import Split, cut, published, sizes
from experiments.graphs.discrepancy import (
    Row,
    false_alarms,
    kernel_estimates,
    kernel_floor,
    kernel_row,
    kernel_row_means,
    mean_kernel,
)
from experiments.graphs.drawing import draw_graphs
from experiments.graphs.generation import PUBLISHED, generate, shares
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from experiments.graphs.statistics import Statistic

ROWS: Mapping[str, tuple[float, float, float]] = {
    "community_small": (0.045, 0.086, 0.007),
    "ego_small": (0.021, 0.024, 0.007),
    "ENZYMES": (0.026, 0.061, 0.009),
    "grid": (0.111, 0.005, 0.070),
}
"""Degree, cluster, orbit as published for GDSS (arXiv 2202.02514), 1000 steps."""
PRINTED = 0.0005
"""Half the last printed digit."""
ERRORS = 2.0
"""Standard errors that a published row may be from ours."""
STEPS = 1000
"""Of the published rows."""
SHOWN = 6
"""Graphs of a set that are drawn, at most."""

CLAIMS = ("V10", "V11", "V12")


class Settings(BaseModel):
    """Of each set: how many graphs are generated, and in how many steps. `draws`: of real graphs, for the floor.

    The graphs are shared among `seeds` runs, from `seed` on: a batch of the sampler holds those of one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    community_small: tuple[int, int] = (128, 1000)
    ego_small: tuple[int, int] = (128, 1000)
    enzymes: tuple[int, int] = (64, 500)
    grid: tuple[int, int] = (4, 100)
    draws: int = 2000
    seeds: int = 2
    seed: int = 2405

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
    """Return the graphs that the authors' checkpoint and sampler make, by seed. Raises Unavailable, NonFiniteState."""
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


def farthest(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors the published value of a statistic is from ours, at most."""
    cells, (count, steps) = row(settings, name), settings.of(name)
    detail: dict[str, JsonValue] = {
        cell.statistic: (
            f"published {cell.published:g}, ours {cell.ours.mean.value:.4f} (each seed: "
            f"{', '.join(f'{one:.4f}' for one in cell.each)}), standard error {cell.error:.4f}, "
            f"floor {cell.floor.value:.4f}"
        )
        for cell in cells
    }
    alarms = round(false_alarms([cell.ours for cell in cells], ERRORS), 3)
    detail |= {"steps": steps, "size of a row": len(published(name).test), "false-alarm rate": alarms}
    used = tuple(settings.seed + number for number in range(settings.seeds))
    return Measurement(value=max(cell.stray for cell in cells), n=count, seeds=used, detail=detail)


@check("V10.community_small")
def community_small_is_reproduced(settings: Settings) -> Measurement:
    """Return the published row's distance from ours."""
    return farthest(settings, "community_small")


@check("V10.ego_small")
def ego_small_is_reproduced(settings: Settings) -> Measurement:
    """Return the published row's distance from ours."""
    return farthest(settings, "ego_small")


@check("V12.enzymes")
def enzymes_is_near(settings: Settings) -> Measurement:
    """Return the published row's distance from ours, in half the published steps."""
    return farthest(settings, "ENZYMES")


@check("V12.grid")
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


@check("V11.community_small")
def real_community_small_varies(settings: Settings) -> Measurement:
    """Return the half-range for 20 graphs."""
    return real_range(settings, "community_small")


@check("V11.ego_small")
def real_ego_small_varies(settings: Settings) -> Measurement:
    """Return the half-range for 40 graphs."""
    return real_range(settings, "ego_small")


@check("V11.enzymes")
def real_enzymes_varies(settings: Settings) -> Measurement:
    """Return the half-range for 117 graphs."""
    return real_range(settings, "ENZYMES")


def tables(settings: Settings) -> list[Table]:
    """Return every row beside the published one and the floor."""
    rows = []
    for name in ROWS:
        count, steps = settings.of(name)
        for cell in row(settings, name):
            low, high = (cell.resampled.low, cell.resampled.high) if cell.resampled else ("", "")
            ours = (cell.ours.mean.value, cell.stray, low, high)
            rows.append((name, cell.statistic, count, steps, cell.published, *ours, *cell.floor[:3]))
    caption = (
        "Published squared MMDs and ours, from the authors' checkpoints and samplers: the published (biased) estimate, "
        "its mean over sets as large as the test set; how many standard errors the published value is from it; "
        "the 95 % interval with the test set drawn again too. Floor: real graphs in their place, "
        "mean and central 95 % range."
    )
    sized = ("set", "statistic", "graphs", "steps")
    header = (*sized, "published", "ours", "errors", "low", "high", "floor", "floor low", "floor high")
    return [Table(id="graphs_rows", caption=caption, header=header, rows=tuple(rows), claims=CLAIMS)]


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the rows over their floors, and graphs of each set beside real ones."""
    cells = {name: row(settings, name) for name in ROWS}
    return [
        save_figure(draw_rows(cells, settings), folder, "graphs_rows", _told(cells, settings), CLAIMS),
        save_figure(draw_graphs(_drawn(settings)), folder, "graphs_rows_drawn", DRAWN, CLAIMS),
    ]


DRAWN = (
    f"Graphs of the authors' checkpoints and of their test sets: the first {SHOWN} of each, or as many as were "
    "generated. Placed by their edges alone, isolated nodes left out; in a row an edge is as long on average in every "
    "graph, components lie an edge apart."
)


def _told(cells: Mapping[str, Sequence[Cell]], settings: Settings) -> str:
    """Return the caption of the rows."""
    far = [name for name, row_of in cells.items() if max(cell.stray for cell in row_of) > ERRORS]
    fewer = [f"{name} in {settings.of(name)[1]}" for name in cells if settings.of(name)[1] < STEPS]
    caption = (
        "Squared MMDs of the authors' checkpoints against the test set, at its size. Grey: central 95 % of what real "
        "graphs in the place of generated ones give. Circles: published; squares: ours, with one standard error of a "
        f"single set. Published rows are of {STEPS} steps"
    )
    caption += f", ours of fewer: {', '.join(fewer)}." if fewer else "."
    return caption + (
        f" Farther than {ERRORS:g} standard errors from the published row: {', '.join(far)}." if far else ""
    )


def _drawn(settings: Settings) -> dict[str, Sequence[Graph]]:
    """Return real and generated graphs of every set, as many of each, by the label of their row."""
    rows: dict[str, Sequence[Graph]] = {}
    for name in ROWS:
        made, steps = [graph for listed in generated(settings, name) for graph in listed][:SHOWN], settings.of(name)[1]
        rows[f"{name}\nreal"] = published(name).test[: len(made)]
        rows[f"{name}\ngenerated, {steps} steps"] = made
    return rows


def draw_rows(cells: Mapping[str, Sequence[Cell]], settings: Settings) -> Drawing:
    """Draw published and our values over the floor's range, a panel a set."""
    drawing = Drawing(figsize=(7.2, 3.0), layout="constrained")
    panels = drawing.subplots(1, len(cells))
    for axes, (name, row_of) in zip(panels, cells.items(), strict=True):
        for place, cell in enumerate(row_of):
            _draw_cell(axes, place, cell)
        axes.set_xticks(range(len(row_of)), [cell.statistic for cell in row_of], fontsize=6.5)
        count, steps = settings.of(name)
        axes.set_title(f"{name}\n{count} graphs, {steps} steps", fontsize=8)
        axes.set_xlim(-0.6, len(row_of) - 0.4)
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel("squared MMD")
    handles, labels = panels[0].get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    drawing.legend(named.values(), named, loc="outside lower center", ncols=3)
    return drawing


def _draw_cell(axes: Axes, place: int, cell: Cell) -> None:
    floor, ours = [cell.floor.low, cell.floor.high], cell.ours
    axes.plot([place] * 2, floor, color="0.8", lw=9, solid_capstyle="butt", label="real graphs, 95 %")
    point = {"color": "#000000", "zorder": 3, "clip_on": False}
    axes.plot(place - 0.14, cell.published, "o", mfc="white", ms=5, label="published", **point)
    axes.errorbar(
        place + 0.14, ours.mean.value, ours.spread, fmt="s", ms=4, label="ours, one standard error of a set", **point
    )
