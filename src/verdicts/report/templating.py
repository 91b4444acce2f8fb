"""The Jinja2 environment of the report and of the notebook pages."""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from verdicts.report.typeset import typeset
from verdicts.report.words import duration, number, plain, spread

TEMPLATES = Path(__file__).parent / "templates"


def readable(value: Any) -> Markup:
    """Return a JSON value as indented text of an element, in which quotes stand as they are."""
    return Markup(escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False))


def in_words(text: str) -> str:
    """Return a text's first sentence without markup, for a voice or a list."""
    return re.split(r"(?<=[^.][.:;])\s", plain(text))[0].rstrip(" .:;")


def included(name: str) -> Markup:
    """Return a template's file as it stands (style sheets, scripts)."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    """Return what templates are read with; it keeps those that it has compiled."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: ".html" in str(name) or ".svg" in str(name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (typeset, number, spread, duration, readable, in_words, plain)
    environment.filters |= {each.__name__: each for each in filters}
    environment.tests["contains"] = lambda names, name: name in names
    environment.globals["included"] = included
    return environment


def render(template: str, **content: Any) -> str:
    """Return a template filled in. Raises jinja2.UndefinedError for a name that `content` lacks."""
    return _environment().get_template(template).render(**content)


def render_blocks(template: str, **content: Any) -> dict[str, str]:
    """Return each block of a template by its name, filled in, without blank lines around it."""
    opened = _environment().get_template(template)
    context = opened.new_context(content)
    return {name: "".join(block(context)).strip() for name, block in opened.blocks.items()}
