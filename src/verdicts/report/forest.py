"""The one picture that answers: a ratio with its interval, target by target, as a forest plot.

It is drawn from stored values alone, so that README, page and paper show the same one.
"""

from collections.abc import Iterable, Mapping
from io import StringIO
from math import log
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from verdicts.claims.schema import Verdict
from verdicts.records.workspace import STYLE
from verdicts.report.findings import Decisions, Measured
from verdicts.report.report_texts import Forest, ForestRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXIS = (0.25, 16.0)
GREY = "0.5"
TICKS = (0.25, 0.5, 1, 2, 5, 10)


class Shape(NamedTuple):
    """A drawing's width, the height of a row and of what stands around the rows, in inches; letters of a line.

    A `narrow` drawing has each row's label above its values, a wide one beside them.
    """

    width: float
    row: float
    around: float
    letters: int
    narrow: bool


WIDE = Shape(width=6.3, row=0.29, around=1.05, letters=74, narrow=False)
NARROW = Shape(width=3.5, row=0.42, around=1.15, letters=46, narrow=True)


def forest_svg(root: Path, forest: Forest, evidence: Decisions, shape: Shape = WIDE) -> str:
    """Return the forest plot as SVG; a row without a value says so."""
    from matplotlib import pyplot, style

    used = [root / STYLE] if (root / STYLE).is_file() else []
    with style.context([*used, {"svg.hashsalt": "forest", "svg.fonttype": "path"}]):
        size = (shape.width, shape.around + shape.row * len(forest.row))
        drawing, axes = pyplot.subplots(figsize=size, layout="constrained")
        _frame(axes, forest, shape)
        for place, row in enumerate(forest.row):
            _draw(axes, place, row, evidence)
        drawing.supxlabel(fill(forest.axis, shape.letters), fontsize="medium")
        text = StringIO()
        drawing.savefig(text, format="svg", metadata={"Date": None})
        pyplot.close(drawing)
    return text.getvalue()


def _frame(axes: "Axes", forest: Forest, shape: Shape) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlim(*AXIS)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.set_ylim(len(forest.row) - 0.5, -0.9 if shape.narrow else -0.5)
    labels = [row.label for row in forest.row]
    axes.set_yticks(range(len(forest.row)), ["" for _ in labels] if shape.narrow else labels)
    for place, label in enumerate(labels if shape.narrow else ()):
        axes.text(
            AXIS[0],
            place - 0.28,
            label,
            va="bottom",
            bbox={"facecolor": "w", "linewidth": 0, "pad": 0.5},
        )
    axes.tick_params(axis="y", length=0, labelsize="medium")
    low, high = forest.claimed
    axes.axvspan(low, high, color="C0", alpha=0.12, linewidth=0)
    axes.axvline(1.0, color="0.4", linewidth=0.8)
    axes.set_title(
        f"claimed: {low:g} to {high:g}",
        x=_share((low * high) ** 0.5),
        ha="center",
        fontsize="medium",
    )


def _share(value: float) -> float:
    """Return how far along the axis a value stands, from 0 to 1."""
    first, last = AXIS
    return log(value / first) / log(last / first)


def _draw(axes: "Axes", place: int, row: ForestRow, evidence: Decisions) -> None:
    """Draw a row: a bar over its range, a dot with its interval, grey where that decides nothing."""
    measured = evidence.checks
    dot = measured.get(row.dot)
    ends = _range(row, measured)
    if dot is None or dot.low is None or dot.high is None:
        axes.text(1.0, place, "  not measured", va="center", color=GREY)
        return
    if ends:
        axes.plot(
            _clipped(ends),
            [place, place],
            color="C0",
            linewidth=7,
            alpha=0.35,
            solid_capstyle="butt",
        )
    colour = "C0" if dot.verdict is not Verdict.INCONCLUSIVE else GREY
    axes.plot(_clipped([dot.low, dot.high]), [place, place], color=colour, linewidth=1.3)
    axes.plot(_clipped([dot.value]), [place], "o", color=colour, markersize=5)


def _range(row: ForestRow, measured: Mapping[str, Measured]) -> list[float | None]:
    """Return the ends of a row's range, each as far out as its interval; none where one was not measured."""
    if row.bar is None or any(name not in measured for name in row.bar):
        return []
    least, most = (measured[name] for name in row.bar)
    return [least.low, most.high]


def _clipped(values: Iterable[float | None]) -> list[float]:
    """Return values within the axis; one that is larger, or has no end, stands at its edge."""
    return [min(max(value or AXIS[0], AXIS[0]), AXIS[1]) for value in values]
