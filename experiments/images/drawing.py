"""Figures of images: errors against score evaluations, a column a family of samplers, with bands;
grids of samples.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation
from torch import Tensor

from ams.plots import Points, ticks
from ams.samplers.looks import LOOKS
from ams_suite.drawn import speed_up_chart

REFERENCES = ("annealed Langevin", "adaptive momentum")
"""Drawn pale in every column, so that each sampler is seen against both."""

Bands = Mapping[str, Mapping[int, tuple[float, float, float]]]
"""By sampler and evaluations: mean, low, high."""
_DODGE = 4.0  # points between arrows at one place of an edge
_TEXT_WIDTH = 6.5  # inches: a page's, so that type is printed at its own size
_LETTERS = 16  # in a line of a legend, which is as wide as a column
COLUMNS = 7
"""Images in a row of a grid: few, so that noise is seen."""
_GREYS = 16  # shades of a grid's pixels: files stay small


class ErrorPanel(NamedTuple):
    """An error: its curves, the label and the limits of its axis, lines across, ticks (none:
    matplotlib's).
    """

    bands: Bands
    label: str
    limits: tuple[float, float]
    logarithmic: bool = True
    lines: tuple[float, ...] = ()
    ticks: tuple[float, ...] = ()


def draw_rows(rows: Sequence[ErrorPanel], budgets: Sequence[int]) -> Drawing:
    """Draw a column for each family that occurs, in it a panel for each error; the panels of a row
    share their axes.

    A mean beyond an axis is an arrow at its edge. Raises UserError for a sampler without a look.
    """
    families = LOOKS.families(name for row in rows for name in row.bands)
    drawing, grid = _grid(len(rows), families)
    for row, line in zip(rows, grid, strict=True):
        for axes, names in zip(line, families.values(), strict=True):
            _panel(axes, row, names)
            axes.set(xscale="log", xlim=(0.85 * min(budgets), 1.18 * max(budgets)))
            ticks(axes, apart(budgets))
            axes.tick_params(which="both", labelleft=axes is line[0], labelbottom=row is rows[-1])
        line[0].set_ylabel(row.label)
    for axes, title in zip(grid[0], families, strict=True):
        handles, labels = axes.get_legend_handles_labels()
        place: dict[str, Any] = {
            "bbox_to_anchor": (axes.get_position().x0, 1.0),
            "loc": "upper left",
        }
        place |= {
            "title": fill(title, 15),
            "alignment": "left",
            "borderaxespad": 0.2,
            "handletextpad": 0.4,
        }
        drawing.legend(
            handles,
            [_lines(label) for label in labels],
            fontsize=7,
            title_fontsize=8,
            handlelength=1.1,
            **place,
        )
    drawing.supxlabel("score evaluations (NFE)", fontsize=8.5, y=0.04 / drawing.get_figheight())
    drawing.align_ylabels(grid[:, 0])
    return drawing


def _grid(rows: int, families: Mapping[str, Sequence[str]]) -> tuple[Drawing, Any]:
    """Return a figure and its panels, with room above each column for its legend."""
    lines = max(
        2 + sum(1 + _lines(name).count("\n") for name in names) for names in families.values()
    )
    left, right, below, above, height = 0.62, 0.08, 0.42, 0.125 * lines + 0.15, 1.15
    width = min(left + right + 1.5 * len(families), _TEXT_WIDTH)
    tall = above + below + (height + 0.1) * rows
    drawing = Drawing(figsize=(width, tall), layout="none")  # type: ignore[arg-type]  # its stubs lack the word
    grid = drawing.subplots(rows, len(families), sharex=True, sharey="row", squeeze=False)
    edges = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": below / tall,
        "top": 1 - above / tall,
    }
    drawing.subplots_adjust(**edges, wspace=0.16, hspace=0.1)
    return drawing, grid


def _lines(name: str, letters: int = _LETTERS) -> str:
    """Return a sampler's name in lines of so many letters, by default as long as a column is
    wide.
    """
    return fill(name.replace(" = ", "\u00a0=\u00a0"), letters)


def move_speed_ups(curves: Mapping[tuple[str, str], Points]) -> Any:
    """Return a chart of speed-ups against the evaluations of the faster sampler, by case and
    "default" or "tuned".

    Lines break at points that are not finite.
    """
    rows = [
        {
            "case": case,
            "tuned": tuned,
            "budget": round(budget),
            "times": round(ratio, 3) if isfinite(ratio) else None,
        }
        for (case, tuned), points in curves.items()
        for budget, ratio in points
    ]
    return speed_up_chart(rows, logarithmic=True)


def apart(budgets: Sequence[int]) -> list[int]:
    """Return the budgets, rising, without those whose labels would touch on a logarithmic axis half
    a column wide.
    """
    shown: list[int] = []
    ratio = (max(budgets) / min(budgets)) ** 0.25
    for budget in sorted(budgets):
        if not shown or budget >= ratio * shown[-1]:
            shown.append(budget)
    return shown


def _panel(axes: Axes, row: ErrorPanel, names: Sequence[str]) -> None:
    if row.logarithmic:
        axes.set_yscale("log")
    axes.set_ylim(row.limits)
    if row.ticks:
        axes.set_yticks(row.ticks, [f"{tick:g}" for tick in row.ticks])
        axes.yaxis.set_minor_locator(NullLocator())
    for height in row.lines:
        axes.axhline(height, color="0.35", lw=0.8, ls=":")
    for name in (name for name in REFERENCES if name in row.bands and name not in names):
        budgets = sorted(row.bands[name])
        axes.plot(
            budgets,
            [row.bands[name][b][0] for b in budgets],
            color=LOOKS[name].colour,
            lw=2.4,
            alpha=0.18,
        )
    for name in (name for name in names if name in row.bands):
        budgets = sorted(row.bands[name])
        mean, low, high = np.array([row.bands[name][budget] for budget in budgets]).T
        axes.plot(budgets, mean, **LOOKS[name].style())
        axes.fill_between(budgets, low, high, color=LOOKS[name].colour, alpha=0.15, lw=0)
    _mark_beyond(axes, row, names)


def _mark_beyond(axes: Axes, row: ErrorPanel, names: Sequence[str]) -> None:
    """Draw an arrow at the edge for each mean beyond it, those of one place side by side."""
    low, high = row.limits
    arrows: Counter[tuple[int, float]] = Counter()
    for name in names:
        for budget, (mean, _, _) in sorted(row.bands.get(name, {}).items()):
            if low <= mean <= high:
                continue
            edge, marker = (high, CARETUP) if mean > high else (low, CARETDOWN)
            aside = ScaledTranslation(
                _DODGE / 72 * arrows[budget, edge], 0.0, axes.figure.dpi_scale_trans
            )
            arrows[budget, edge] += 1
            place = axes.transData + aside
            axes.plot(
                budget,
                edge,
                marker=marker,
                ms=5.0,
                color=LOOKS[name].colour,
                transform=place,
                zorder=4,
            )


def draw_grid(rows: Mapping[str, Float[Tensor, "images h w *rgb"]]) -> Drawing:
    """Draw the first `COLUMNS` images of each name in a row, in greys or colours; pixels are
    clipped to [0, 1].

    The grid is one picture with the images' own pixels, so its file is small.
    """
    images = [x[:COLUMNS].clamp(0, 1).numpy() for x in rows.values()]
    gap, width = max(images[0].shape[1] // 14, 1), max(x.shape[0] * x.shape[2] for x in images)
    lines = [np.concatenate([*x], axis=1) for x in images]
    # grey levels are drawn from white to black
    rgb, white = (
        [(0, 0)] * (lines[0].ndim - 2),
        float(lines[0].ndim > 2),
    )
    padded = [
        np.pad(x, ((0, gap), (0, width - x.shape[1]), *rgb), constant_values=white) for x in lines
    ]
    mosaic = np.concatenate(padded)
    pitch = len(mosaic) / len(rows)  # a row's images, and white below them
    names, edge = 1.2, 0.05  # inches: the longest line of a name, and a little white
    inner = 3.4 - names - edge
    height = inner * len(mosaic) / width + 2 * edge
    drawing = Drawing(figsize=(3.4, height))
    axes = drawing.subplots()
    axes.set_position((names / 3.4, edge / height, inner / 3.4, 1 - 2 * edge / height))
    axes.imshow(
        mosaic, cmap=colormaps["gray_r"].resampled(_GREYS), vmin=0, vmax=1, interpolation="none"
    )
    axes.set_yticks(pitch * (np.arange(len(rows)) + 0.5) - 0.5, [_lines(name, 19) for name in rows])
    axes.tick_params(length=0)
    axes.set_xticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return drawing
