"""The figures of the comparison: curves over score evaluations, all contenders at the smallest budget, and graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
from ams.samplers.palette import look
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ams.data import Graph
from ams.statistics import Interval
from experiments.graphs.drawing_layout import placed

Curves: TypeAlias = Mapping[str, Mapping[int, Interval]]
"""A quantity with its interval, by contender and number of steps."""
Line: TypeAlias = tuple[str, int]
"""A contender and its steps."""
DODGE = 1.03
"""Between neighbouring curves, along the logarithmic axis: some contenders have nearly the same values."""
LARGE = 100
"""Nodes of graphs that are drawn in points of the page, not as lines: they would be most of the file."""
NODES, EDGES = "#0072B2", "0.45"
HEAT = (0.5, 1, 2, 4)
"""Temperatures that have a tick."""


def draw_curves(mmd: Curves, temperature: Curves, floor: Interval, evaluations: Callable[[str], int]) -> Drawing:
    """Draw discrepancies (left) and temperatures (right) of contenders, `evaluations(name)` those of a step.

    Above, against score evaluations, those of several budgets, if they are several; below, all in the fewest steps, and
    those that cost less in as many evaluations too.
    """
    several = sum(len(values) > 1 for values in mmd.values()) > 1
    drawing = Drawing(figsize=(7.2, 6.2 if several else 2.8), layout="constrained")
    _pad(drawing)
    *above, below = drawing.subfigures(1 + several, 1, squeeze=False)[:, 0]
    for part in above:
        left, right = part.subplots(1, 2)
        _draw_curves(left, mmd, evaluations)
        _draw_curves(right, temperature, evaluations)
        _mark(left, right, floor, "y")
        part.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    left, right = below.subplots(1, 2)
    lines = smallest_budget(mmd, evaluations)
    _draw_lines(left, mmd, lines)
    _draw_lines(right, temperature, lines)
    _mark(left, right, floor, "x")
    left.set_title(f"in {min(steps for _, steps in lines)} steps", fontsize=9)
    right.set_yticklabels([])
    return drawing


def smallest_budget(curves: Curves, evaluations: Callable[[str], int]) -> list[Line]:
    """Return every contender in the fewest steps, and also in as many evaluations as the most costly of them."""
    fewest = min(min(values) for values in curves.values())
    most = max(map(evaluations, curves))
    wanted = [(name, steps) for name in curves for steps in sorted({fewest, fewest * most // evaluations(name)})]
    return [(name, steps) for name, steps in wanted if steps in curves[name]]


def _draw_curves(axes: Axes, curves: Curves, evaluations: Callable[[str], int]) -> None:
    drawn = {name: values for name, values in curves.items() if len(values) > 1}
    ticks: set[int] = set()
    for number, (name, values) in enumerate(drawn.items()):
        at = [evaluations(name) * steps for steps in values]
        mean, low, high = np.array([found[:3] for found in values.values()]).T
        dodged, shown = np.array(at) * DODGE ** (number - (len(drawn) - 1) / 2), look(name)
        axes.plot(dodged, mean, markersize=4, **shown)
        axes.fill_between(dodged, low, high, color=shown["color"], alpha=0.12, lw=0)
        ticks |= set(at)
    axes.set(xscale="log", xlabel="score evaluations")
    axes.set_xticks(sorted(ticks), _apart(sorted(ticks)))
    axes.minorticks_off()


def _apart(ticks: Sequence[int]) -> list[str]:
    """Return the labels of a logarithmic axis, none where it would touch the one before."""
    labels, last = [], 0
    for tick in ticks:
        labels.append(str(tick) if tick >= 1.5 * last else "")
        last = tick if labels[-1] else last
    return labels


def _draw_lines(axes: Axes, curves: Curves, lines: Sequence[Line]) -> None:
    """Draw a point with its interval for each of the lines, from the top."""
    for place, (name, steps) in enumerate(lines):
        value, low, high, _ = curves[name][steps]
        shown = look(name) | {"linestyle": "none"}
        axes.errorbar(value, place, xerr=[[value - low], [high - value]], markersize=5, elinewidth=1.4, **shown)
    fewest = min(steps for _, steps in lines)
    twice = {name for name, steps in lines if steps > fewest}
    labels = [f"{name}, {steps} steps" if name in twice else name for name, steps in lines]
    axes.set_yticks(range(len(lines)), labels, fontsize=7.5)
    axes.set_ylim(len(lines) - 0.5, -0.5)


def _pad(drawing: Drawing) -> None:
    """Leave room at the sides: letters are wider in print than the layout thinks."""
    drawing.set_layout_engine("constrained", w_pad=0.08)


def _mark(left: Axes, right: Axes, floor: Interval, along: Literal["x", "y"]) -> None:
    """Name discrepancy and temperature along their axes, and mark what real graphs give."""
    span, line = (left.axvspan, right.axvline) if along == "x" else (left.axhspan, right.axhline)
    span(floor.low, floor.high, color="0.85", lw=0, zorder=0)
    line(1.0, color="0.3", lw=0.8)
    left.set(**{f"{along}label": "squared MMD, mean of three"})
    shown = {"label": "temperature $T$ at $t = 0.1$", "scale": "log", "ticks": HEAT, "ticklabels": map(str, HEAT)}
    right.set(**{f"{along}{name}": value for name, value in shown.items()})
    right.minorticks_off()


def draw_graphs(rows: Mapping[str, Sequence[Graph]]) -> Drawing:
    """Draw a row of graphs for each name: `placed` by their edges alone, all of a row to one scale."""
    columns = max(map(len, rows.values()))
    side = min(5.7 / columns, 1.0)
    drawing = Drawing(figsize=(1.5 + side * columns, side * len(rows)), layout="constrained")
    _pad(drawing)
    axes = drawing.subplots()
    axes.set(xlim=(0, columns), ylim=(len(rows), 0), aspect="equal", anchor="E", xticks=[])
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows), fontsize=7.5, color="black", linespacing=1.3)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    for line, graphs in enumerate(rows.values()):
        _draw_row(axes, graphs, line)
    return drawing


def _draw_row(axes: Axes, graphs: Sequence[Graph], line: int) -> None:
    """Draw graphs in the cells (0, line), (1, line), ...: all edges as one path, all nodes as one collection."""
    places = [placed(graph) for graph in graphs]
    extent = max(1.0, *(float(np.ptp(at, axis=0).max()) for at in places))
    cells = [at * 0.84 / extent + (column + 0.5, line + 0.5) for column, at in enumerate(places)]
    nodes = max(graph.nodes for graph in graphs)
    ends = [at[np.array(graph.edges, dtype=int).reshape(-1, 2)] for graph, at in zip(graphs, cells, strict=True)]
    path = _segments(np.concatenate(ends))
    drawn = axes.add_patch(PathPatch(path, fill=False, ec=EDGES, lw=0.6 if nodes < LARGE else 0.25))
    x, y = np.concatenate(cells).T
    dots = axes.scatter(x, y, s=min(8.0, 160 / nodes), c=NODES, linewidths=0, zorder=2)
    for artist in (drawn, dots):
        artist.set_rasterized(nodes >= LARGE)


def _segments(ends: np.ndarray) -> Path:
    """Return segments, given by both ends (segments, 2, 2), as one path."""
    return Path(ends.reshape(-1, 2), np.tile([Path.MOVETO, Path.LINETO], len(ends)))
