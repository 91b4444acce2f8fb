"""The report: an HTML page, and one for each group that stands apart, made from records alone.

No page needs anything from elsewhere. The same records give the same bytes: every time in them was
read from a record. Beside the records it shows the source of the sampler's step; it names and links
what measured a check or drew a figure.
"""

import ast
import os
import re
from collections.abc import Mapping
from functools import lru_cache
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
from verdicts.report import views
from verdicts.report.findings import (
    SIGNS,
    Decisions,
    answers_of,
    counts,
    evidence_of,
    finding_text,
    of_instrument,
    reached,
    required_of,
    tally,
)
from verdicts.report.forest import NARROW, WIDE, forest_svg
from verdicts.report.images import Picture, overview_of, shortened, size_of, svg_address
from verdicts.report.report_texts import (
    Findings,
    load_exhibits,
    load_findings,
    load_limitations,
    load_notation,
    load_works,
    sections_of,
)
from verdicts.report.tables import shown
from verdicts.report.templating import render
from verdicts.report.typeset import typeset
from verdicts.report.words import MARKS, number

REPORT = "report.html"
CLAIM = re.compile(r"\b[A-Z]\d+[a-z]?\b")  # what looks like a claim's id


def build(workspace: Workspace, ledger: Ledger) -> dict[str, str]:
    """Return the pages by name, for a ledger and the records beside it: the report, and those of
    groups apart.
    """
    groups, works = views.groups_of(workspace), load_works(workspace.root, workspace.all_claims)
    content = _content(workspace, ledger, groups)
    pages = {REPORT: render("report.html.j2", here=REPORT, **content)}
    for own in dict.fromkeys(view.group.own_page for view in groups if view.group.own_page):
        here = [view for view in groups if view.group.own_page == own]
        page = page_of(here[0].group)
        pages[page] = render("group.html.j2", here=page, views=here, work=works.get(own), **content)
    return pages


def page_of(group: Group) -> str:
    """Return the name of the page that shows a group's claims and figures."""
    return f"report-{group.own_page}.html" if group.own_page else REPORT


def _content(workspace: Workspace, ledger: Ledger, groups: list[views.GroupView]) -> dict[str, Any]:
    """Return all that the templates show."""
    outline, notation = workspace.claims.outline, load_notation(workspace.root)
    claims = views.claims_of(workspace, ledger, groups)
    paper, moved = views.paper_of(workspace, ledger, claims), views.moved(workspace, ledger)
    addresses = _addresses(claims, groups)
    here = {name: address.removeprefix(REPORT) for name, address in addresses.items()}
    overview = overview_of(claims, outline.parts, here)
    outcome = Decisions.of(ledger)
    costs = views.costs(workspace, claims)
    values = required_of(workspace.all_claims) | outcome.values
    findings, evidence = (
        load_findings(workspace.root, workspace.all_claims),
        evidence_of(workspace.root, ledger),
    )
    drawn = {figure.file.stem: (view, figure) for view in groups for figure in view.figures}

    return {
        "ledger": ledger,
        "audited": [*of_instrument(findings, Decisions.of(ledger)), *pooled(ledger.audits)],
        "profile": ledger.profile,
        "claims": claims,
        "paper": paper,
        "subject": findings.answer.subject,
        "answers": answers_of(workspace.all_claims, findings, evidence),
        "evidence": evidence,
        "forest": findings.answer.forest,
        "forest_pictures": _forest(workspace, findings, evidence),
        "signs": SIGNS,
        "cited": lambda text: _cited(text, here),
        "words": counts([view.row for view in paper], {})[0],
        "foreseen": [
            view.claim.id for view in claims if view.claim.expected is Expectation.REFUTED
        ],
        "undecided": [view for view in claims if view.claim.sees],
        "tally": tally([view.row for view in paper], *views.counted(ledger)),
        "texts_of": lambda work: [
            text for each in work.finding if (text := finding_text(each, outcome, values))
        ],
        "verdicts_of": lambda of: [
            one.row.verdict for view in of for one in claims if one.group.id == view.group.id
        ],
        "reached": reached,
        "parts": {
            part: [view for view in groups if view.group.part == part] for part in outline.parts
        },
        "part_titles": outline.parts,
        "marks": MARKS,
        "verdicts": list(Verdict),
        "absences": views.absences(claims, groups),
        "benchmarks": views.benchmarks(workspace),
        "deviations": views.deviations(workspace, claims),
        "notation": notation,
        "code": [function_at(workspace.root, place) for place in notation.code],
        "limitations": load_limitations(workspace.root),
        "moved": moved,
        "false_alarms": family_wise(workspace.all_claims, ledger.profile),
        "sections": sections_of(workspace),
        "exhibits": load_exhibits(workspace.root),
        "standing": views.standing,
        "addresses": addresses,
        "overview": overview,
        "library": library() if overview else "",
        "drawn": drawn,
        "numbers": views.figure_numbers(groups),
        "environments": views.environments(ledger.claims),
        "costs": costs,
        "newest": views.newest(ledger),
        "shown": shown,
        "picture": lambda view, figure: Picture(workspace.folder / view.folder / figure.file),
        "svg_address": svg_address,
        "pixels": lambda svg: [round(pt * 96 / 72) for pt in size_of(svg)],
        "origin": lambda view, figure: drawn_by(
            workspace.root, view.group.folder, figure.file.stem
        ),
        "address": lambda where: address_of(workspace.root, workspace.folder, where),
    }


def _forest(workspace: Workspace, findings: Findings, evidence: Decisions) -> list[Markup]:
    """Return the one picture of the answer, wide and narrow, as data addresses; none where there is
    no such picture.
    """
    forest = findings.answer.forest
    if forest is None:
        return []
    drawn = (forest_svg(workspace.root, forest, evidence, shape) for shape in (WIDE, NARROW))
    return [svg_address(shortened(svg)) for svg in drawn]


def _cited(text: str, addresses: Mapping[str, str]) -> Markup:
    """Return a text as HTML in which each claim that it names leads to it."""

    def link(name: re.Match[str]) -> str:
        return f'<a href="{addresses[name[0]]}">{name[0]}</a>' if name[0] in addresses else name[0]

    return Markup(CLAIM.sub(link, typeset(text)))


def _addresses(claims: list[views.ClaimView], groups: list[views.GroupView]) -> dict[str, str]:
    """Return the address, page and anchor, of each claim, group, figure and table by its name."""
    addresses: dict[str, str] = {}
    for page in {page_of(view.group) for view in groups}:
        here = [view for view in groups if page_of(view.group) == page]
        anchors = views.anchors([view for view in claims if page_of(view.group) == page], here)
        addresses |= {name: f"{page}#{anchor}" for name, anchor in anchors.items()}
    return addresses


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
    lines, functions = _functions(root / file)
    node = next((each for each in functions if each.name == name), None)
    if node is None:
        raise UserError(f"{place}: there is no such function")
    kept = range(node.lineno - 1, node.end_lineno or 0)
    first = node.body[0]
    doc = range(first.lineno - 1, first.end_lineno or 0) if ast.get_docstring(node) else ()
    return "\n".join(lines[n] for n in kept if n not in doc and lines[n].strip())


def drawn_by(root: Path, folder: str, figure: str) -> str:
    """Return where a figure is drawn: `file:line` of its group's function of that name, else of
    `figures.py`.
    """
    for path in sorted((root / folder).glob("*.py")):
        for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith(f"def {figure}("):
                return f"{folder}/{path.name}:{at}"
    return f"{folder}/figures.py:1"


@lru_cache(maxsize=64)
def _functions(path: Path) -> tuple[list[str], list[ast.FunctionDef]]:
    """Return a file's lines and its functions; of no file, none."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text.splitlines(), [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    ]
