"""A group's executed notebook as the supplement shows it: its text and SymPy's results, without code."""

from verdicts.report.blocks import Block, blocks, math
from verdicts.report.typeset import bare_latex


def derivation(cells: list[dict[str, str]]) -> list[Block]:
    """Return a notebook's cells (`notebooks.cells_of`) as blocks of the supplement.

    The notebook's own title is left out, and headings above nothing.
    """
    content: list[Block] = []
    for cell in cells:
        if "latex" in cell:
            content.append({"kind": "paragraph", "body": [math(bare_latex(cell["latex"]), display=True)]})
        else:
            content += blocks(cell["markdown"])
    content = [block for block in content if not (block["kind"] == "heading" and block["level"] == 1)]
    next_blocks = [*content, {"kind": "heading", "level": 0}][1:]
    return [block for block, after in zip(content, next_blocks, strict=True) if not _above_nothing(block, after)]


def _above_nothing(block: Block, after: Block) -> bool:
    """Return whether a block is a heading that another of its level, or of a higher one, follows at once."""
    return bool(block["kind"] == after["kind"] == "heading" and after["level"] <= block["level"])
