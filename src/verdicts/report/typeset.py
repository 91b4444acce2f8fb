"""Text with formulas as HTML that needs no script and no font from elsewhere: lines, quantities,
Markdown.

Formulas become MathML. In a line `$...$` is a formula, `$$...$$` one that is displayed, and
backticks enclose code.
"""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from latex2mathml.converter import convert
from markupsafe import Markup
from mistune import BaseRenderer, HTMLRenderer, create_markdown

from verdicts.report.words import DOLLAR

_MARKED = re.compile(
    rf"\$\$(?P<display>.+?)\$\$|{DOLLAR}(?P<formula>[^$]+?){DOLLAR}|`(?P<code>[^`]+)`", re.DOTALL
)
# HTML knows the namespace of `math`; without it a page names no address at all
_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
# what latex2mathml does not know, or sets letter by letter, in terms of what it sets well
_SYNONYMS = (
    (re.compile(r"\\[td]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\arg(?![A-Za-z])"), r"\\operatorname{arg}"),
    (re.compile(r"\\bm(?![A-Za-z])"), r"\\boldsymbol"),
    (re.compile(r"\\mathrm\{([A-Za-z]{2,})\}"), r"\\operatorname{\1}"),
)
# Formulas in the plain text of quantities, which terminals show too: `rho_1`, `E|s_t|^2`, `sqrt
# kappa`, `W2`
_LETTERS = {
    "beta": r"\beta",
    "delta": r"\delta",
    "eps": r"\epsilon",
    "kappa": r"\kappa",
    "lam": r"\lambda",
    "pi": r"\pi",
    "rho": r"\rho",
    "sigma": r"\sigma",
}
_MARKS = {"code": "`", "formula": "$", "display": "$$"}
_SIGNS = {"<=": "≤", ">=": "≥", "->": "→"}
_NAME = "|".join(_LETTERS)
_SCRIPTS = r"(?:[_^](?:\{[^}]*\}|-?\w+))"
_FORMULA = re.compile(
    rf"(?<![\w.\\])(?:sqrt (?P<root>(?:{_NAME}|\w)\b)|(?P<distance>W2)\b"
    rf"|(?P<base>{_NAME}|[A-Za-z])(?P<scripts>{_SCRIPTS}+)|(?P<name>{_NAME})\b)"
    rf"|(?<=[)|>])(?P<power>{_SCRIPTS})"
)
# Formulas in Markdown
_DISPLAYED = (
    r"(?<!\\)\$\$(?P<displayed>[\s\S]+?)(?<!\\)\$\$"
    r"|(?P<environment>\\begin\{(?P<name>[a-z]+\*?)\}[\s\S]+?\\end\{(?P=name)\})"
)
_INLINE = r"(?<![\\$])\$(?P<in_line>[\s\S]+?)(?<![\\$])\$"


def inline(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a line, each after its kind: `text` (it may be empty), `code`,
    `formula`, `display`.
    """
    end = 0
    for match in _MARKED.finditer(text):
        kind = str(match.lastgroup)
        yield from (("text", text[end : match.start()]), (kind, match[kind]))
        end = match.end()
    yield "text", text[end:]


def bare_latex(output: str) -> str:
    """Return the formula of a notebook's output (SymPy's `$\\displaystyle ...$`) without its
    dollars.
    """
    return output.strip().strip("$").removeprefix(r"\displaystyle").strip()


def usual_latex(tex: str) -> str:
    """Return a formula in terms of what latex2mathml sets well."""
    plain = tex.strip()
    for pattern, usual in _SYNONYMS:
        plain = pattern.sub(usual, plain)
    return plain


def formula(tex: str, display: bool = False) -> Markup:
    """Return a LaTeX formula as MathML; one that the converter cannot read is shown as its
    source.
    """
    try:
        markup = convert(usual_latex(tex), display="block" if display else "inline")
    except Exception:  # the converter has a dozen unrelated types for malformed input
        return Markup("<code>{}</code>").format(tex.strip())
    return Markup(markup.replace(_NAMESPACE, ""))


def typeset(text: str) -> Markup:
    """Return a line of text as HTML: `$...$` and `$$...$$` are formulas, backticks code, the
    rest is escaped.
    """
    return Markup("".join(_FORMS[kind](piece) for kind, piece in inline(text)))


_FORMS: dict[str, Callable[[str], str]] = {
    "text": escape,
    "code": lambda piece: f"<code>{escape(piece)}</code>",
    "formula": formula,
    "display": lambda piece: formula(piece, display=True),
}


def spelled(text: str) -> str:
    """Return a quantity's text with its formulas marked as such (`$...$`); those that are, and
    code, stay.
    """
    return "".join(_spelled(kind, piece) for kind, piece in inline(text))


def _spelled(kind: str, text: str) -> str:
    if kind != "text":
        return f"{_MARKS[kind]}{text}{_MARKS[kind]}"
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    return _FORMULA.sub(lambda match: f"${_in_latex(match)}$", text)


def _in_latex(match: re.Match[str]) -> str:
    if match["distance"]:
        return "W_2"
    if match["root"]:
        return rf"\sqrt{{{_letter(match['root'])}}}"
    scripts = re.sub(r"([_^])(-?\w+)", r"\1{\2}", match["scripts"] or match["power"] or "")
    return (_letter(match["base"] or match["name"]) if not match["power"] else "{}") + scripts


def _letter(name: str) -> str:
    return _LETTERS.get(name, name)


def parser(renderer: BaseRenderer | None = None) -> Callable[[str], Any]:
    """Return what parses Markdown with tables and formulas: into HTML by `renderer`, else a tree of
    tokens.

    Formulas are tokens `block_math` and `inline_math`.
    """
    parse = create_markdown(escape=False, renderer=renderer, plugins=["table"])
    # A displayed formula is no list, though one of its lines may begin like an item
    parse.block.register("displayed_token", f"^(?:{_DISPLAYED})", _paragraph, before="list")
    parse.inline.register("formula", f"{_DISPLAYED}|{_INLINE}", _token, before="escape")
    return parse


def _paragraph(_: Any, match: re.Match[str], state: Any) -> int:
    state.add_paragraph(match[0])
    return match.end()


def _token(_: Any, match: re.Match[str], state: Any) -> int:
    displayed = match["displayed"] or match["environment"]
    state.append_token(
        {"type": "block_math" if displayed else "inline_math", "raw": displayed or match["in_line"]}
    )
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
