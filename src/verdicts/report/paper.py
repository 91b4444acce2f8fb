"""paper.pdf: its data from records alone, set by paper.typ with the fonts that the compiler holds.

The data lie beside it as `paper/data.json`, every number in them already in words: the Typst file computes nothing. The
same records give the same bytes; the document is dated by its newest record.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from verdicts.claims.schema import Group
from verdicts.records.checksummed import NotCurrent
from verdicts.records.expected import Moved
from verdicts.records.figures import Figure, Table
from verdicts.records.files import write_whole
from verdicts.records.ledger import Ledger
from verdicts.records.record import current_artefacts
from verdicts.records.section import sections_of
from verdicts.records.workspace import Workspace
from verdicts.report import views
from verdicts.report.blocks import pieces
from verdicts.report.derivations import derivation, read_cells, texts_of
from verdicts.report.findings import tally
from verdicts.report.images import chosen, size_of
from verdicts.report.report_texts import Exhibit, load_exhibits, load_limitations, load_notation
from verdicts.report.tables import shown
from verdicts.report.templating import gap
from verdicts.report.views import CheckView, ClaimView, DeviationView, GroupView, MovedView
from verdicts.report.words import duration, number, spread

SOURCE = "paper/paper.typ"
NAMES = ("paper/data.json", "paper.pdf")
TEXT_WIDTH, TEXT_HEIGHT = 470.0, 660.0  # of the page, in points
Data = dict[str, Any]


class NotSet(Exception):
    """The compiler refused the source or the data; one line says why."""


def data_of(workspace: Workspace, ledger: Ledger) -> Data:
    """Return all that the paper says, from a ledger and the records beside it."""
    groups = views.groups_of(workspace)
    claims = views.claims_of(workspace, ledger, groups)
    paper = views.paper_of(workspace, ledger, claims)
    costs, notation = views.costs(workspace, claims), load_notation(workspace.root)
    return {
        "profile": ledger.profile,
        "newest": views.newest(ledger)[:10],
        "tally": tally([view.row for view in paper], [row.verdict for row in ledger.claims]),
        "contradictions": list(ledger.summary.contradictions),
        "failed": list(ledger.summary.failed),
        "paper": [_paper(view) for view in paper],
        "notation": {
            "step": [pieces(formula) for formula in notation.step],
            "symbols": [[pieces(each.sign), pieces(each.meaning)] for each in notation.symbol],
        },
        "claims": [_claim(view) for view in claims],
        "parts": _parts(workspace, groups, claims),
        "exhibits": [_exhibit(each, views.standing(claims, groups)) for each in load_exhibits(workspace.root)],
        "deviations": [_deviation(view) for view in views.deviations(workspace, claims)],
        "moved": _moved(views.moved(workspace, ledger)),
        "limitations": [
            {"title": pieces(each.title), "text": pieces(each.text)} for each in load_limitations(workspace.root)
        ],
        "sections": [
            {"title": each.title, "text": pieces(each.text), "date": each.started[:10]}
            for each in (view.section for view in sections_of(workspace))
        ],
        "benchmarks": [_claim(view) for view in views.benchmarks(workspace) if view.row.provenance],
        "costs": [
            [each.group.title, str(each.claims), duration(each.seconds), str(round(each.peak))] for each in costs
        ],
        "seconds": duration(sum(cost.seconds for cost in costs)),
        "environments": [_environment(*each) for each in views.environments(ledger.claims)],
    }


def build(workspace: Workspace, ledger: Ledger) -> dict[str, bytes]:
    """Return the files of the paper by their place in the results' folder: data and PDF.

    Figures are read from the results' folder. Raises NotSet.
    """
    data = json.dumps(data_of(workspace, ledger), indent=1, ensure_ascii=False) + "\n"
    return {
        NAMES[0]: data.encode(),
        NAMES[1]: compiled(workspace.root / SOURCE, workspace.folder, data, views.newest(ledger)),
    }


def write(workspace: Workspace, ledger: Ledger) -> Path:
    """Write the paper with its data, each file whole, and return the PDF's place. Raises OSError, NotSet."""
    for name, content in build(workspace, ledger).items():
        write_whole(workspace.folder / name, content)
    return workspace.folder / NAMES[1]


def compiled(source: Path, folder: Path, data: str, newest: str) -> bytes:
    """Return the PDF that a Typst `source` makes of some data. Raises NotSet.

    `folder` is what the paths in the data start from; the file is dated by `newest`, an ISO time.
    """
    import typst

    try:
        text = source.read_bytes()
    except OSError as error:
        raise NotSet(f"{source.parent.name}/{source.name} cannot be read: {error.strerror}") from error
    compiler = typst.Compiler(
        text,
        root=str(folder if folder.is_dir() else source.parent),  # before any run there is no folder, and no figure
        font_paths=typst.Fonts(include_system_fonts=False),
        ignore_system_fonts=True,
        sys_inputs={"data": data},
    )
    when = int(datetime.fromisoformat(newest).timestamp()) if newest else 0
    try:
        document = compiler.compile(format="pdf", timestamp=when)
    except typst.TypstError as error:
        raise NotSet(f"not set: {' '.join(error.message.split())}") from error
    assert isinstance(document, bytes)
    return document


def _paper(view: views.PaperView) -> Data:
    return {
        "id": view.row.id,
        "text": view.row.text,
        "word": view.row.word,
        "sentence": pieces(view.row.sentence),
        "number": pieces(view.row.number),
        "figure": view.figure,
        "claims": [_verdict(each) for each in view.claims],
        "supporting": [_verdict(each) for each in view.supporting],
    }


def _verdict(view: ClaimView) -> Data:
    return {"id": view.claim.id, "verdict": view.row.verdict}


def _claim(view: ClaimView) -> Data:
    return {
        "id": view.claim.id,
        "title": pieces(view.claim.title),
        "statement": pieces(view.claim.statement),
        "source": [{"text": f"{view.claim.source.kind}: "}, *pieces(view.claim.source.where)],
        "evidence": view.claim.evidence,
        "verdict": view.row.verdict,
        "expected": view.claim.expected,
        "agrees": view.row.agrees is not False,
        "reason": pieces(view.row.reason),
        "falsifier": view.claim.falsifier,
        "deciding": _check(view.deciding),
        "checks": [_check(each) for each in view.checks],
        "cost": duration(view.row.provenance.seconds) if view.row.provenance else "",
        "computed": view.row.provenance.started[:10] if view.row.provenance else "",
    }


def _check(view: CheckView) -> Data:
    result = view.result
    return {
        "id": view.check.id,
        "quantity": pieces(view.quantity),
        "measured": view.measured,
        "required": view.required,
        "tightness": number(result.tightness if result else None),
        "origin": pieces(view.check.origin),
        "verdict": result.verdict if result else "not run",
    }


def _parts(workspace: Workspace, groups: Sequence[GroupView], claims: Sequence[ClaimView]) -> list[Data]:
    parts, numbers = [], views.figure_numbers(groups)
    for part, title in workspace.claims.outline.parts.items():
        members = [view for view in groups if view.group.part == part]
        if members:
            inside = [_group(workspace, view, claims, numbers) for view in members]
            parts.append({"title": title, "groups": inside})
    return parts


def _group(workspace: Workspace, view: GroupView, claims: Sequence[ClaimView], numbers: Mapping[str, int]) -> Data:
    cells, executed = _cells(workspace, view.group)
    return {
        "id": view.group.id,
        "title": view.group.title,
        "claims": [each.claim.id for each in claims if each.group.id == view.group.id],
        "reason": pieces(view.reason),
        "figures": [_figure(workspace, view, each, numbers[each.file.stem]) for each in view.figures],
        "tables": [_table(view.folder, each) for each in view.tables],
        "derivation": derivation(cells),
        "executed": executed,
    }


def _cells(workspace: Workspace, group: Group) -> tuple[list[dict[str, str]], bool]:
    """Return the cells of a group's notebook, and whether they hold what executing it gave."""
    if group.notebook is None:
        return [], False
    path = workspace.page_path(group)
    try:
        artefacts = current_artefacts(path, workspace.page_parts(group))
        return read_cells(path.with_name(f"{group.id}.cells.json")), bool(artefacts.files)
    except (NotCurrent, OSError):
        return texts_of(workspace.root / group.notebook), False


def _figure(workspace: Workspace, view: GroupView, figure: Figure, number: int) -> Data:
    file = chosen(workspace.folder / view.folder / figure.file)
    return {
        "path": f"/{view.folder}/{file.name}",
        "name": figure.file.stem,
        "number": str(number),
        "width": width_of(file.with_suffix(".svg")),
        "caption": pieces(figure.caption),
        "claims": list(figure.claims),
    }


def width_of(svg: Path) -> float:
    """Return the width, in points, at which a figure fits the page: its own, if that is not too large."""
    width, height = size_of(svg)
    return round(min(width, TEXT_WIDTH, width * TEXT_HEIGHT / height), 2)


def _table(folder: str, table: Table) -> Data:
    contents = shown(table)
    return {
        "id": table.id,
        "caption": pieces(table.caption),
        "shared": pieces(contents.shared),
        "numeric": [column.numeric for column in contents.columns],
        "header": [pieces(column.head) for column in contents.columns],
        "rows": [[pieces(cell) for cell in row] for row in contents.rows],
        "more": str(contents.more) if contents.more else "",
        "file": f"{folder}/{table.id}.csv",
    }


def _exhibit(exhibit: Exhibit, standing: Mapping[str, str]) -> Data:
    return {
        "title": pieces(exhibit.title),
        "what": pieces(exhibit.what),
        "status": exhibit.status,
        "here": [{"name": name, "label": standing.get(name, "")} for name in exhibit.here],
        "gap": pieces(gap(exhibit)),
    }


def _deviation(view: DeviationView) -> Data:
    texts = {name: pieces(getattr(view.deviation, name)) for name in ("title", "described", "code", "here")}
    effects = [{"check": item.check.id, "measured": item.measured} for _, item in view.effects]
    return {**texts, "effect": pieces(view.deviation.effect), "effects": effects}


def _moved(view: MovedView | None) -> Data | None:
    if view is None:
        return None
    return {
        "newest": view.expected.newest[:10],
        "processor": view.expected.processor,
        "counts": {kind: str(view.count(kind)) for kind in Moved},
        "changed": [
            [each.check, spread(each.expected), spread(each.result)]
            for each in view.changed
            if each.expected and each.result
        ],
    }


def _environment(environment: Any, names: list[str]) -> Data:
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    return {
        "claims": ", ".join(names),
        "machine": f"{environment.processor}; {environment.platform}; device {environment.device}",
        "software": f"Python {environment.python}, {packages}",
        "commit": environment.commit or "unknown",
        "dirty": bool(environment.dirty),
    }
