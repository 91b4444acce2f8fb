"""Text with formulas, Markdown and executed notebooks as data that Typst sets: pieces of a line,
and blocks of them.

A piece is `{"text": ...}`, `{"code": ...}`, `{"math": ..., "display": ...}` (in Typst's notation),
or `{"em" | "strong": pieces}`.

A LaTeX formula gets Typst's notation by way of the MathML that the report's page shows: one reader
of LaTeX for both. Letters and signs stay what they are in Unicode; each that Typst would read as
syntax is escaped. So the notation needs no names but those of the functions below.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

from verdicts.report.typeset import bare_latex, inline, parser, usual_latex

Piece = dict[str, Any]
Block = dict[str, Any]
SYNTAX = frozenset("#$\"'`\\/_^&~()[]{}|,;:.*@<>-+=!")
LIMITS = frozenset({"max", "min", "sup", "inf", "lim"})
BARS = ("|", "‖")
SPACES = {"0.167em": "thin", "0.222em": "med", "0.278em": "thick", "1em": "quad", "2em": "wide"}
ALPHABETS = {
    "script": "cal",
    "double-struck": "bb",
    "bold": "bold",
    "bold-italic": "bold",
    "normal": "upright",
}
MARKS = {
    "^": "accent({}, hat)",
    "~": "accent({}, tilde)",
    "⏟": "underbrace({})",
    "―": "overline({})",
}
"""What stands over or under a letter or a term."""


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
    kind, children = token["type"], token.get("children", [])
    if kind in {"paragraph", "block_text"}:
        yield {"kind": "paragraph", "body": _line(children)}
    elif kind == "heading":
        yield {"kind": "heading", "level": token["attrs"]["level"], "body": _line(children)}
    elif kind == "block_code":
        yield {"kind": "code", "text": token["raw"].rstrip()}
    elif kind == "list":
        items = [
            [block for child in item["children"] for block in _block(child)] for item in children
        ]
        yield {"kind": "list", "ordered": token["attrs"]["ordered"], "items": items}
    elif kind == "table":
        head, body = children
        rows = [head, *body["children"]]
        yield {
            "kind": "table",
            "rows": [[_line(cell["children"]) for cell in row["children"]] for row in rows],
        }
    else:
        yield from (block for child in children for block in _block(child))


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
            content.append(
                {"kind": "paragraph", "body": [math(bare_latex(cell["latex"]), display=True)]}
            )
        else:
            content += blocks(cell["markdown"])
    content = [
        block for block in content if not (block["kind"] == "heading" and block["level"] == 1)
    ]
    kept: list[Block] = []
    # a heading above another of its level, or of a higher one, is above nothing
    for block in reversed(content):
        below = kept[-1] if kept else {"kind": "heading", "level": 0}
        if not (block["kind"] == below["kind"] == "heading" and below["level"] <= block["level"]):
            kept.append(block)
    return kept[::-1]


class Unreadable(ValueError):
    """A formula that is malformed, or that uses what is not known here."""


def typst_math(tex: str) -> str:
    """Return a LaTeX formula (without dollars) as the body of a Typst equation. Raises
    Unreadable.
    """
    try:
        root = convert_to_element(usual_latex(tex))
    except Exception as error:  # the reader has a dozen unrelated types for malformed input
        raise Unreadable(f"{tex}: {error or type(error).__name__}") from error
    return _sequence(list(root))


def _written(node: Element) -> str:
    """Return one element. Raises Unreadable for one that is not in the table."""
    try:
        return _FORMS[node.tag](node)
    except KeyError:
        raise Unreadable(f"<{node.tag}> is not known") from None


def _sequence(nodes: Sequence[Element]) -> str:
    for bar in BARS:
        _pair([bearer for node in nodes if (bearer := _bearer(node, bar)) is not None])
    return " ".join(filter(None, map(_written, nodes)))


def _bearer(node: Element, bar: str) -> Element | None:
    """Return the bar that a node is, or that its scripts are attached to."""
    while node.tag in {"msup", "msub", "msubsup"}:
        node = node[0]
    return node if node.tag == "mo" and _text(node) == bar else None


def _pair(bars: list[Element]) -> None:
    """Mark bars as opening and closing in turn: nothing but their number tells a norm from a
    condition.
    """
    if len(bars) % 2 == 0:
        for n, bar in enumerate(bars):
            bar.set("class", "closing" if n % 2 else "opening")


def _row(node: Element) -> str:
    children = list(node)
    if (
        len(children) > 1
        and children[0].get("form") == "prefix"
        and children[-1].get("form") == "postfix"
    ):
        return f"lr({_fence(children[0])} {_sequence(children[1:-1])} {_fence(children[-1])})"
    if len(children) == 3 and children[1].tag == "mtable":
        return f"lr({_fence(children[0])} {_written(children[1])} {_fence(children[2])})"
    return _sequence(children)


def _fence(node: Element) -> str:
    return _letters(_text(node).replace(".", ""))


def _text(node: Element) -> str:
    return unescape(node.text or "").replace("\u00a0", " ")


def _letters(text: str) -> str:
    return "".join(f"\\{letter}" if letter in SYNTAX else letter for letter in text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _identifier(node: Element) -> str:
    text = _text(node)
    if text == "~":  # what the reader makes of \\sim
        return "∼"
    if not text.strip():
        return ""
    if text[0] in ".0123456789":
        return _number(node)
    shape = ALPHABETS.get(node.get("mathvariant", ""))
    written = _letters(text) if len(text) == 1 else f"op({_quoted(text)})"
    return f"{shape}({written})" if shape else written


def _number(node: Element) -> str:
    text = _text(node)
    return text if text.replace(".", "", 1).isdigit() and text[0] != "." else _quoted(text)


def _operator(node: Element) -> str:
    text = _text(node)
    if len(text) > 1 and text.isalpha():
        return f"op({_quoted(text)}, limits: #true)" if text in LIMITS else f"op({_quoted(text)})"
    return (
        f'class("{node.get("class")}", {_letters(text)})' if node.get("class") else _letters(text)
    )


def _group(node: Element) -> str:
    return _written(node) or '""'


def _fraction(node: Element) -> str:
    top, bottom = node
    return f"frac({_group(top)}, {_group(bottom)})"


def _attached(*places: str) -> Callable[[Element], str]:
    def attach(node: Element) -> str:
        base, *scripts = node
        named = ", ".join(
            f"{place}: {_group(script)}" for place, script in zip(places, scripts, strict=True)
        )
        if [_text(script) for script in scripts] == ["′"]:
            named = f"tr: {_group(scripts[0])}"
        return f"attach({_group(base)}, {named})"

    return attach


def _decorated(node: Element) -> str:
    """Return a letter or a term with what stands over or under it: an accent, a line, a brace
    with its legend.
    """
    base, mark = node
    if len(base) == 2 and _text(base[1]) == "⏟":
        return f"underbrace({_group(base[0])}, {_group(mark)})"
    if _text(mark) not in MARKS:
        raise Unreadable(f"<{node.tag}> with {_text(mark)} is not known")
    return MARKS[_text(mark)].format(_group(base))


def _table(node: Element) -> str:
    rows = "; ".join(", ".join(_sequence(list(cell)) or '""' for cell in row) for row in node)
    return f"mat(delim: #none, {rows})"


_FORMS: dict[str, Callable[[Element], str]] = {
    "math": _row,
    "mrow": _row,
    "mstyle": _row,
    "mpadded": _row,
    "mi": _identifier,
    "mn": _number,
    "mo": _operator,
    "mtext": lambda node: _quoted(_text(node)),
    "mspace": lambda node: SPACES.get(node.get("width", ""), ""),
    "mfrac": _fraction,
    "msqrt": lambda node: f"sqrt({_sequence(list(node))})",
    "msub": _attached("b"),
    "msup": _attached("t"),
    "msubsup": _attached("b", "t"),
    "munder": _decorated,
    "mover": _decorated,
    "mtable": _table,
}
