"""paper.pdf and supplement.pdf: their data from records alone, set by Typst in its own fonts and
the figures'.

Both are set from `paper/data.json`, every number in it already in words: the Typst files compute
nothing. What was not run is in neither. The same records give the same bytes; a document is dated
by its newest record.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from verdicts.claims.schema import Verdict
from verdicts.records.ledger import Ledger
from verdicts.records.workspace import Workspace
from verdicts.report.blocks import Piece, derivation, pieces
from verdicts.report.images import Picture, forest_svg, size_of
from verdicts.report.tables import shown
from verdicts.report.views import anchors, content_of, newest, plain_data
from verdicts.report.words import duration

SOURCES = "paper"
DOCUMENTS = ("paper", "supplement")
TEXT_WIDTH, TEXT_HEIGHT = 470.0, 660.0  # of the page, in points
UNREAD = {"evidence", "checked", "expected", "compared", "costs"}
"""What the page shows and neither document does, or not whole."""
OF_A_RUN = {"checks": (), "provenance": None, "computed": None}
"""What of a row stands beside it in the data, or is not the same for the same records."""
Data = dict[str, Any]


class NotSet(Exception):
    """The compiler refused the source or the data; one line says why."""


def data_of(workspace: Workspace, ledger: Ledger) -> Data:
    """Return all that paper and supplement say, from a ledger and the records beside it.

    They are the views of the page, for what was run; `markup` has each text with formulas or code,
    in pieces.
    """
    content = content_of(workspace, ledger)
    ran = [view for view in content["claims"] if view.row.verdict is not Verdict.NOT_RUN]
    groups = [
        view for view in content["groups"] if any(claim.group.id == view.group.id for claim in ran)
    ]
    evidence, forest = content["evidence"], content["forest"]
    figures, tables = {}, []
    for name, (number, view, figure) in content["figures"].items():
        picture = Picture(workspace.folder / view.folder / figure.file)
        figures[name] = {
            "name": name,
            "group": view.group.id,
            "number": number,
            "path": f"/{view.folder}/{picture.chosen().name}",
            "width": width_of(picture.text()),
            "caption": figure.caption,
            "claims": figure.claims,
        }
    for view in groups:
        for table in view.tables:
            file = f"{view.folder}/{table.id}.csv"
            about = {"id": table.id, "caption": table.caption, "group": view.group.id, "file": file}
            tables.append(about | shown(table)._asdict())
    data: Data = plain_data(
        {name: each for name, each in content.items() if name not in UNREAD}
        | {
            "newest": newest(ledger)[:10],
            "claims": [view._replace(row=view.row.model_copy(update=OF_A_RUN)) for view in ran],
            "groups": [{"group": view.group} for view in groups],
            "figures": figures,
            "tables": tables,
            "anchors": anchors(ran, groups),
            "where": {
                view.claim.id: _where(view.claim.source.where, view.group.notebook) for view in ran
            },
            "measured": {
                each.check.id: each.measured for view in ran for each in view.checks if each.result
            },
            "forest_svg": forest and forest_svg(forest, evidence),
            "verdicts": {name: each.verdict for name, each in evidence.claims.items()},
            "values": evidence.values,
            "origin": evidence.origin,
            "contradictions": ledger.summary.contradictions,
            "seconds": duration(sum(cost.seconds for cost in content["costs"])),
        }
    )
    derivations = {}
    for view in (view for view in groups if view.page):
        cells = workspace.page_path(view.group).with_name(f"{view.group.id}.cells.json")
        derivations[view.group.id] = derivation(json.loads(cells.read_text(encoding="utf-8")))
    return data | {"markup": markup_of(data), "derivations": derivations}


def markup_of(data: Any) -> dict[str, list[Piece]]:
    """Return each text within some data that has formulas or code, in pieces (`blocks`)."""
    return {text: pieces(text) for text in texts_of(data) if "$" in text or "`" in text}


def texts_of(data: Any) -> Iterator[str]:
    """Yield the texts within some data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for each in data.values() if isinstance(data, dict) else data:
            yield from texts_of(each)


def _where(where: str, notebook: str | None) -> str:
    """Return where a claim is from, without its group's notebook, which the supplement has."""
    return where.replace(notebook or "none", "").lstrip("; ")


def build(workspace: Workspace, ledger: Ledger) -> dict[str, bytes]:
    """Return data, paper and supplement by their place in the results' folder.

    Figures are read from the results' folder. Raises NotSet.
    """
    data = json.dumps(data_of(workspace, ledger), indent=1, ensure_ascii=False) + "\n"
    return {"paper/data.json": data.encode()} | {
        f"{name}.pdf": compiled(
            workspace.root / SOURCES, name, workspace.folder, data, newest(ledger)
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


def width_of(svg: str) -> float:
    """Return the width, in points, at which a figure fits the page: its own, if that is not too
    large.
    """
    width, height = size_of(svg)
    return round(min(width, TEXT_WIDTH, width * TEXT_HEIGHT / height), 2)
