"""A line of text with `$formulas$`, `$$displayed formulas$$` and code between backticks, piece by piece."""

import re
from collections.abc import Iterator

# a dollar before the name of an environment variable ($AMS_DATA) opens no formula, and closes none
_DOLLAR = r"\$(?![A-Z]+_[A-Z])"
_MARKED = re.compile(rf"\$\$(?P<display>.+?)\$\$|{_DOLLAR}(?P<formula>[^$]+?){_DOLLAR}|`(?P<code>[^`]+)`", re.DOTALL)


def inline(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a line, each after its kind: `text` (it may be empty), `code`, `formula`, `display`."""
    end = 0
    for match in _MARKED.finditer(text):
        kind = str(match.lastgroup)
        yield from (("text", text[end : match.start()]), (kind, match[kind]))
        end = match.end()
    yield "text", text[end:]
