"""The one picture that answers: a ratio with its interval, target by target, as a forest plot.

It is drawn from stored values alone, so that README, page and paper show the same one.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from verdicts.claims.schema import Verdict
from verdicts.records.workspace import STYLE
from verdicts.report.findings import Measured
from verdicts.report.report_texts import Forest, ForestRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, ROW_HEIGHT, MARGIN = 7.2, 0.3, 0.95
"""Inches: of the whole picture, of a row, of what stands above and below the rows."""
AXIS = (0.25, 16.0)
TICKS = (0.25, 0.5, 1, 2, 5, 10)


def forest_svg(root: Path, forest: Forest, measured: Mapping[str, Measured]) -> str:
    """Return the forest plot as SVG; a row whose checks have no value is drawn as not decided."""
    from matplotlib import pyplot, style

    used = [root / STYLE] if (root / STYLE).is_file() else []
    with style.context([*used, {"svg.hashsalt": "forest", "svg.fonttype": "path"}]):
        size = (WIDTH, MARGIN + ROW_HEIGHT * len(forest.row))
        drawing, axes = pyplot.subplots(figsize=size, layout="constrained")
        _frame(axes, forest)
        for place, row in enumerate(forest.row):
            _draw(axes, place, row, measured)
        text = StringIO()
        drawing.savefig(text, format="svg", metadata={"Date": None})
        pyplot.close(drawing)
    return text.getvalue()


def _frame(axes: "Axes", forest: Forest) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlim(*AXIS)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.set_ylim(len(forest.row) - 0.5, -0.5)
    axes.set_yticks(range(len(forest.row)), [row.label for row in forest.row])
    axes.tick_params(axis="y", length=0)
    axes.axvspan(*forest.claimed, alpha=0.15, linewidth=0)
    axes.axvline(1.0, color="0.4", linewidth=0.8)
    axes.set_xlabel(forest.axis)
    low, high = forest.claimed
    axes.text((low * high) ** 0.5, -0.6, f"claimed: {low:g} to {high:g}", ha="center", va="bottom")


def _draw(axes: "Axes", place: int, row: ForestRow, measured: Mapping[str, Measured]) -> None:
    """Draw a row: a bar over its range, a dot with its interval, or an arrow where only a bound is known."""
    known = [measured[name] for name in row.checks if name in measured]
    decided = bool(known) and all(each.verdict is not Verdict.INCONCLUSIVE for each in known)
    colour = "C0" if decided else "0.6"
    if row.bar and all(name in measured for name in row.bar):
        ends = [_clipped(measured[name].value) for name in row.bar]
        axes.plot(ends, [place, place], color=colour, linewidth=6, alpha=0.35, solid_capstyle="butt")
    dot = measured.get(row.dot)
    if dot is None or dot.low is None or dot.high is None:
        if not known:
            axes.text(1.0, place, "  not decided", va="center", color=colour)
        return
    if row.bound:
        _arrow(axes, place, dot.high if row.bound == "below" else dot.low, row.bound, colour)
        return
    axes.plot([_clipped(dot.low), _clipped(dot.high)], [place, place], color=colour, linewidth=1.2)
    axes.plot([_clipped(dot.value)], [place], "o", color=colour, markersize=5)


def _arrow(axes: "Axes", place: int, limit: float, bound: str, colour: str) -> None:
    """Draw a bound: an arrow from it to where the value may lie."""
    end = AXIS[0] * 1.1 if bound == "below" else AXIS[1] / 1.1
    arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1.2}
    axes.annotate("", xy=(end, place), xytext=(_clipped(limit), place), arrowprops=arrow)
    axes.plot([_clipped(limit)], [place], "|", color=colour, markersize=9)


def _clipped(value: float | None) -> float:
    """Return a value within the axis; what is larger, or has no end, stands at its edge."""
    return min(max(value or AXIS[0], AXIS[0]), AXIS[1])
