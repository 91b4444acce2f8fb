"""Shared parts of figures: errors against score evaluations, their ticks, reference lines and legends.

Each sampler has its own colour and marker (`ams.samplers.presets`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ams.samplers.presets import SPECS
from ams.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = Iterable[tuple[float, float]]
"""Pairs `(evaluations, error)`, ascending."""
ROUND_BUDGETS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def error_against_nfe(axes: "Axes", curves: Mapping[str, Points], logarithmic: bool = True) -> None:
    """Draw each sampler's error against its score evaluations. `logarithmic` is about the vertical axis."""
    for name, points in curves.items():
        evaluations, errors = zip(*points, strict=True) if (points := list(points)) else ((), ())
        axes.plot(evaluations, errors, markersize=3.5, **SPECS[name].look())
    axes.set_xscale("log")
    axes.set_yscale("log" if logarithmic else "linear")
    axes.set_xlabel("score evaluations (NFE)")


def budget_ticks(axes: "Axes", budgets: Sequence[float]) -> None:
    """Label a logarithmic horizontal axis with the round budgets within the range of `budgets`."""
    shown = [at for at in ROUND_BUDGETS if min(budgets) <= at <= max(budgets)]
    axes.set_xticks(shown, [str(at) for at in shown])
    axes.minorticks_off()


def reference_line(axes: "Axes", value: float, name: str, right: bool = True, above: bool = True) -> None:
    """Draw a dotted horizontal line at `value`, with its name above or below its right or left end."""
    from matplotlib.patheffects import withStroke

    axes.axhline(value, color="0.4", lw=0.8, ls=(0, (1, 2)))
    text = axes.annotate(
        name,
        (float(right), value),
        (0 if right else 3, 1 if above else -1),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="bottom" if above else "top",
        ha="right" if right else "left",
        fontsize=8,
    )
    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])  # legible where curves pass


def legend_below(drawing: "Figure", axes: "Axes", columns: int = 3) -> None:
    """Put the legend of `axes` below the whole figure."""
    drawing.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns)


def panels(count: int = 1, height: float = 2.9, **shared: Any) -> tuple["Figure", Sequence["Axes"]]:
    """Return a figure, half a page wide for one panel and a page for more, and its axes in a row.

    `shared` are keyword arguments of matplotlib's `subplots`, as `sharey=True`.
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(3.6 if count == 1 else 7.2, height), layout="constrained")
    return drawing, drawing.subplots(1, count, squeeze=False, **shared)[0]


def interval_band(axes: "Axes", x: Sequence[float], intervals: Sequence[Interval], look: Mapping[str, Any]) -> None:
    """Draw a curve of values, their intervals as a band in its colour; `look` as of `SamplerSpec.look()`."""
    value, low, high, _ = np.array(intervals).T
    axes.plot(x, value, markersize=4, **look)
    axes.fill_between(x, low, high, color=look["color"], alpha=0.12, lw=0)
