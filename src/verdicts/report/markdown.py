"""Markdown with formulas between dollars: as a tree of tokens, and a notebook's as HTML."""

import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from mistune import BaseRenderer, HTMLRenderer, create_markdown

from verdicts.report.typeset import formula

_DISPLAYED = (
    r"(?<!\\)\$\$(?P<displayed>[\s\S]+?)(?<!\\)\$\$"
    r"|(?P<environment>\\begin\{(?P<name>[a-z]+\*?)\}[\s\S]+?\\end\{(?P=name)\})"
)
_INLINE = r"(?<![\\$])\$(?P<in_line>[\s\S]+?)(?<![\\$])\$"


def parser(renderer: BaseRenderer | None = None) -> Callable[[str], Any]:
    """Return what parses Markdown with tables and formulas: into HTML by `renderer`, else a tree of tokens.

    Formulas are tokens `block_math` and `inline_math`.
    """
    parse = create_markdown(escape=False, renderer=renderer, plugins=["table"])
    # A displayed formula is no list, though one of its lines may begin like an item
    parse.block.register("displayed_formula", f"^(?:{_DISPLAYED})", _paragraph, before="list")
    parse.inline.register("formula", f"{_DISPLAYED}|{_INLINE}", _formula, before="escape")
    return parse


def _paragraph(_: Any, match: re.Match[str], state: Any) -> int:
    state.add_paragraph(match[0])
    return match.end()


def _formula(_: Any, match: re.Match[str], state: Any) -> int:
    displayed = match["displayed"] or match["environment"]
    state.append_token({"type": "block_math" if displayed else "inline_math", "raw": displayed or match["in_line"]})
    return match.end()


class _Formulas(HTMLRenderer):
    """HTML with formulas as MathML."""

    def block_math(self, body: str) -> str:
        """Return a displayed formula."""
        return str(formula(body, display=True))

    def inline_math(self, body: str) -> str:
        """Return a formula in the line."""
        return str(formula(body))


def markdown(text: str) -> Markup:
    """Return a notebook's Markdown as HTML."""
    return Markup(parser(_Formulas(escape=False))(text))
