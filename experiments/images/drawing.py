"""Figures of images: quality against evaluations, a column a family of samplers, with bands; grids of samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from ams.palette import look

FAMILIES: dict[str, tuple[str, ...]] = {
    "annealed, no momentum": (
        "annealed Langevin",
        "Langevin, drift x1.5",
        "Langevin, drift x2",
        "Leimkuhler-Matthews",
        "consistent",
    ),
    "momentum, and its parts": (
        "adaptive momentum",
        "adaptive momentum, per sample",
        "adaptive, drift only",
        "adaptive, average only",
        "adaptive, noise corrected",
        "constant momentum",
    ),
    "predictor, corrector": (
        "PC, Langevin",
        "PC, adaptive",
        "PC, adaptive, per sample",
        "PC, constant",
        "reverse diffusion",
        "ancestral",
    ),
    "flows and solvers": (
        "flow, Euler",
        "flow, Heun",
        "flow, RK45",
        "EDM stochastic",
        "DPM-Solver++",
        "SDE-DPM-Solver++",
        "isothermal, e = 0",
        "isothermal, e = 1/2",
        "isothermal, tapered",
    ),
}
REFERENCES = ("annealed Langevin", "adaptive momentum")
"""Drawn pale in every column, so that each sampler is seen against both."""

Bands = Mapping[str, Mapping[int, tuple[float, float, float]]]
"""By sampler and evaluations: mean, low, high."""


class Row(NamedTuple):
    """One row of panels: its curves, the label of its axis, what of it is shown, lines across."""

    bands: Bands
    label: str
    limits: tuple[float, float]
    logarithmic: bool = True
    lines: tuple[float, ...] = ()


def draw_rows(rows: Sequence[Row], ticks: Sequence[int]) -> Drawing:
    """Draw a column for each family that occurs, a row for each quality."""
    found = {name for row in rows for name in row.bands}
    families = {title: [name for name in names if name in found] for title, names in FAMILIES.items()}
    families = {title: names for title, names in families.items() if names}
    size = (7.4 if len(families) > 2 else 5.4, 2.0 * len(rows) + 1.7)
    drawing = Drawing(figsize=size, layout="constrained")
    panels = drawing.subplots(len(rows), len(families), sharex=True, sharey="row", squeeze=False)
    for column, (title, names) in enumerate(families.items()):
        for row, axes in zip(rows, panels[:, column], strict=True):
            _panel(axes, row, names)
        panels[0, column].set_title(title, fontsize=8)
        panels[-1, column].set_xlabel("NFE")
        handles, labels = panels[0, column].get_legend_handles_labels()
        panels[-1, column].legend(
            handles, labels, loc="upper left", bbox_to_anchor=(-0.12, -0.34), fontsize=6.2, handlelength=2.6
        )
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
    kept: list[int] = []
    for tick in sorted(ticks):
        if not kept or tick >= ratio * kept[-1]:
            kept.append(tick)
    return kept


def _panel(axes: Axes, row: Row, names: Sequence[str]) -> None:
    if row.logarithmic:
        axes.set_yscale("log")
    axes.set_ylim(row.limits)
    for height in row.lines:
        axes.axhline(height, color="0.35", lw=0.8, ls=":")
    for name in (name for name in REFERENCES if name in row.bands and name not in names):
        budgets = sorted(row.bands[name])
        axes.plot(budgets, [row.bands[name][b][0] for b in budgets], color=look(name)["color"], lw=2.4, alpha=0.18)
    for name in names:
        _curve(axes, name, row.bands.get(name, {}))


def _curve(axes: Axes, name: str, band: Mapping[int, tuple[float, float, float]]) -> None:
    budgets = sorted(band)
    if not budgets:
        return
    drawn = look(name)
    mean, low, high = np.array([band[budget] for budget in budgets]).T
    axes.plot(budgets, mean, markersize=3.6, lw=1.2, **drawn)
    axes.fill_between(budgets, low, high, color=drawn["color"], alpha=0.15, lw=0)


def draw_grid(rows: Mapping[str, Float[Tensor, "images h w"]], notes: Mapping[str, str] | None = None) -> Drawing:
    """Draw images side by side, a row a name; pixels below 0 and above 1 are cut off."""
    drawing = Drawing(figsize=(7.2, 0.5 * len(rows)), layout=ConstrainedLayoutEngine(h_pad=0.01, w_pad=0.01))
    for axes, (name, x) in zip(drawing.subplots(len(rows), 1, squeeze=False)[:, 0], rows.items(), strict=True):
        axes.imshow(np.concatenate(list(x.clamp(0, 1).numpy()), axis=1), cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        axes.spines[:].set_visible(False)
        told = name if notes is None or name not in notes else f"{name}\n{notes[name]}"
        axes.set_ylabel(told, rotation=0, ha="right", va="center", fontsize=6.5)
    return drawing


def bands_of(
    results: Mapping[str, Mapping[int, list[float]]], interval: Callable[[list[float]], tuple[float, float, float]]
) -> Bands:
    """Return mean and interval of each list of values, one a batch."""
    return {
        name: {budget: interval(values) for budget, values in by_budget.items()} for name, by_budget in results.items()
    }
