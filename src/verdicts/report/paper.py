"""paper.pdf and supplement.pdf: their data from records alone, set by Typst in its own fonts and
the figures'.

Both are set from `paper/data.json`, every number in it already in words: the Typst files compute
nothing. What was not run is in neither. The same records give the same bytes; a document is dated
by its newest record.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from verdicts.claims.schema import Expectation, Verdict
from verdicts.records.figures import Figure, Table
from verdicts.records.ledger import Ledger
from verdicts.records.workspace import Workspace
from verdicts.report import views
from verdicts.report.blocks import derivation, pieces
from verdicts.report.findings import answers_of, counts, evidence_of, tally, uncounted
from verdicts.report.forest import forest_svg
from verdicts.report.images import Picture, size_of
from verdicts.report.report_texts import (
    Exhibit,
    load_exhibits,
    load_findings,
    load_limitations,
    load_notation,
    sections_of,
)
from verdicts.report.tables import shown
from verdicts.report.templating import gap
from verdicts.report.views import CheckView, ClaimView, DeviationView, GroupView, standing
from verdicts.report.words import duration, number

SOURCES = "paper"
DOCUMENTS = ("paper", "supplement")
TEXT_WIDTH, TEXT_HEIGHT = 470.0, 660.0  # of the page, in points
Data = dict[str, Any]


class NotSet(Exception):
    """The compiler refused the source or the data; one line says why."""


def data_of(workspace: Workspace, ledger: Ledger) -> Data:
    """Return all that paper and supplement say, from a ledger and the records beside it."""
    groups = views.groups_of(workspace)
    claims = views.claims_of(workspace, ledger, groups)
    paper, notation = views.paper_of(workspace, ledger, claims), load_notation(workspace.root)
    ran = [view for view in claims if view.row.verdict is not Verdict.NOT_RUN]
    numbers = views.figure_numbers(groups)
    groups = [view for view in groups if any(claim.group.id == view.group.id for claim in ran)]
    anchors = views.anchors(ran, groups)
    findings, evidence = (
        load_findings(workspace.root, workspace.all_claims),
        evidence_of(workspace.root, ledger),
    )
    verdicts, opened, conditions = views.counted(ledger)
    return {
        "profile": ledger.profile,
        "newest": views.newest(ledger)[:10],
        "subject": pieces(findings.answer.subject),
        "answers": [
            {"question": line.question, "text": pieces(line.text)}
            for line in answers_of(workspace.all_claims, findings, evidence)
        ],
        "forest": findings.answer.forest
        and {
            "svg": forest_svg(workspace.root, findings.answer.forest, evidence),
            "caption": pieces(findings.answer.forest.caption),
        },
        "origin": evidence.origin,
        "counts": counts([view.row for view in paper], verdicts),
        "open": uncounted(opened, conditions).strip(),
        "tally": tally([view.row for view in paper], verdicts, opened, conditions),
        "contradictions": list(ledger.summary.contradictions),
        "paper": [_paper(view) for view in paper],
        "verdicts": {name: each.verdict for name, each in evidence.claims.items()},
        "values": evidence.values,
        "notation": {
            "step": [pieces(formula) for formula in notation.step],
            "symbols": [[*_set(each, "sign", "meaning").values()] for each in notation.symbol],
        },
        "claims": [_claim(view) for view in ran],
        "parts": _parts(workspace, groups, numbers),
        "exhibits": [_exhibit(each, anchors, ledger) for each in load_exhibits(workspace.root)],
        "deviations": [_deviation(view) for view in views.deviations(workspace, ran)],
        "limitations": [_set(each, "title", "text") for each in load_limitations(workspace.root)],
        "sections": [
            {"title": each.section.title, **_set(each.section, "text")}
            for each in sections_of(workspace)
        ],
        "seconds": duration(sum(cost.seconds for cost in views.costs(workspace, claims))),
        "environments": [_environment(*each) for each in views.environments(ledger.claims)],
    }


def build(workspace: Workspace, ledger: Ledger) -> dict[str, bytes]:
    """Return data, paper and supplement by their place in the results' folder.

    Figures are read from the results' folder. Raises NotSet.
    """
    data = json.dumps(data_of(workspace, ledger), indent=1, ensure_ascii=False) + "\n"
    return {"paper/data.json": data.encode()} | {
        f"{name}.pdf": compiled(
            workspace.root / SOURCES, name, workspace.folder, data, views.newest(ledger)
        )
        for name in DOCUMENTS
    }


def compiled(sources: Path, name: str, folder: Path, data: str, newest: str) -> bytes:
    """Return the PDF that `name`.typ makes of some data, with the Typst and BibTeX files beside it.
    Raises NotSet.

    `folder` is what the paths in the data start from; the file is dated by `newest`, an ISO time.
    """
    import typst
    from matplotlib import get_data_path

    main = sources / f"{name}.typ"
    try:
        files = {
            path.name: path.read_bytes()
            for path in (main, *sources.glob("*.typ"), *sources.glob("*.bib"))
        }
    except OSError as error:
        raise NotSet(f"{sources.name}/{main.name} cannot be read: {error.strerror}") from error
    compiler = typst.Compiler(
        files | {"main": files[main.name]},  # type: ignore[type-var]  # its stub lacks what the compiler takes
        root=str(
            folder if folder.is_dir() else sources
        ),  # before any run there is no folder, and no figure
        font_paths=typst.Fonts(
            include_system_fonts=False, font_paths=[f"{get_data_path()}/fonts/ttf"]
        ),
        ignore_system_fonts=True,
        sys_inputs={"data": data},
    )
    when = int(datetime.fromisoformat(newest).timestamp()) if newest else 0
    try:
        document = compiler.compile(format="pdf", timestamp=when)
    except typst.TypstError as error:
        raise NotSet(
            f"{sources.name}/{main.name} is not set: {' '.join(error.message.split())}"
        ) from error
    assert isinstance(document, bytes)
    return document


def _set(of: object, *names: str) -> Data:
    """Return these texts of an object by name, in pieces."""
    return {name: pieces(getattr(of, name)) for name in names}


def _paper(view: views.PaperView) -> Data:
    row = view.row
    return {
        **{name: getattr(row, name) for name in ("id", "text", "word")},
        **_set(row, "fact", "scope"),
        "stricter": row.stricter and {"word": row.stricter.word, **_set(row.stricter, "reading")},
        "number": row.number
        and {
            **{name: getattr(row.number, name) for name in ("value", "better", "profile")},
            **_set(row.number, "label", "beside"),
        },
        "conditions": [
            {"claim": each.claim, **_set(each, "setting", "text")} for each in row.conditions
        ],
        "restating": list(row.restating),
        "figure": view.figure,
    }


def _claim(view: ClaimView) -> Data:
    claim, notebook = view.claim, view.group.notebook or "none"
    return {
        **{name: getattr(claim, name) for name in ("id", "group", "evidence", "falsifier")},
        **_set(claim, "title", "statement"),
        "source": claim.source.kind,
        "where": pieces(claim.source.where.replace(notebook, "").lstrip("; ")),
        "proved": notebook in claim.source.where,
        "verdict": view.row.verdict,
        "expected": _expectation(view),
        "paper": list(claim.paper),
        "supports": list(claim.supports),
        "checks": [_check(each) for each in view.checks if each.result],
    }


def _expectation(view: ClaimView) -> str:
    """Return what stands beside a claim's verdict: what was expected instead, "open" or
    "condition"; else nothing.
    """
    expected = view.claim.expected
    if expected is None:
        return "condition"
    return expected if view.row.agrees is False or expected is Expectation.OPEN else ""


def _check(view: CheckView) -> Data:
    assert view.result
    return {
        "id": view.check.id,
        **_set(view, "quantity"),
        "measured": view.measured,
        "required": view.required,
        "tightness": number(view.result.tightness),
        "verdict": view.result.verdict,
    }


def _parts(
    workspace: Workspace, groups: Sequence[GroupView], numbers: Mapping[str, int]
) -> list[Data]:
    return [
        {
            "title": title,
            "groups": [
                _group(workspace, view, numbers) for view in groups if view.group.part == part
            ],
        }
        for part, title in workspace.claims.outline.parts.items()
        if any(view.group.part == part for view in groups)
    ]


def _group(workspace: Workspace, view: GroupView, numbers: Mapping[str, int]) -> Data:
    cells = workspace.page_path(view.group).with_name(f"{view.group.id}.cells.json")
    return {
        "id": view.group.id,
        "title": view.group.title,
        "figures": [_figure(workspace, view, each, numbers) for each in view.figures],
        "tables": [_table(view.folder, each) for each in view.tables],
        "derivation": derivation(json.loads(cells.read_text(encoding="utf-8")))
        if view.page
        else [],
    }


def _figure(
    workspace: Workspace, view: GroupView, figure: Figure, numbers: Mapping[str, int]
) -> Data:
    picture = Picture(workspace.folder / view.folder / figure.file)
    return {
        "path": f"/{view.folder}/{picture.chosen().name}",
        "name": figure.file.stem,
        "number": numbers[figure.file.stem],
        "width": width_of(picture.text()),
        "caption": pieces(figure.caption),
        "claims": list(figure.claims),
    }


def width_of(svg: str) -> float:
    """Return the width, in points, at which a figure fits the page: its own, if that is not too
    large.
    """
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


def _exhibit(exhibit: Exhibit, anchors: Mapping[str, str], ledger: Ledger) -> Data:
    return {
        **_set(exhibit, "title", "what"),
        "status": standing(exhibit, ledger),
        "here": [
            {"name": name, "label": anchors[name]} for name in exhibit.here if name in anchors
        ],
        "gap": pieces(gap(exhibit)),
    }


def _deviation(view: DeviationView) -> Data:
    effects = [
        {"check": item.check.id, "measured": item.measured}
        for _, item in view.effects
        if item.result
    ]
    return {
        **_set(view.deviation, "title", "described", "code", "here", "effect"),
        "effects": effects,
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
