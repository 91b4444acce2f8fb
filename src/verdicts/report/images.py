"""Pictures as documents show them: a figure's files, and the chart of all claims at once, which a
reader filters.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from verdicts.claims.check import Relation
from verdicts.claims.schema import Verdict
from verdicts.records.figures import SPEC, spec_of, still
from verdicts.report.views import CheckView, ClaimView

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
            re.S,
        ),
        "",
    ),
    (re.compile(r"(>[^<]+|(?:scale|matrix)\([^)]*\))|(\.\d\d)\d+"), r"\1\2"),
    (re.compile(r'(<use [^>]*?) transform="translate\((\S+) (\S+)\)"'), r'\1 x="\2" y="\3"'),
    (re.compile(r'(<use [^>]*x="[^"]*") y="0"'), r"\1"),
    (re.compile(r"\s*\n\s*"), ""),
    (re.compile(r' xmlns:xlink="[^"]*"|(?<= )xlink:(?=href)'), ""),
    (re.compile(r"(?<=[a-z\d][:;]) (?=[^\"<>]*\")"), ""),
)
PATH = re.compile(r'(?<= d=")[^"]*')
COMMAND = re.compile(r"([MLHVCSQTAZ])([^MLHVCSQTAZ]*)", re.I)
ZEROS = re.compile(r"(\.\d*?)0+(?!\d)")
IDENTITY = re.compile(r'(?<= id=")[^"]+')
REFERENCE = re.compile(r'(?<= id=")[^"]+|(?<=href="#)[^"]+|(?<=url\(#)[^)]+')
MARKERS = re.compile(r"(<g[^>]*)>((?:<use [^>]*/>){2,})(?=</g>)")
STYLE = re.compile(r' style="([^"]*)"')
SIZE = re.compile(r'<svg[^>]*?\bwidth="(?P<width>[\d.]+)pt" height="(?P<height>[\d.]+)pt"')
# What may not stand in an address, or not in an attribute between apostrophes; the rest of an SVG
# may
ESCAPES = str.maketrans({"%": "%25", "#": "%23", "'": "%27", "&": "&amp;", "\n": " "})
COLOURS = {
    Verdict.HOLDS: "#00694e",
    Verdict.REFUTED: "#c2452d",
    Verdict.INCONCLUSIVE: "#b8860b",
    Verdict.NOT_RUN: "#9aa4b1",
}
WIDTH = 620
CAPTION = (
    "The check that each verdict hangs on, with its interval: 1 is far inside what is "
    "required, 0 its edge, -1 far "
    "outside. The distance to the edge is a share of the larger of value and bound; for an "
    "equality, of the larger of "
    "deviation and tolerance. Choose a part, point at a claim for its numbers, or open it."
)


class Picture(NamedTuple):
    """A figure by its SVG `file`, beside which lie its other kinds. Each method but `kinds` raises
    OSError.
    """

    file: Path

    def chosen(self) -> Path:
        """Return the SVG, or the PNG where there is one that is much smaller."""
        pixels = self.file.with_suffix(".png")
        if not pixels.is_file():
            return self.file
        return (
            pixels
            if self.file.stat().st_size > max(LARGEST_SVG, 2 * pixels.stat().st_size)
            else self.file
        )

    def address(self) -> Markup:
        """Return the chosen file as a data address, to stand between apostrophes.

        An SVG is text, a third shorter than in base 64.
        """
        picture = self.chosen()
        if picture.suffix == ".png":
            return Markup(f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}")
        return svg_address(shortened(self.text()))

    def text(self) -> str:
        """Return the SVG."""
        return self.file.read_text(encoding="utf-8")

    def chart(self) -> str:
        """Return the Vega-Lite chart of a figure that moves."""
        return self.file.with_suffix(SPEC).read_text(encoding="utf-8")

    def narrow(self) -> Markup:
        """Return a still picture of its chart, at the width of a column, as a data address."""
        return svg_address(still(narrowed(self.chart())))

    def kinds(self) -> list[str]:
        """Return the kinds of file that there are; the quick profile keeps the SVG alone."""
        return [
            kind for kind in ("svg", "pdf", "png") if self.file.with_suffix(f".{kind}").is_file()
        ]


def shortened(svg: str) -> str:
    """Return a figure in half to two thirds of the bytes that matplotlib writes, without a visible
    change.
    """
    for pattern, replacement in SHORTENED:
        svg = pattern.sub(replacement, svg)
    svg = MARKERS.sub(_styled_once, PATH.sub(_short_path, svg))
    names = {name: f"i{number}" for number, name in enumerate(dict.fromkeys(IDENTITY.findall(svg)))}
    return REFERENCE.sub(lambda match: names.get(match[0], match[0]), svg)


def _short_path(path: re.Match[str]) -> str:
    """Return a path that names a command where it changes: after a move follow lines."""
    pieces: list[str] = []
    last = ""
    for command, numbers in COMMAND.findall(path[0]):
        implied = command == ("L" if last == "M" else last) and command not in "MmZz"
        short = " ".join(ZEROS.sub(r"\1", number).rstrip(".") for number in numbers.split())
        pieces.append(f" {short}" if implied else f"{command}{short}")
        last = command
    return "".join(pieces)


def _styled_once(group: re.Match[str]) -> str:
    """Return a group of markers with the style that all of them have; an opacity would then be the
    group's.
    """
    styles = set(STYLE.findall(group[2]))
    if (
        len(styles) != 1
        or group[2].count(" style=") != group[2].count("<use")
        or " style=" in group[1]
    ):
        return group[0]
    (style,) = styles
    if re.search(r"(?<!-)opacity", style):
        return group[0]
    return f'{group[1]} style="{style}">{STYLE.sub("", group[2])}'


def svg_address(svg: str) -> Markup:
    """Return an SVG as a data address, to stand between apostrophes."""
    return Markup("data:image/svg+xml," + svg.translate(ESCAPES))


def narrowed(spec: str) -> str:
    """Return a Vega-Lite chart of one panel at the width of a column: its type stays legible."""
    content = json.loads(spec) | {"width": 250, "height": 130}
    content["config"]["legend"]["columns"] = 1
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def size_of(svg: str) -> tuple[float, float]:
    """Return an SVG's width and height in points. Raises ValueError for one that does not tell
    them.
    """
    if (size := SIZE.search(svg)) is None:
        raise ValueError("a picture without width and height in points")
    return float(size["width"]), float(size["height"])


class Overview(NamedTuple):
    """A chart of the report itself, with its still picture."""

    title: str
    caption: str
    spec: str
    picture: str


def overview_of(
    claims: Sequence[ClaimView], parts: Mapping[str, str], addresses: Mapping[str, str]
) -> Overview | None:
    """Return the chart of these claims, None where nothing was measured. Marks link to
    `addresses`.
    """
    if (chart := margins(claims, parts, addresses)) is None:
        return None
    spec = spec_of(chart)
    return Overview("How far each claim is from its bound.", CAPTION, spec, still(spec))


def margins(
    claims: Sequence[ClaimView], parts: Mapping[str, str], addresses: Mapping[str, str]
) -> Any:
    """Return the forest plot: every claim's deciding check with its interval against what is
    required.
    """
    import altair as alt

    rows = []
    for view in claims:
        if view.deciding.result and view.deciding.result.value is not None:
            claim, value, low, high = view.claim, *margin(view.deciding)
            about = {"id": claim.id, "title": claim.title, "verdict": view.row.verdict.value}
            place = {
                "part": view.group.part,
                "link": addresses[claim.id],
                "value": value,
                "low": low,
                "high": high,
            }
            numbers = {"measured": view.deciding.measured, "required": view.deciding.required}
            rows.append({**about, **place, **numbers})
    if not rows:
        return None
    base = alt.Chart({"values": rows}, width=WIDTH)
    x = alt.X("value:Q", title="margin: left of 0 it is not as required").axis(tickCount=5)
    y = alt.Y("id:N", sort=None, title=None).axis(grid=True)
    tooltip = [
        alt.Tooltip(each) for each in ("id:N", "title:N", "measured:N", "required:N", "verdict:N")
    ]
    colour = alt.Color("verdict:N", title=None).scale(
        domain=[*map(str, COLOURS)], range=[*COLOURS.values()]
    )
    common = {"y": y, "color": colour, "tooltip": tooltip, "href": alt.Href("link:N")}
    intervals = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=""), x2=alt.X2("high:Q"), **common
    )
    points = base.mark_point(filled=True, size=45).encode(
        x=x.scale(domain=[-1, 1], clamp=True), **common
    )
    edge = alt.Chart({"values": [{"edge": 0}]}).mark_rule(color="#1c2430").encode(x=alt.X("edge:Q"))
    return _of_part(alt, intervals + points, parts).properties(height=alt.Step(11)) + edge


def margin(view: CheckView) -> tuple[float, float, float]:
    """Return how far value, low and high end are inside (above 0) or outside of what a check
    requires, as a share.

    The share is of the larger of value and bound, or of an equality's larger of deviation and
    tolerance.
    """
    check, result = view.check, view.result
    assert result and result.value is not None
    ends = [result.value if end is None else end for end in (result.value, result.low, result.high)]
    if check.relation is Relation.EQUAL:
        value, *others = [abs(end - check.bound) for end in ends]
        away = [value, 0.0 if min(ends) <= check.bound <= max(ends) else min(others), max(others)]
        inside = [check.tolerance - each for each in away]
        scale = max(check.tolerance, away[0])
    else:
        sign = 1 if check.relation is Relation.AT_LEAST else -1
        edge = check.bound - sign * check.tolerance
        inside = [sign * (end - edge) for end in ends]
        scale = max(abs(result.value), abs(edge))
    share = [each / scale if scale else float(check.relation is Relation.EQUAL) for each in inside]
    value, *others = [max(-1.0, min(1.0, each)) for each in share]
    return value, min(others), max(others)


def _of_part(alt: Any, chart: Any, parts: Mapping[str, str]) -> Any:
    """Return a chart that shows the part of the report that is chosen, or all."""
    options: list[str | None] = [None, *parts]
    choice = alt.binding_select(options=options, labels=["all", *parts.values()], name="Part ")
    chosen = alt.param(name="part", value=None, bind=choice)
    return chart.transform_filter(
        f"{chosen.name} == null || datum.part == {chosen.name}"
    ).add_params(chosen)
