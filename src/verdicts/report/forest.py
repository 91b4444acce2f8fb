"""The one picture that answers: a ratio with its interval, target by target, as a forest plot.

It is drawn from stored values alone, so that README, page and paper show the same one.
"""

from collections.abc import Mapping
from math import log
from typing import Any

from verdicts.claims.schema import Verdict
from verdicts.report.findings import Decisions, Measured
from verdicts.report.report_texts import Forest, ForestRow
from verdicts.report.templating import render

AXIS = (0.25, 16.0)
TICKS = (0.25, 0.5, 1, 2, 5, 10)
COLOUR = "#0072b2"  # the first of paper/style.mplstyle


def forest_svg(forest: Forest, evidence: Decisions, narrow: bool = False) -> str:
    """Return the forest plot as SVG, as wide as a page or (`narrow`) as a phone."""
    return render(
        "forest.svg.j2",
        forest=forest,
        narrow=narrow,
        rows=[_row(row, evidence.checks) for row in forest.row],
        claimed=_along(*forest.claimed),
        ticks=dict(zip(TICKS, _along(*TICKS), strict=True)),
        colour=COLOUR,
    )


def _row(row: ForestRow, measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Return a row: its dot with the ends of its interval, and the ends of its range as far out as
    their intervals.

    Each is empty where a value was not measured; a row that is not `decided` is grey.
    """
    dot = measured.get(row.dot)
    bar = [measured[name] for name in row.bar or () if name in measured]
    shown = {
        "label": row.label,
        "dot": (),
        "bar": _along(bar[0].low, bar[1].high) if len(bar) == 2 else (),
    }
    if dot is None:
        return shown | {"bar": ()}
    return shown | {
        "dot": _along(dot.low, dot.value, dot.high),
        "decided": dot.verdict is not Verdict.INCONCLUSIVE,
    }


def _along(*values: float | None) -> list[float]:
    """Return how far along the axis values stand, from 0 to 1; one that lies beyond, or has no
    end, at its edge.
    """
    first, last = AXIS
    within = [min(max(value or first, first), last) for value in values]
    return [log(value / first) / log(last / first) for value in within]
