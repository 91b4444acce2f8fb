"""Pictures as documents show them: a figure's files, its data address, and the one picture that
answers.

That is a forest plot, of stored values alone: README, page and paper show the same one.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from math import log
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from verdicts.claims.schema import Verdict
from verdicts.records.figures import SPEC
from verdicts.report.findings import Decisions, Measured
from verdicts.report.report_texts import Forest, ForestRow
from verdicts.report.templating import render

# An SVG of very many points is slower to show than its pixels
LARGEST_SVG = 300_000
# What a page's copy of a matplotlib figure does without: head, metadata, names that nothing refers
# to, line breaks, and of a point all but hundredths; a letter is placed, which takes fewer bytes
# than to move it
SHORTENED = (
    (
        re.compile(
            (
                r"^.*?(?=<svg)|<metadata>.*?</metadata>|<title>.*?</title>|<!--.*?-->|(?<=<g) "
                r'id="[^"]*"'
            ),
            re.DOTALL,
        ),
        "",
    ),
    (re.compile(r"(>[^<]+|(?:scale|matrix)\([^)]*\))|(\.\d\d)\d+"), r"\1\2"),
    (re.compile(r'(<use [^>]*?) transform="translate\((\S+) (\S+)\)"'), r'\1 x="\2" y="\3"'),
    (re.compile(r"\s*\n\s*"), ""),
)
SIZE = re.compile(r'<svg[^>]*?\bwidth="(?P<width>[\d.]+)pt" height="(?P<height>[\d.]+)pt"')
# What may not stand in an address, or not in an attribute between apostrophes; the rest of an SVG
# may
ESCAPES = str.maketrans({"%": "%25", "#": "%23", "'": "%27", "&": "&amp;", "\n": " "})

AXIS = (0.25, 16.0)
TICKS = (0.25, 0.5, 1, 2, 5, 10)
COLOUR = "#0072b2"  # the first of paper/style.mplstyle


class Picture(NamedTuple):
    """A figure by its SVG `file`, beside which lie its other kinds. Each method but `kinds`
    raises OSError.
    """

    file: Path

    def chosen(self) -> Path:
        """Return the SVG, or the PNG where there is one that is much smaller."""
        pixels = self.file.with_suffix(".png")
        if not pixels.is_file():
            return self.file
        limit = max(LARGEST_SVG, 2 * pixels.stat().st_size)
        return pixels if self.file.stat().st_size > limit else self.file

    def address(self) -> Markup:
        """Return the chosen file as a data address, to stand between apostrophes.

        An SVG is text, a third shorter than in base 64.
        """
        picture = self.chosen()
        if picture.suffix == ".png":
            return Markup(f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}")
        return svg_address(self.text())

    def text(self) -> str:
        """Return the SVG."""
        return self.file.read_text(encoding="utf-8")

    def chart(self) -> str:
        """Return the Vega-Lite chart of a figure that moves."""
        return self.file.with_suffix(SPEC).read_text(encoding="utf-8")

    def kinds(self) -> list[str]:
        """Return the kinds of file that there are; the quick profile keeps the SVG alone."""
        return [
            kind for kind in ("svg", "pdf", "png") if self.file.with_suffix(f".{kind}").is_file()
        ]


def shortened(svg: str) -> str:
    """Return a figure in three quarters of the bytes, or less, that matplotlib writes, without a
    visible change.
    """
    for pattern, replacement in SHORTENED:
        svg = pattern.sub(replacement, svg)
    return svg


def svg_address(svg: str) -> Markup:
    """Return an SVG as a data address, to stand between apostrophes."""
    return Markup("data:image/svg+xml," + shortened(svg).translate(ESCAPES))


def size_of(svg: str) -> tuple[float, float]:
    """Return an SVG's width and height in points. Raises ValueError for one that does not tell
    them.
    """
    if (size := SIZE.search(svg)) is None:
        raise ValueError("a picture without width and height in points")
    return float(size["width"]), float(size["height"])


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
