"""A figure's files as the documents show them."""

import json
import re
from base64 import b64encode
from pathlib import Path

from markupsafe import Markup

# An SVG of very many points is slower to show than its pixels
LARGEST_SVG = 300_000
# What a page's copy of a matplotlib figure does without: head, metadata, names that nothing refers to, line breaks,
# and of a point all but hundredths; a letter is placed, which takes fewer bytes than to move it
SHORTENED = (
    (re.compile(r'^.*?(?=<svg)|<metadata>.*?</metadata>|<title>.*?</title>|<!--.*?-->|(?<=<g) id="[^"]*"', re.S), ""),
    (re.compile(r"(>[^<]+|(?:scale|matrix)\([^)]*\))|(\.\d\d)\d+"), r"\1\2"),
    (re.compile(r'(<use [^>]*?) transform="translate\((\S+) (\S+)\)"'), r'\1 x="\2" y="\3"'),
    (re.compile(r"\s*\n\s*"), ""),
)
SIZE = re.compile(r'<svg[^>]*?\bwidth="(?P<width>[\d.]+)pt" height="(?P<height>[\d.]+)pt"')
# What may not stand in an address, or not in an attribute between apostrophes; the rest of an SVG may
ESCAPES = str.maketrans({"%": "%25", "#": "%23", "'": "%27", "&": "&amp;", "\n": " "})


def chosen(file: Path) -> Path:
    """Return a figure's SVG `file`, or its PNG where there is one that is much smaller. Raises OSError."""
    pixels = file.with_suffix(".png")
    if not pixels.is_file():
        return file
    return pixels if file.stat().st_size > max(LARGEST_SVG, 2 * pixels.stat().st_size) else file


def data_address(file: Path) -> Markup:
    """Return the chosen picture as a data address, to stand between apostrophes. Raises OSError.

    An SVG is text, a third shorter than in base 64.
    """
    picture = chosen(file)
    if picture.suffix == ".png":
        return Markup(f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}")
    return svg_address(shortened(picture.read_text(encoding="utf-8")))


def shortened(svg: str) -> str:
    """Return a figure in two thirds of the bytes that matplotlib writes, without a visible change."""
    for pattern, replacement in SHORTENED:
        svg = pattern.sub(replacement, svg)
    return svg


def svg_address(svg: str) -> Markup:
    """Return an SVG as a data address, to stand between apostrophes."""
    return Markup("data:image/svg+xml," + svg.translate(ESCAPES))


def pixelated(file: Path) -> bool:
    """Return whether a figure's SVG holds pixels (samples, photographs), whose colours may not be changed."""
    return "<image" in file.read_text(encoding="utf-8")


def kinds_of(file: Path) -> list[str]:
    """Return the kinds of file that a figure is there as; the quick profile keeps the SVG alone."""
    return [kind for kind in ("svg", "pdf", "png") if file.with_suffix(f".{kind}").is_file()]


def narrowed(spec: str, width: int = 250, height: int = 130) -> str:
    """Return a Vega-Lite chart of one panel at the width of a column: its type stays legible."""
    content = json.loads(spec) | {"width": width, "height": height}
    content["config"]["legend"]["columns"] = 1
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def size_of(svg: Path) -> tuple[float, float]:
    """Return a figure's width and height in points.

    Raises OSError; ValueError for a file that does not tell its size in points, as matplotlib's do.
    """
    with svg.open(encoding="utf-8") as file:
        return size_in(file.read(4096), str(svg))


def size_in(svg: str, name: str = "a picture") -> tuple[float, float]:
    """Return an SVG's width and height in points. Raises ValueError for one that does not tell them."""
    if (size := SIZE.search(svg)) is None:
        raise ValueError(f"{name}: no width and height in points")
    return float(size["width"]), float(size["height"])
