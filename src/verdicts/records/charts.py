"""Figures that a reader moves: Vega-Lite charts, each with a still picture for where no script runs.

Altair and its converter are imported only where a chart is made.
"""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from verdicts.records.figures import Figure, origin_of, wanted_kinds
from verdicts.records.files import write_whole

if TYPE_CHECKING:
    from altair import TopLevelMixin

SPEC = ".vl.json"
# Of a still picture nothing is pointed at, and its text stands beside it
IDLE = re.compile(r' (?:aria-[\w-]+|role|class|pointer-events)="[^"]*"| opacity="1"|</?a\b[^>]*>')
SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
TITLE = {"titleFontSize": 12, "titleFontWeight": "normal", "labelFontSize": 11}
# As near as may be to the figures that stand still
CONFIG = {
    "aria": False,
    "background": "white",
    "font": "DejaVu Sans, sans-serif",
    "axis": {**TITLE, "labelFlush": False, "gridColor": "#e3e6ea"},
    "legend": {**TITLE, "orient": "top"},
    "title": {"fontSize": 12, "fontWeight": "normal"},
}


def spec_of(chart: "TopLevelMixin", origin: str = "") -> str:
    """Return a chart as JSON, without the address of its schema: nothing may be asked of a network."""
    content = chart.to_dict()
    del content["$schema"]
    content["config"] = CONFIG
    if origin:
        content["usermeta"] = {"origin": origin}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@cache
def library() -> str:
    """Return the library that moves charts, for a page's script: compressed by gzip, in base 64."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return b64encode(gzip.compress(bundle.encode(), mtime=0)).decode()


def still(spec: str) -> str:
    """Return the chart as an SVG, its size in points."""
    import vl_convert

    svg = IDLE.sub("", vl_convert.vegalite_to_svg(spec))
    return SIZE.sub(lambda size: 'width="{}pt" height="{}pt"'.format(*(0.75 * float(x) for x in size.groups())), svg, 1)


def kinds_of_chart(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the wanted kinds a chart has: no PDF, whose bytes would differ each time."""
    return tuple(kind for kind in kinds if kind != ".pdf")


def save_chart(
    chart: "TopLevelMixin",
    folder: Path,
    name: str,
    caption: str,
    claims: tuple[str, ...] | list[str] = (),
    how: str = "",
) -> Figure:
    """Write an Altair chart as `folder/name.vl.json` with still pictures (`kinds_of_chart`), each file whole.

    Title, caption and origin stand in the chart's file. Raises OSError if the folder cannot be written.
    """
    import vl_convert

    spec = spec_of(chart, origin_of(tuple(claims)))
    write_whole(folder / f"{name}{SPEC}", spec)
    made: dict[str, Callable[[str], str | bytes]] = {".svg": still, ".png": vl_convert.vegalite_to_png}
    for kind in kinds_of_chart(wanted_kinds()):
        write_whole(folder / f"{name}{kind}", made[kind](spec))
    return Figure(file=folder / f"{name}.svg", caption=caption, claims=tuple(claims), moves=True, how=how)
