"""From text with `$LaTeX$` formulas to HTML that needs no script and no font from elsewhere (formulas as MathML)."""

import re
from collections.abc import Callable
from html import escape

from latex2mathml.converter import convert
from markupsafe import Markup

from verdicts.records.inline import inline

# HTML knows the namespace of `math`; without it a page names no address at all
_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
# what latex2mathml does not know, or sets letter by letter, in terms of what it sets well
_SYNONYMS = (
    (re.compile(r"\\[td]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\arg(?![A-Za-z])"), r"\\operatorname{arg}"),
    (re.compile(r"\\bm(?![A-Za-z])"), r"\\boldsymbol"),
    (re.compile(r"\\mathrm\{([A-Za-z]{2,})\}"), r"\\operatorname{\1}"),
)


def bare_latex(output: str) -> str:
    """Return the formula of a notebook's output (SymPy's `$\\displaystyle ...$`) without its dollars."""
    return output.strip().strip("$").removeprefix(r"\displaystyle").strip()


def usual_latex(tex: str) -> str:
    """Return a formula in terms of what latex2mathml sets well."""
    plain = tex.strip()
    for pattern, usual in _SYNONYMS:
        plain = pattern.sub(usual, plain)
    return plain


def formula(tex: str, display: bool = False) -> Markup:
    """Return a LaTeX formula as MathML; one that the converter cannot read is shown as its source."""
    try:
        markup = convert(usual_latex(tex), display="block" if display else "inline")
    except Exception:  # the converter has a dozen unrelated types for malformed input
        return Markup("<code>{}</code>").format(tex.strip())
    return Markup(markup.replace(_NAMESPACE, ""))


def typeset(text: str) -> Markup:
    """Return a line of text as HTML: `$...$` and `$$...$$` are formulas, backticks code, the rest is escaped."""
    return Markup("".join(_FORMS[kind](piece) for kind, piece in inline(text)))


_FORMS: dict[str, Callable[[str], str]] = {
    "text": escape,
    "code": lambda piece: f"<code>{escape(piece)}</code>",
    "formula": formula,
    "display": lambda piece: formula(piece, display=True),
}
