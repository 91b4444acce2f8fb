"""A notebook's Markdown as HTML. Its parser takes long to import, and only notebook pages need it."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from verdicts.report.typeset import formula


class _Renderer(IPythonRenderer):
    """Markdown of a notebook, its formulas as MathML and its headings without anchors."""

    def block_math(self, body: str) -> str:
        """Return a displayed formula."""
        return str(formula(body, display=True))

    def inline_math(self, body: str) -> str:
        """Return a formula in the line."""
        return str(formula(body))

    def latex_environment(self, name: str, body: str) -> str:
        """Return a LaTeX environment as a displayed formula."""
        return str(formula(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True))

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """Return a heading."""
        return f"<h{level}>{text}</h{level}>\n"


def markdown(text: str) -> Markup:
    """Return a notebook's Markdown as HTML."""
    render: Callable[[str], Any] = MarkdownWithMath(renderer=_Renderer(escape=False, exclude_anchor_links=True))
    return Markup(render(text))
