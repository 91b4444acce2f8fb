"""The report: one HTML file, made from records alone, that needs nothing from elsewhere.

The same records give the same bytes: every time in it was read from a record.
"""

from pathlib import Path

from verdicts.claims.schema import Verdict
from verdicts.records.files import write_whole
from verdicts.records.ledger import Ledger
from verdicts.records.section import sections_of
from verdicts.records.workspace import Workspace
from verdicts.report import views
from verdicts.report.findings import tally
from verdicts.report.images import data_address, kinds_of, size_of
from verdicts.report.report_texts import load_exhibits, load_limitations, load_notation
from verdicts.report.source_code import address_of, source_of
from verdicts.report.tables import shown
from verdicts.report.templating import render
from verdicts.report.words import MARKS


def build(workspace: Workspace, ledger: Ledger) -> str:
    """Return the page for a ledger and the records beside it."""
    outline, groups = workspace.claims.outline, views.groups_of(workspace)
    claims = views.claims_of(workspace, ledger, groups)
    paper = views.paper_of(workspace, ledger, claims)
    visible = [view for view in groups if view.figures or view.tables or view.page or view.reason]
    return render(
        "report.html.j2",
        ledger=ledger,
        profile=ledger.profile,
        claims=claims,
        paper=paper,
        tally=tally([view.row for view in paper], [row.verdict for row in ledger.claims]),
        parts={part: [view for view in visible if view.group.part == part] for part in outline.parts},
        part_titles=outline.parts,
        marks=MARKS,
        verdicts=list(Verdict),
        benchmarks=views.benchmarks(workspace),
        deviations=views.deviations(workspace, claims),
        notation=load_notation(workspace.root),
        limitations=load_limitations(workspace.root),
        moved=views.moved(workspace, ledger),
        sections=sections_of(workspace),
        exhibits=load_exhibits(workspace.root),
        standing=views.standing(claims, visible),
        numbers=views.figure_numbers(groups),
        environments=views.environments(ledger.claims),
        costs=views.costs(workspace, claims),
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
