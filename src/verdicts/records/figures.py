"""Figures and tables: what a module of checks hands over beside its measurements.

A figure stands still (matplotlib), or a reader moves it: a Vega-Lite chart, with a still picture
for where no script runs. Altair and its converter are imported only where a chart is made.
"""

import csv
import gzip
import io
import json
import re
import resource
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from pydantic import Field, model_validator

from verdicts.records.files import write_whole
from verdicts.validation import Frozen

if TYPE_CHECKING:
    from altair import TopLevelMixin
    from matplotlib.figure import Figure as Drawing

TableCell = str | int | float
Value = TypeVar("Value")
SHOWN = (".svg",)
KINDS = (*SHOWN, ".png", ".pdf")
"""What a figure is saved as, all of them unless a `saved_as` block says otherwise."""
SPEC = ".vl.json"
USUAL = ("Title", "Description", "Source")
METADATA = {
    ".svg": (USUAL, ("Date", "Creator")),
    ".png": (USUAL, ("Software",)),
    ".pdf": (("Title", "Subject", "Keywords"), ("Creator", "Producer", "CreationDate")),
}
"""What a kind of file calls title, caption and origin, and what in it changes with each run."""
ADDRESSES = 80 * 2**30
"""Bytes of addresses that a process needs to draw a still chart: V8 reserves 64 GiB of them."""
NOT_DRAWN = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="420pt" height="40pt">'
    '<text x="9" y="24" font-size="10" font-family="DejaVu Sans, sans-serif">No still '
    "picture of this"
    " chart: memory was limited to less than 80 GiB (ulimit -v).</text></svg>"
)
"""What stands for a still picture that cannot be drawn; a page shows the chart itself."""
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


class Figure(Frozen):
    """A figure of a group: the SVG `file` (PNG and PDF beside it have its name), and the claims
    that it illustrates.

    `caption` may hold `$LaTeX$` formulas. One that `moves` has a chart beside it (`save_chart`),
    and `how` says what a reader can do with that.
    """

    file: Path
    caption: str
    claims: tuple[str, ...] = ()
    moves: bool = False
    how: str = ""


class Table(Frozen):
    """A table of a group: becomes a CSV file named after `id`, and a table of the report.

    `caption` and `header` may hold `$LaTeX$` formulas. Raises ValidationError for a row whose
    length is not the header's, and for a NaN (an empty text stands for what is missing).
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    claims: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _rows_fit_header(self) -> Self:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    f"table {self.id}: a row has {len(row)} cells, the header {len(self.header)}"
                )
        return self

    def csv(self) -> str:
        """Return the table as CSV text (RFC 4180, LF line ends), floats to the last bit."""
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([self.header, *self.rows])
        return stream.getvalue()


class Stamp(NamedTuple):
    """What a file says of its origin, since it may be passed on without its record.

    `subject` is under test, `config` the digest of the group's configuration, `commit` None outside
    of git.
    """

    subject: str
    profile: str
    config: str
    commit: str | None
    dirty: bool | None = None

    def text(self, claims: tuple[str, ...]) -> str:
        """Return the origin in one line."""
        commit = (
            f"{self.commit}{' with uncommitted changes' if self.dirty else ''}"
            if self.commit
            else "unknown"
        )
        named = f"claims {', '.join(claims)}; " if claims else ""
        return (
            f"{self.subject} verified; {named}profile {self.profile}; commit {commit}; config "
            f"sha256 {self.config}"
        )


_WANTED: ContextVar[tuple[str, ...]] = ContextVar("kinds", default=KINDS)
_STAMP: ContextVar[Stamp | None] = ContextVar("stamp", default=None)


@contextmanager
def _within(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def saved_as(kinds: tuple[str, ...]) -> AbstractContextManager[None]:
    """Let figures that are saved inside be written as these kinds of file alone."""
    return _within(_WANTED, kinds)


def stamped(stamp: Stamp) -> AbstractContextManager[None]:
    """Let every figure that is saved inside carry this stamp."""
    return _within(_STAMP, stamp)


def origin_of(claims: tuple[str, ...]) -> str:
    """Return the origin to be written into a file (empty outside of `stamped`)."""
    stamp = _STAMP.get()
    return stamp.text(claims) if stamp else ""


def save_figure(
    drawing: "Drawing",
    folder: Path,
    name: str,
    caption: str,
    claims: tuple[str, ...] | list[str] = (),
) -> Figure:
    """Write a matplotlib figure as `folder/name.svg` and the other `KINDS`, the same bytes for the
    same data.

    Title, caption, claims and origin (`stamped`) stand in each file's metadata. Each file is
    written whole or not at all; the figure is closed. Raises OSError if the folder cannot be
    written.
    """
    import matplotlib
    from matplotlib import pyplot

    named, origin = tuple(claims), origin_of(tuple(claims))
    with matplotlib.rc_context(
        {"svg.hashsalt": name, "svg.fonttype": "path", "figure.constrained_layout.use": False}
    ):
        _place(drawing)
        for kind in _WANTED.get():
            stream = io.BytesIO()
            drawing.savefig(
                stream, format=kind[1:], metadata=_metadata(kind, name, caption, origin)
            )
            write_whole(folder / f"{name}{kind}", stream.getvalue())
    pyplot.close(drawing)
    return Figure(file=folder / f"{name}.svg", caption=caption, claims=named)


def _place(drawing: "Drawing") -> None:
    """Let the layout engine do its work once and leave; otherwise it does so, and draws once more,
    for every kind.
    """
    engine = drawing.get_layout_engine()
    if engine is not None:
        engine.execute(drawing)
    drawing.set_layout_engine(None)


def _metadata(kind: str, *values: str) -> dict[str, str | None]:
    """Return what matplotlib writes into a file of this kind of title, caption and origin; None
    leaves out what changes with time or version.
    """
    names, changing = METADATA[kind]
    texts = {name: value for name, value in zip(names, values, strict=True) if value}
    return texts | dict.fromkeys(changing)


def spec_of(chart: "TopLevelMixin", origin: str = "") -> str:
    """Return a chart as JSON, without the address of its schema: nothing may be asked of a
    network.
    """
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


def draws_stills() -> bool:
    """Return whether a still chart can be drawn: with less memory the converter aborts Python."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return limit == resource.RLIM_INFINITY or limit >= ADDRESSES


def still(spec: str) -> str:
    """Return the chart as an SVG, its size in points; `NOT_DRAWN` where it cannot be drawn."""
    import vl_convert

    if not draws_stills():
        return NOT_DRAWN

    svg = IDLE.sub("", vl_convert.vegalite_to_svg(spec))
    return SIZE.sub(
        lambda size: 'width="{}pt" height="{}pt"'.format(*(0.75 * float(x) for x in size.groups())),
        svg,
        1,
    )


def kinds_of_chart(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the wanted kinds a chart has: no PDF, whose bytes would differ each time."""
    made = (".svg", ".png") if draws_stills() else SHOWN
    return tuple(kind for kind in kinds if kind in made)


def save_chart(
    chart: "TopLevelMixin",
    folder: Path,
    name: str,
    caption: str,
    claims: tuple[str, ...] | list[str] = (),
    how: str = "",
) -> Figure:
    """Write an Altair chart as `folder/name.vl.json` with still pictures (`kinds_of_chart`), each
    file whole.

    Title, caption and origin stand in the chart's file. Raises OSError if the folder cannot be
    written.
    """
    import vl_convert

    spec = spec_of(chart, origin_of(tuple(claims)))
    write_whole(folder / f"{name}{SPEC}", spec)
    made: dict[str, Callable[[str], str | bytes]] = {
        ".svg": still,
        ".png": vl_convert.vegalite_to_png,
    }
    for kind in kinds_of_chart(_WANTED.get()):
        write_whole(folder / f"{name}{kind}", made[kind](spec))
    return Figure(
        file=folder / f"{name}.svg", caption=caption, claims=tuple(claims), moves=True, how=how
    )
