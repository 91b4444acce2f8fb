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

from matplotlib.figure import Figure as Drawing
from pydantic import BaseModel, ConfigDict, JsonValue

from ams.data import Graph
from ams.inference import Interval
from ams.ledger import Figure, Measurement, Table, check, save_figure
from experiments.graphs.checkpoints import networks
from experiments.graphs.data import Split, cut, published, sizes
from experiments.graphs.discrepancy import estimates, kernel_floor, kernel_row, mean_kernel
from experiments.graphs.drawing import draw_graphs
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
PRINTED = 0.0005
"""Half the last printed digit."""

CLAIMS = ("V10", "V11", "V12")
KINDS = ("real", "generated")


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

    `stray` is how many standard errors, of ours and of the published row, the two are apart; `spread` the standard
    deviation of a single row; `resampled` the 95 % interval of ours with the test set drawn again too (None: too few).
    """

    statistic: str
    published: float
    ours: Interval
    floor: Interval
    stray: float
    spread: float
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
    error = math.hypot((ours.high - ours.low) / 2, spread, PRINTED)
    resampled = _moved(estimates(statistic, real.test, made, seed).unbiased, ours.value)
    return Cell(statistic.name, value, ours, floor, abs(value - ours.value) / error, spread, resampled)


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
        cell.statistic: f"published {cell.published:g}, ours {cell.ours.value:.4f}, floor {cell.floor.value:.4f}"
        for cell in cells
    }
    detail |= {"steps": steps, "size of a row": len(published(name).test)}
    return Measurement(value=max(cell.stray for cell in cells), n=count, seeds=(settings.seed,), detail=detail)


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
            ours = (cell.ours.value, cell.stray, low, high)
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
    caption = (
        "Squared MMDs of the authors' checkpoints against the test set, at its size. Grey: central 95 % of what real "
        "graphs in the place of generated ones give. Circles: published; squares: ours, with one standard error of a "
        "single set."
    )
    drawn = "Graphs of the authors' checkpoints and of their test sets (community_small and ego_small: 1000 steps)."
    cells = {name: row(settings, name) for name in ROWS}
    listed = {name: (published(name).test, generated(settings, name)) for name in ROWS}
    graphs = {f"{name}, {kind}": pair[at][:6] for name, pair in listed.items() for at, kind in enumerate(KINDS)}
    return [
        save_figure(draw_rows(cells), folder, "graphs_rows", caption, CLAIMS),
        save_figure(draw_graphs(graphs), folder, "graphs_rows_drawn", drawn, CLAIMS),
    ]


def draw_rows(cells: Mapping[str, Sequence[Cell]]) -> Drawing:
    """Draw published and our values over the floor's range, a panel a set."""
    drawing = Drawing(figsize=(7.2, 2.8), layout="constrained")
    panels = drawing.subplots(1, len(cells))
    for axes, (name, row_of) in zip(panels, cells.items(), strict=True):
        for place, cell in enumerate(row_of):
            floor, ours = cell.floor, cell.ours.value
            axes.plot(
                [place] * 2,
                [floor.low, floor.high],
                color="0.8",
                lw=9,
                solid_capstyle="butt",
                label="real graphs, 95 %",
            )
            axes.plot(place - 0.14, cell.published, "o", color="#000000", mfc="none", ms=5, label="published")
            axes.errorbar(
                place + 0.14, ours, cell.spread, fmt="s", color="#D55E00", ms=4, label="ours, one standard error"
            )
        axes.set_xticks(range(len(row_of)), [cell.statistic for cell in row_of], fontsize=6.5)
        axes.set(title=name, xlim=(-0.6, len(row_of) - 0.4))
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel("squared MMD")
    handles, labels = panels[0].get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    drawing.legend(named.values(), named, loc="outside lower center", ncols=3)
    return drawing
