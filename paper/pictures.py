"""Which of a figure's files a document shows."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

# An SVG of very many points is slower to show than its pixels
LARGEST_SVG = 300_000
KINDS = {".svg": "svg+xml", ".png": "png"}


def chosen(file: Path) -> Path:
    """Return a figure's SVG `file`, or its PNG where there is one that is much smaller. Raises OSError."""
    pixels = file.with_suffix(".png")
    if not pixels.is_file():
        return file
    return pixels if file.stat().st_size > max(LARGEST_SVG, 2 * pixels.stat().st_size) else file


def data_address(file: Path) -> str:
    """Return the chosen picture as a data address. Raises OSError."""
    picture = chosen(file)
    return f"data:image/{KINDS[picture.suffix]};base64,{b64encode(picture.read_bytes()).decode()}"
