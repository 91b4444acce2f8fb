"""Labels of logarithmic axes as plain text: 10⁻³ and 2×10⁴ look as matplotlib's own, without its parser of formulas.

That parser was a third of the time of a figure: it reads each label anew for the layout, and again for each kind of
file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from matplotlib.ticker import Formatter, LogFormatter

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.figure import Figure as Drawing

_POWER = re.compile(r"\$\\mathdefault\{(?:(\d+)\\times)?10\^\{(-?\d+)\}\}\$")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class PlainPowers(Formatter):
    """The labels of another formatter; a power of ten among them, or its multiple, in Unicode."""

    def __init__(self, labels: Formatter) -> None:
        self.labels = labels

    def set_axis(self, axis: Any) -> None:
        """Tell both formatters whose labels they write."""
        super().set_axis(axis)
        self.labels.set_axis(axis)

    def set_locs(self, locs: list[float]) -> None:
        """Tell both formatters where the ticks are: on it depends which of them have labels."""
        super().set_locs(locs)
        self.labels.set_locs(locs)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of the tick at `x`."""
        return plain(self.labels(x, pos))


def plain(label: str) -> str:
    """Return a power of ten that is written as a formula as plain text; any other label as it is."""
    power = _POWER.fullmatch(label)
    if power is None:
        return label
    factor = f"{power[1]}×" if power[1] else ""
    return f"{factor}10{power[2].translate(_RAISED)}"


def write_plainly(drawing: Drawing) -> None:
    """Let the logarithmic axes of a figure write their powers of ten as plain text."""
    for axes in drawing.axes:
        for axis in (axes.xaxis, axes.yaxis):
            major, minor = axis.get_major_formatter(), axis.get_minor_formatter()
            if isinstance(major, LogFormatter):
                axis.set_major_formatter(PlainPowers(major))
            if isinstance(minor, LogFormatter):
                axis.set_minor_formatter(PlainPowers(minor))
