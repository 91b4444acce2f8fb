"""Reading a page as a browser would: its elements, addresses and anchors."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = frozenset({"meta", "img", "br", "link", "input", "hr", "source"})
ADDRESSES = frozenset({"src", "href", "srcset", "action", "poster", "data"})


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """The elements of a page; raises AssertionError where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-1:]} at {self.getpos()}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def addresses(self) -> list[str]:
        return [value or "" for e in self.elements for name, value in e.attributes.items() if name in ADDRESSES]

    def ids(self) -> list[str]:
        return [str(e.attributes["id"]) for e in self.elements if "id" in e.attributes]

    def with_class(self, name: str) -> list[Element]:
        return [e for e in self.elements if name in (e.attributes.get("class") or "").split()]
