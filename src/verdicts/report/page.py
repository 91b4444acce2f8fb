"""The report: an HTML page, and one for each group that stands apart, made from records alone.

No page needs anything from elsewhere. The same records give the same bytes: every time in them was
read from a record. Beside the records it shows the source of the sampler's step; it names and links
what measured a check or drew a figure.
"""

import ast
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from verdicts.claims.check import Check
from verdicts.claims.schema import Claims, Expectation, Group, Profile, Verdict
from verdicts.errors import UserError
from verdicts.records.figures import library
from verdicts.records.ledger import Ledger
from verdicts.records.run_record import pooled
from verdicts.records.workspace import Workspace
from verdicts.report.findings import (
    Decisions,
    Word,
    finding_text,
    of_instrument,
    reached,
    required_of,
)
from verdicts.report.images import Picture, forest_svg, size_of, svg_address
from verdicts.report.tables import shown
from verdicts.report.templating import render
from verdicts.report.typeset import typeset
from verdicts.report.views import anchors, benchmarks, content_of
from verdicts.report.words import MARKS, number

REPORT = "report.html"
CLAIM = re.compile(r"\b[A-Z]\d+[a-z]?\b")  # what looks like a claim's id
DOCSTRING = re.compile(r'\n\s*"""(?:.|\n)*?"""')


def build(workspace: Workspace, ledger: Ledger) -> dict[str, str]:
    """Return the pages by name, for a ledger and the records beside it: the report, and those of
    groups apart.
    """
    content = _content(workspace, ledger)
    works = {work.id: work for work in content["works"]}
    pages = {REPORT: render("report.html.j2", here=REPORT, **content)}
    for own in dict.fromkeys(
        view.group.own_page for view in content["groups"] if view.group.own_page
    ):
        views = [view for view in content["groups"] if view.group.own_page == own]
        page = page_of(views[0].group)
        pages[page] = render(
            "group.html.j2", here=page, views=views, work=works.get(own), **content
        )
    return pages


def page_of(group: Group) -> str:
    """Return the name of the page that shows a group's claims and figures."""
    return f"report-{group.own_page}.html" if group.own_page else REPORT


def _content(workspace: Workspace, ledger: Ledger) -> dict[str, Any]:
    """Return all that the templates show."""
    root, folder = workspace.root, workspace.folder
    content = content_of(workspace, ledger)
    claims, groups = content["claims"], content["groups"]
    own = Decisions.of(ledger)
    values = required_of(workspace.all_claims) | own.values
    addresses: dict[str, str] = {}
    for page in {page_of(view.group) for view in groups}:
        places = (
            [view for view in views if page_of(view.group) == page] for views in (claims, groups)
        )
        addresses |= {name: f"{page}#{anchor}" for name, anchor in anchors(*places).items()}
    drawings = []
    if forest := content["forest"]:
        drawings = [
            svg_address(forest_svg(forest, content["evidence"], narrow)) for narrow in (False, True)
        ]

    def texts_of(findings: Any) -> list[Markup]:
        texts = (finding_text(each, own, values) for each in findings)
        return [_cited(text, addresses) for text in texts if text]

    return content | {
        "ledger": ledger,
        "audited": [*of_instrument(content["findings"], own), *pooled(ledger.audits)],
        "forest_pictures": drawings,
        "words": list(Word),
        "foreseen": [
            view.claim.id for view in claims if view.claim.expected is Expectation.REFUTED
        ],
        "texts_of": texts_of,
        "reached": reached,
        "marks": MARKS,
        "verdicts": list(Verdict),
        "benchmarks": benchmarks(workspace),
        "code": [function_at(root, place) for place in content["notation"].code],
        "false_alarms": family_wise(workspace.all_claims, ledger.profile),
        "addresses": addresses,
        "library": library,
        "shown": shown,
        "picture": lambda view, figure: Picture(folder / view.folder / figure.file),
        "pixels": lambda svg: [round(points * 96 / 72) for points in size_of(svg)],
        "address": lambda where: address_of(root, folder, where),
    }


def _cited(text: str, addresses: Mapping[str, str]) -> Markup:
    """Return a text as HTML in which each claim that it names leads to it."""

    def link(name: re.Match[str]) -> str:
        return f'<a href="{addresses[name[0]]}">{name[0]}</a>' if name[0] in addresses else name[0]

    return Markup(CLAIM.sub(link, typeset(text)))


def drawn(claims: Claims, profile: Profile) -> list[Check]:
    """Return the checks of a profile that draw."""
    decided = (
        check for claim in claims.claim if profile in claim.profiles for check in claim.check
    )
    return [check for check in decided if check.false_alarm]


def family_wise(claims: Claims, profile: Profile) -> str:
    """Say how many of a profile's checks are refuted falsely, and confirmed falsely, at most, on
    average over runs.

    Rates add, whether or not checks are independent, so each sum also bounds the probability of any
    such error. A rate is that of a value at its bound (just beyond it, of a confirmation); farther
    away it falls to nothing.
    """
    checks = drawn(claims, profile)
    refuted = number(sum(check.false_alarm for check in checks), 2)
    confirmed = number(sum(check.false_confirmation for check in checks), 2)
    return (
        f"{len(checks)} checks draw. Were every true value at its bound, chance would "
        f"refute at most {refuted} of them "
        f"a run; were every value just beyond its bound, it would confirm at most {confirmed}."
    )


def address_of(root: Path, folder: Path, where: str) -> str:
    """Return the address of the file of `where` from a page in `folder`; empty where the results
    lie elsewhere.
    """
    name = where.rpartition(":")[0]
    if not folder.is_relative_to(root) or not (root / name).is_file():
        return ""
    return Path(os.path.relpath(root / name, folder)).as_posix()


def function_at(root: Path, place: str) -> str:
    """Return the text of the function at `place` (`file:name`) without its docstring. Raises
    UserError for none.
    """
    file, _, name = place.rpartition(":")
    text = (root / file).read_text(encoding="utf-8") if (root / file).is_file() else ""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = DOCSTRING.sub("", ast.get_source_segment(text, node) or "", count=1).split("\n")
            return "\n".join(line for line in lines if line.strip())
    raise UserError(f"{place}: there is no such function")
