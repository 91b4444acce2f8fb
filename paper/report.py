"""The report: one HTML file, made from records alone, that needs nothing from elsewhere.

The same records give the same bytes: every time in it was read from a record.
"""

from __future__ import annotations

from pathlib import Path

from ams.ledger.claims import Part, Verdict
from ams.ledger.files import write_whole
from ams.ledger.loading import load_claims, load_exhibits
from ams.ledger.summary import Ledger
from ams.runner.workspace import Workspace
from paper import views
from paper.pictures import data_address, kinds_of, size_of
from paper.remarks import load_findings, load_limitations, load_notation
from paper.sources import address_of, source_of
from paper.tables import shown
from paper.templating import render


def build(workspace: Workspace, ledger: Ledger) -> str:
    """Return the page for a ledger and the records beside it."""
    groups = views.groups_of(workspace)
    claims = views.claims_of(workspace, ledger, groups)
    visible = [view for view in groups if view.figures or view.tables or view.page or view.reason]
    return render(
        "report.html.j2",
        ledger=ledger,
        profile=ledger.profile,
        claims=claims,
        paper=views.paper_of(claims, load_findings(workspace.root, load_claims(workspace.root)), ledger.profile),
        parts={part: [view for view in visible if view.group.part is part] for part in Part},
        part_titles=views.PARTS,
        marks=views.MARKS,
        verdicts=list(Verdict),
        benchmarks=views.benchmarks(workspace),
        deviations=views.deviations(workspace, claims),
        notation=load_notation(workspace.root),
        limitations=load_limitations(workspace.root),
        moved=views.moved(workspace, ledger),
        faults=views.faults(workspace),
        fresh=views.fresh(workspace),
        exhibits=load_exhibits(workspace.root).exhibit,
        standing=views.standing(claims, visible),
        environments=views.environments(ledger.claims),
        costs=views.costs(claims),
        newest=views.newest(ledger),
        shown=shown,
        kinds=lambda view, figure: kinds_of(workspace.folder / view.folder / figure.file),
        picture=lambda view, figure: data_address(workspace.folder / view.folder / figure.file),
        pixels=lambda view, figure: [
            round(pt * 96 / 72) for pt in size_of(workspace.folder / view.folder / figure.file)
        ],
        source=lambda where: source_of(workspace.root, where),
        address=lambda where: address_of(workspace.root, workspace.folder, where),
    )


def write(workspace: Workspace, ledger: Ledger) -> Path:
    """Write the page as `report.html` beside the ledger, whole, and return its place. Raises OSError."""
    path = workspace.folder / "report.html"
    write_whole(path, build(workspace, ledger))
    return path
