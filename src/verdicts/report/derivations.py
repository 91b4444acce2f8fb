"""A group's executed notebook as the supplement shows it: its text and SymPy's results, without code."""

import json
from pathlib import Path

from verdicts.report.blocks import Block, blocks, math
from verdicts.report.typeset import bare_latex


def read_cells(path: Path) -> list[dict[str, str]]:
    """Read back what `notebooks.cells_of` gave. Raises OSError."""
    cells: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return cells


def derivation(cells: list[dict[str, str]]) -> list[Block]:
    """Return the cells as blocks of the supplement; the notebook's own title is left out."""
    content: list[Block] = []
    for cell in cells:
        if "latex" in cell:
            content.append({"kind": "paragraph", "body": [math(bare_latex(cell["latex"]), display=True)]})
        else:
            content += blocks(cell["markdown"])
    return [block for block in content if not (block["kind"] == "heading" and block["level"] == 1)]
