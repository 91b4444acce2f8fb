"""Shared parts of figures: errors against score evaluations, their ticks, reference lines and
legends.

Each sampler has its own colour and marker (`ams.samplers.looks`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ams.samplers.looks import BLUE, LOOKS, Look
from ams.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = Iterable[tuple[float, float]]
"""Pairs `(evaluations, error)`, ascending."""
ROUND_BUDGETS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_LIGHTEST = 0.82  # the lightest shade of cividis that is visible on white


def error_against_nfe(axes: "Axes", curves: Mapping[str, Points], logarithmic: bool = True) -> None:
    """Draw each sampler's error against its score evaluations. `logarithmic` is about the vertical
    axis.
    """
    for name, points in curves.items():
        evaluations, errors = zip(*points, strict=True) if (points := list(points)) else ((), ())
        axes.plot(evaluations, errors, **LOOKS[name].style())
    axes.set_xscale("log")
    axes.set_yscale("log" if logarithmic else "linear")
    axes.set_xlabel("score evaluations (NFE)")


def speed_up_panel(axes: "Axes", curves: Mapping[str, Points], **look: Any) -> None:
    """Draw speed-ups against the score evaluations of the faster sampler, a line a name; shaded: at
    least 2.

    Lines break at points that are not finite. `look` are keyword arguments of matplotlib's `plot`.
    """
    axes.axhspan(2.0, 50.0, color=BLUE, alpha=0.12, lw=0)
    axes.axhline(1.0, color="0.4", lw=0.8)
    for number, (name, points) in enumerate(curves.items()):
        evaluations, ratios = np.array([*points], dtype=float).reshape(-1, 2).T
        ratios[np.isinf(ratios)] = np.nan
        axes.plot(
            evaluations, ratios, marker="osD^v<>"[number % 7], markersize=3, label=name, **look
        )
    axes.set(xscale="log", yscale="log", xlabel="score evaluations (NFE)", ylabel="speed-up")
    ticks = [0.1, 0.5, 1, 2, 5, 10, 20]
    axes.set_yticks(ticks, [f"{at:g}" for at in ticks])
    axes.set_ylim(top=25.0)
    axes.yaxis.minorticks_off()


def ticks(axes: "Axes", at: Sequence[float]) -> None:
    """Label a logarithmic horizontal axis at these values alone."""
    axes.set_xticks(at, [f"{value:g}" for value in at])
    axes.xaxis.minorticks_off()


def budget_ticks(axes: "Axes", budgets: Sequence[float]) -> None:
    """Label a logarithmic horizontal axis with the round budgets within the range of `budgets`."""
    ticks(axes, [at for at in ROUND_BUDGETS if min(budgets) <= at <= max(budgets)])


def reference_line(
    axes: "Axes", value: float, name: str, right: bool = True, above: bool = True
) -> None:
    """Draw a dotted horizontal line at `value`, with its name above or below its right or left
    end.
    """
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
    )
    # legible where curves pass
    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def legend_above(axes: "Axes", columns: int = 2, title: str | None = None) -> None:
    """Put the legend of `axes`, with a title, above them, where no data can be; it begins at the
    figure's left edge.
    """
    from matplotlib.transforms import blended_transform_factory

    across = blended_transform_factory(axes.figure.transFigure, axes.transAxes)
    place: dict[str, Any] = {
        "bbox_to_anchor": (0.01, 1.0),
        "bbox_transform": across,
        "loc": "lower left",
    }
    axes.legend(**place, ncols=columns, title=title, alignment="left", borderaxespad=0.8)


def panels(count: int = 1, height: float = 2.1, **shared: Any) -> tuple["Figure", Sequence["Axes"]]:
    """Return a figure as wide as a column of a journal (86 mm), and its axes, one below the other.

    `height` is each panel's, in inches; `shared` are keyword arguments of matplotlib's `subplots`,
    as `sharex=True`.
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(3.4, height * count), layout="constrained")
    return drawing, drawing.subplots(count, 1, squeeze=False, **shared)[:, 0]


def interval_band(
    axes: "Axes", x: Sequence[float], intervals: Sequence[Interval], look: Mapping[str, Any]
) -> None:
    """Draw a curve of values, their intervals as a band in its colour; `look` as of
    `Look.style()`.
    """
    value, low, high, _ = np.array(intervals).T
    axes.plot(x, value, **look)
    axes.fill_between(x, low, high, color=look["color"], alpha=0.12, lw=0)


def interval_curves(
    axes: "Axes",
    curves: Mapping[str, Mapping[int, Interval]],
    looks: Mapping[str, Look],
    dodge: float = 1.0,
) -> None:
    """Draw each sampler's values against its score evaluations, intervals as bands.

    Neighbouring curves are a factor of `dodge` apart, where some would coincide.
    """
    for number, (name, own) in enumerate(curves.items()):
        x = np.array([*own]) * dodge ** (number - (len(curves) - 1) / 2)
        interval_band(axes, x, [*own.values()], looks[name].style())
    axes.set_xscale("log")


def interval_points(
    axes: "Axes", points: Sequence[tuple[str, Interval]], looks: Mapping[str, Look]
) -> None:
    """Draw a point with its interval for each sampler, a line a sampler from the top."""
    for place, (name, (value, low, high, _)) in enumerate(points):
        axes.errorbar(
            value,
            place,
            xerr=[[value - low], [high - value]],
            **{**looks[name].style(), "linestyle": ""},
        )
    axes.set_ylim(len(points) - 0.5, -0.5)


def shades(count: int) -> list[str]:
    """Return `count` colours from dark to light, of matplotlib's cividis, for the values of one
    parameter.

    None is a sampler's colour; colour-blind readers can distinguish them. Raises ValueError for a
    count below 1.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if count < 1:
        raise ValueError(f"count = {count}: expected at least 1")
    last = max(count - 1, 1)
    return [to_hex(colormaps["cividis"](_LIGHTEST * n / last)) for n in range(count)]
