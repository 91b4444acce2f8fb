"""Text with formulas, Markdown and executed notebooks as data that Typst sets: pieces of a line, and blocks of them.

A piece is `{"text": ...}`, `{"code": ...}`, `{"math": ..., "display": ...}` (in Typst's notation), or
`{"em" | "strong": pieces}`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from verdicts.report.typeset import bare_latex, inline, parser
from verdicts.report.typst_math import Unreadable, typst_math

Piece = dict[str, Any]
Block = dict[str, Any]


def pieces(text: str) -> list[Piece]:
    """Return a line of text in pieces: `$...$` and `$$...$$` are formulas, backticks code."""
    return [_piece(kind, piece) for kind, piece in inline(text) if piece]


def _piece(kind: str, text: str) -> Piece:
    return {kind: text} if kind in ("text", "code") else math(text, display=kind == "display")


def math(tex: str, display: bool = False) -> Piece:
    """Return a formula as a piece; one that cannot be read is shown as its source."""
    try:
        return {"math": typst_math(tex), "display": display}
    except Unreadable:
        return {"code": tex.strip()}


def blocks(markdown: str) -> list[Block]:
    """Return Markdown as blocks: headings, paragraphs, lists, tables, formulas."""
    return [block for token in parser()(markdown) for block in _block(token)]


def _block(token: dict[str, Any]) -> Iterator[Block]:
    kind = token["type"]
    if kind in {"paragraph", "block_text"}:
        yield {"kind": "paragraph", "body": _line(token["children"])}
    elif kind == "heading":
        yield {"kind": "heading", "level": token["attrs"]["level"], "body": _line(token["children"])}
    elif kind == "block_math":
        yield {"kind": "paragraph", "body": [math(token["raw"], display=True)]}
    elif kind == "block_code":
        yield {"kind": "code", "text": token["raw"].rstrip()}
    elif kind == "list":
        items = [[block for child in item["children"] for block in _block(child)] for item in token["children"]]
        yield {"kind": "list", "ordered": token["attrs"]["ordered"], "items": items}
    elif kind == "block_quote":
        yield from (block for child in token["children"] for block in _block(child))
    elif kind == "table":
        yield {"kind": "table", "rows": list(_rows(token))}


def _rows(table: dict[str, Any]) -> Iterator[list[list[Piece]]]:
    head, body = table["children"]
    yield [_line(cell["children"]) for cell in head["children"]]
    for row in body["children"]:
        yield [_line(cell["children"]) for cell in row["children"]]


def _line(tokens: Iterable[dict[str, Any]]) -> list[Piece]:
    return [piece for token in tokens for piece in _inline(token)]


def _inline(token: dict[str, Any]) -> Iterator[Piece]:
    kind = token["type"]
    if kind == "codespan":
        yield {"code": token["raw"]}
    elif kind in {"inline_math", "block_math"}:
        yield math(token["raw"], display=kind == "block_math")
    elif kind in {"softbreak", "linebreak"}:
        yield {"text": " "}
    elif kind in {"emphasis", "strong"}:
        yield {"em" if kind == "emphasis" else "strong": _line(token["children"])}
    elif "children" in token:
        yield from _line(token["children"])
    else:
        yield {"text": token.get("raw", "")}


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
