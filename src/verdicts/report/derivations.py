"""A group's notebook as the paper's appendix shows it: its text and formulas, without code.

An executed notebook also gives SymPy's results; they lie beside its page.
"""

import json
from pathlib import Path

import jupytext

from verdicts.report.blocks import Block, blocks, math
from verdicts.report.typeset import bare_latex


def texts_of(path: Path) -> list[dict[str, str]]:
    """Return the texts of a notebook that was not executed."""
    notebook = jupytext.read(path)
    return [{"markdown": cell.source} for cell in notebook.cells if cell.cell_type == "markdown"]


def read_cells(path: Path) -> list[dict[str, str]]:
    """Read back what `notebooks.cells_of` gave. Raises OSError."""
    cells: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return cells


def derivation(cells: list[dict[str, str]]) -> list[Block]:
    """Return the cells as blocks of the paper; the notebook's own title is left out."""
    content: list[Block] = []
    for cell in cells:
        if "latex" in cell:
            content.append({"kind": "paragraph", "body": [math(bare_latex(cell["latex"]), display=True)]})
        else:
            content += blocks(cell["markdown"])
    return [block for block in content if not (block["kind"] == "heading" and block["level"] == 1)]
