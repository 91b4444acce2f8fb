"""Figures of images: errors against score evaluations, a column a family of samplers, with bands; grids of samples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation
from torch import Tensor

from ams.samplers.presets import SPECS

FAMILIES = {
    "annealed, no momentum": (
        *("annealed Langevin", "Langevin, drift x1.5", "Langevin, drift x2", "Leimkuhler-Matthews"),
        "consistent annealed sampling",
    ),
    "momentum, and its parts": (
        *("adaptive momentum", "adaptive momentum, per sample", "adaptive, drift only", "adaptive, average only"),
        *("adaptive, noise corrected", "constant momentum"),
    ),
    "predictor, corrector": (
        *("PC, Langevin", "PC, adaptive", "PC, adaptive, per sample", "PC, constant"),
        *("reverse diffusion", "ancestral"),
    ),
    "ODE and SDE solvers": (
        *("Euler ODE", "Heun ODE", "RK45 ODE", "EDM stochastic", "DPM-Solver++", "SDE-DPM-Solver++"),
        *("annealed BAOAB, e = 0", "annealed BAOAB, e = 1/2", "annealed BAOAB, tapered"),
    ),
}
"""The samplers of each column, by its title."""
REFERENCES = ("annealed Langevin", "adaptive momentum")
"""Drawn pale in every column, so that each sampler is seen against both."""

Bands = Mapping[str, Mapping[int, tuple[float, float, float]]]
"""By sampler and evaluations: mean, low, high."""
_DODGE = 4.0  # points between arrows at one place of an edge
_GREYS = 16  # shades of a grid's pixels: files stay small


class Row(NamedTuple):
    """A row of panels: its curves, the label and the limits of its axis, lines across, ticks (none: matplotlib's)."""

    bands: Bands
    label: str
    limits: tuple[float, float]
    logarithmic: bool = True
    lines: tuple[float, ...] = ()
    ticks: tuple[float, ...] = ()


def draw_rows(rows: Sequence[Row], ticks: Sequence[int], height: float = 2.0) -> Drawing:
    """Draw a column for each family that occurs, a row for each error, of a height in inches.

    A mean beyond an axis is an arrow at its edge.
    """
    drawn = {name for row in rows for name in row.bands}
    families = {title: [name for name in names if name in drawn] for title, names in FAMILIES.items()}
    families = {title: names for title, names in families.items() if names}
    size = (7.4 if len(families) > 2 else 5.4, height * len(rows) + 1.7)
    drawing = Drawing(figsize=size, layout="constrained")
    panels = drawing.subplots(len(rows), len(families), sharex=True, sharey="row", squeeze=False)
    for column, (title, names) in enumerate(families.items()):
        for row, axes in zip(rows, panels[:, column], strict=True):
            _panel(axes, row, names)
        panels[0, column].set_title(title, fontsize=8)
        panels[-1, column].set_xlabel("evaluations (NFE)", fontsize=8)
        entries = panels[0, column].get_legend_handles_labels()
        corner = (-0.12, -0.6 / height)  # 0.6 inches: ticks and label
        panels[-1, column].legend(*entries, loc="upper left", bbox_to_anchor=corner, fontsize=6.2, handlelength=2.6)
    for row, axes in zip(rows, panels[:, 0], strict=True):
        axes.set_ylabel(row.label)
    shown = apart(ticks)
    for axes in panels[-1]:
        axes.set_xscale("log")
        axes.set_xticks(shown, [str(tick) for tick in shown], fontsize=6.5)
        axes.minorticks_off()
    return drawing


def apart(ticks: Sequence[int], ratio: float = 1.9) -> list[int]:
    """Return the ticks, rising, without those that would stand in another's place on a logarithmic axis."""
    shown: list[int] = []
    for tick in sorted(ticks):
        if not shown or tick >= ratio * shown[-1]:
            shown.append(tick)
    return shown


def _panel(axes: Axes, row: Row, names: Sequence[str]) -> None:
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
        axes.plot(budgets, [row.bands[name][b][0] for b in budgets], color=SPECS[name].colour, lw=2.4, alpha=0.18)
    for name in (name for name in names if name in row.bands):
        budgets = sorted(row.bands[name])
        mean, low, high = np.array([row.bands[name][budget] for budget in budgets]).T
        axes.plot(budgets, mean, markersize=3.6, lw=1.2, **SPECS[name].look())
        axes.fill_between(budgets, low, high, color=SPECS[name].colour, alpha=0.15, lw=0)
    _mark_beyond(axes, row, names)


def _mark_beyond(axes: Axes, row: Row, names: Sequence[str]) -> None:
    """Draw an arrow at the edge for each mean beyond it, those of one place side by side."""
    low, high = row.limits
    arrows: Counter[tuple[int, float]] = Counter()
    for name in names:
        for budget, (mean, _, _) in sorted(row.bands.get(name, {}).items()):
            if low <= mean <= high:
                continue
            edge, marker = (high, CARETUP) if mean > high else (low, CARETDOWN)
            aside = ScaledTranslation(_DODGE / 72 * arrows[budget, edge], 0.0, axes.figure.dpi_scale_trans)
            arrows[budget, edge] += 1
            place = axes.transData + aside
            axes.plot(budget, edge, marker=marker, ms=5.0, color=SPECS[name].colour, transform=place, zorder=4)


def draw_grid(rows: Mapping[str, Float[Tensor, "images h w"]]) -> Drawing:
    """Draw images side by side, a row a name; pixels are clipped to [0, 1].

    The grid is one picture with the images' own pixels, so its file is small.
    """
    images = [x.clamp(0, 1).numpy() for x in rows.values()]
    gap, width = max(images[0].shape[1] // 14, 1), max(x.shape[0] * x.shape[2] for x in images)
    lines = [np.concatenate([*x], axis=1) for x in images]
    mosaic = np.concatenate([np.pad(line, ((0, gap), (0, width - line.shape[1]))) for line in lines])
    height, pitch = len(mosaic), len(mosaic) / len(rows)  # a row's images, and white below them
    names, edge = 0.15 + 0.05 * max(map(len, rows)), 0.05  # inches: the longest name's, and a little white
    inner = 7.2 - names - edge
    size = (7.2, inner * height / width + 2 * edge)
    drawing = Drawing(figsize=size)
    axes = drawing.subplots()
    axes.set_position((names / size[0], edge / size[1], inner / size[0], 1 - 2 * edge / size[1]))
    axes.imshow(mosaic, cmap=colormaps["gray_r"].resampled(_GREYS), vmin=0, vmax=1, interpolation="none")
    axes.set_yticks(pitch * (np.arange(len(rows)) + 0.5) - 0.5, list(rows), fontsize=6.5)
    axes.tick_params(length=0)
    axes.set_xticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return drawing
