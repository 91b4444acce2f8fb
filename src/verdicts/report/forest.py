"""The one picture that answers: a ratio with its interval, target by target, as a forest plot.

It is drawn from stored values alone, so that README, page and paper show the same one.
"""

import math
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from verdicts.claims.schema import Verdict
from verdicts.records.workspace import STYLE
from verdicts.report.findings import Decisions
from verdicts.report.report_texts import Forest, ForestRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, ROW_HEIGHT, MARGIN = 7.2, 0.3, 0.95
"""Inches: of the whole picture, of a row, of what stands above and below the rows."""
AXIS = (0.25, 16.0)
GREY = "0.6"
TICKS = (0.25, 0.5, 1, 2, 5, 10)


def forest_svg(root: Path, forest: Forest, evidence: Decisions) -> str:
    """Return the forest plot as SVG; a row without a value or a bound is drawn as not decided."""
    from matplotlib import pyplot, style

    used = [root / STYLE] if (root / STYLE).is_file() else []
    with style.context([*used, {"svg.hashsalt": "forest", "svg.fonttype": "path"}]):
        size = (WIDTH, MARGIN + ROW_HEIGHT * len(forest.row))
        drawing, axes = pyplot.subplots(figsize=size, layout="constrained")
        _frame(axes, forest)
        for place, row in enumerate(forest.row):
            _draw(axes, place, row, evidence)
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
    axes.axvspan(*forest.claimed, color="C0", alpha=0.12, linewidth=0)
    axes.axvline(1.0, color="0.4", linewidth=0.8)
    axes.set_xlabel(forest.axis)
    low, high = forest.claimed
    axes.set_title(f"claimed: {low:g} to {high:g}", x=_share((low * high) ** 0.5), loc="center")


def _share(value: float) -> float:
    """Return where a value lies on the axis, from 0 to 1."""
    low, high = AXIS
    return math.log(value / low) / math.log(high / low)


def _draw(axes: "Axes", place: int, row: ForestRow, evidence: Decisions) -> None:
    """Draw a row: a bar over its range, a dot with its interval, or an arrow where only a bound is known."""
    measured = evidence.checks
    dot = measured.get(row.dot)
    ends = [measured[name].value for name in row.bar or () if name in measured]
    if dot is None and row.below is not None and evidence.give(row.needs):
        _arrow(axes, place, row.below)
    elif dot is None or dot.low is None or dot.high is None:
        axes.text(1.0, place, "  not decided", va="center", color=GREY)
        return
    if len(ends) == 2:
        axes.plot(_clipped(ends), [place, place], color="C0", linewidth=7, alpha=0.35, solid_capstyle="butt")
    if dot is not None:
        colour = "C0" if dot.verdict is not Verdict.INCONCLUSIVE else GREY
        axes.plot(_clipped([dot.low, dot.high]), [place, place], color=colour, linewidth=1.3)
        axes.plot(_clipped([dot.value]), [place], "o", color=colour, markersize=5)


def _arrow(axes: "Axes", place: int, limit: float) -> None:
    """Draw a bound: an arrow from it to where the value may lie."""
    arrow = {"arrowstyle": "->", "color": "C0", "linewidth": 1.3}
    axes.annotate("", xy=(AXIS[0] * 1.1, place), xytext=(limit, place), arrowprops=arrow)
    axes.plot([limit], [place], "|", color="C0", markersize=9)


def _clipped(values: Iterable[float | None]) -> list[float]:
    """Return values within the axis; one that is larger, or has no end, stands at its edge."""
    return [min(max(value or AXIS[0], AXIS[0]), AXIS[1]) for value in values]
