"""The published table of graphs, from the authors' checkpoints and settings (module `rows`): claims V10 to V12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from pydantic import JsonValue

from ams.data import Graph
from experiments.graphs.data import published
from experiments.graphs.discrepancy import false_alarms, kernel_floor, mean_kernel
from experiments.graphs.drawing import draw_graphs
from experiments.graphs.gdss_tables.rows import ROWS, STEPS, Cell, Settings, generated, row
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from verdicts import Figure, Measurement, Table, check, save_figure

__all__ = ["Settings"]

CLAIMS = ("V10", "V11", "V12")
ERRORS = 2.0
"""Standard errors that a published row may be from ours."""
FEWEST = 20
"""Graphs whose rows tell how often a right row strays: of fewer the same ones are drawn again and again."""
SHOWN = 6
"""Graphs of a set that are drawn, at most."""


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
    detail |= {"steps": steps, "size of a row": len(published(name).test)}
    if count >= FEWEST:
        detail["false-alarm rate"] = round(false_alarms([cell.ours for cell in cells], ERRORS), 3)
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
    (shown,) = axes.plot(
        place - 0.14, cell.published, "o", color="black", mfc="white", ms=5, label="published", zorder=3
    )
    shown.set_clip_on(False)  # where it lies on the axis
    mean, spread, label = ours.mean.value, ours.spread, "ours, one standard error of a set"
    axes.errorbar(place + 0.14, mean, spread, fmt="s", color="black", ms=4, label=label, zorder=3)
