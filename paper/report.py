"""The report: one HTML file, made from records alone, that needs nothing from elsewhere.

The same records give the same bytes: every time in it was read from a record.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ams.fresh import Fresh, read_fresh
from ams.ledger.claims import Check, Claim, Group, Part, Profile, Relation, Verdict
from ams.ledger.figures import Figure, Table
from ams.ledger.files import write_whole
from ams.ledger.loading import load_claims, load_exhibits
from ams.ledger.provenance import Environment
from ams.ledger.records import Artefacts, CheckResult, NotCurrent, current_artefacts
from ams.ledger.summary import ClaimRow, Ledger
from ams.mutation.faults import read_faults
from ams.mutation.results import Row, rows
from ams.runner.finish import collect
from ams.runner.workspace import Workspace
from paper.templating import number, render

RELATIONS = {Relation.EQUAL: ("=", "±"), Relation.AT_MOST: ("≤", "+"), Relation.AT_LEAST: ("≥", "−")}
MARKS = {Verdict.HOLDS: "✓", Verdict.REFUTED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_RUN: "–"}
PARTS = {
    Part.THEORY: "Theory",
    Part.IMAGES: "Images",
    Part.GRAPHS: "Graphs",
    Part.NEIGHBOURS: "Neighbours",
    Part.SUITE: "The suite itself",
}
PAPER = {
    "P1": "The sampler converges under given conditions",
    "P2": "It needs 2 to 5 times fewer score evaluations at small budgets",
    "P3": "It adds no hyperparameter",
    "P4": "Images are more faithful at small budgets",
    "P5": "Graphs are more faithful at small budgets",
    "P6": "Scores are competitive with the baselines",
}
# An SVG of very many points is slower to show than its pixels
LARGEST_SVG = 300_000


class CheckView(NamedTuple):
    """A check's entry beside its outcome (None: nothing was measured), in words."""

    check: Check
    result: CheckResult | None
    measured: str
    claimed: str


class ClaimView(NamedTuple):
    """A claim's entry beside its row of the ledger; `deciding` is the check that its verdict hangs on."""

    claim: Claim
    group: Group
    row: ClaimRow
    checks: list[CheckView]
    deciding: CheckView
    command: str
    page: str


class Drawing(NamedTuple):
    """A figure with its picture as a data address."""

    figure: Figure
    picture: str


class GroupView(NamedTuple):
    """A group's figures and tables; `reason` says why there are none."""

    group: Group
    figures: list[Drawing]
    tables: list[Table]
    folder: str
    reason: str
    page: str


class PaperView(NamedTuple):
    """A claim of the paper's abstract, with the claims here that restate it and those that only bear on it."""

    id: str
    text: str
    claims: list[ClaimView]
    bearing: list[ClaimView]


class FreshView(NamedTuple):
    """The record of a run with fresh seeds, and the checks in it that are no longer current."""

    record: Fresh
    stale: list[str]


def build(workspace: Workspace, ledger: Ledger) -> str:
    """Return the page for a ledger and the records beside it."""
    claims = _claims(workspace, ledger)
    groups = [_group(workspace, group) for group in workspace.claims.group]
    shown = [view for view in groups if view.figures or view.tables or view.page or view.reason]
    return render(
        "report.html.j2",
        ledger=ledger,
        profile=ledger.profile,
        claims=claims,
        paper=_paper(claims),
        parts={part: [view for view in shown if view.group.part is part] for part in Part},
        part_titles=PARTS,
        marks=MARKS,
        verdicts=list(Verdict),
        benchmarks=_benchmarks(workspace),
        faults=_faults(workspace),
        fresh=_fresh(workspace),
        exhibits=load_exhibits(workspace.root).exhibit,
        standing=_standing(claims, shown),
        environments=_environments(ledger.claims),
        seconds=sum(row.provenance.seconds for row in ledger.claims if row.provenance),
        peak=max((row.provenance.peak_mib for row in ledger.claims if row.provenance), default=0.0),
        newest=max((row.provenance.started for row in ledger.claims if row.provenance), default=""),
    )


def write(workspace: Workspace, ledger: Ledger) -> Path:
    """Write the page as `report.html` beside the ledger, whole, and return its place. Raises OSError."""
    path = workspace.folder / "report.html"
    write_whole(path, build(workspace, ledger))
    return path


def _benchmarks(workspace: Workspace) -> list[ClaimView]:
    """Return the claims on time, from the records of the profile `bench` beside this one's; none in its own report."""
    if workspace.profile is Profile.BENCH or not load_claims(workspace.root).seen_by(Profile.BENCH).claim:
        return []
    timed = Workspace.open(workspace.root, Profile.BENCH, workspace.folder.parent, workspace.data)
    return _claims(timed, collect(timed))


def _faults(workspace: Workspace) -> list[Row]:
    """Return what became of each seeded fault; nothing in a repository without any."""
    return rows(workspace.root, workspace.folder.parent, read_faults(workspace.root).fault)


def _fresh(workspace: Workspace) -> FreshView | None:
    """Return the last run with fresh seeds; its checks are stale where their claim's record would be."""
    record = read_fresh(workspace)
    if record is None:
        return None
    keys = {claim.id: workspace.record_parts(claim).key for claim in workspace.claims.claim}
    return FreshView(record, [check.check for check in record.checks if keys.get(check.claim) != check.key])


def _claims(workspace: Workspace, ledger: Ledger) -> list[ClaimView]:
    rows = {row.id: row for row in ledger.claims}
    pages = {group.id: _page(workspace, group) for group in workspace.claims.group}
    views = []
    for claim in workspace.claims.claim:
        row, group = rows[claim.id], workspace.claims.group_of(claim)
        results = {result.id: result for result in row.checks}
        checks = [_check(check, results.get(check.id)) for check in claim.check]
        command = _command(claim, ledger.profile)
        views.append(ClaimView(claim, group, row, checks, _deciding(row, checks), command, pages[group.id]))
    return views


def _command(claim: Claim, profile: Profile) -> str:
    """Return the command that makes a claim's record anew, in the smallest profile that has it if this one has not."""
    chosen = profile if profile in claim.profiles else claim.profiles[0]
    return f"bash reproduce.sh --profile {chosen} --only {claim.id} --force {claim.id}"


def _check(check: Check, result: CheckResult | None) -> CheckView:
    return CheckView(check, result, _measured(result), _claimed(check))


def _deciding(row: ClaimRow, checks: Sequence[CheckView]) -> CheckView:
    """Return the first check whose verdict is the claim's."""
    return next((view for view in checks if view.result and view.result.verdict is row.verdict), checks[0])


def _measured(result: CheckResult | None) -> str:
    if result is None or result.value is None:
        return "–"
    interval = "" if result.low == result.high else f" [{number(result.low)}, {number(result.high)}]"
    return f"{number(result.value)}{interval}{_unit(result.unit)}"


def _claimed(check: Check) -> str:
    sign, slack = RELATIONS[check.relation]
    margin = f" {slack} {number(check.tolerance)}" if check.tolerance else ""
    return f"{sign} {number(check.bound)}{margin}{_unit(check.unit)}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _paper(claims: Sequence[ClaimView]) -> list[PaperView]:
    """Return the abstract's claims in order, those that the file names beyond them last."""
    named = dict.fromkeys([*PAPER, *(name for view in claims for name in (*view.claim.paper, *view.claim.bears_on))])
    return [
        PaperView(
            name,
            PAPER.get(name, ""),
            [view for view in claims if name in view.claim.paper],
            [view for view in claims if name in view.claim.bears_on],
        )
        for name in named
    ]


def _page(workspace: Workspace, group: Group) -> str:
    """Return the address of a group's notebook page, empty unless the page is current."""
    if group.notebook is None or not workspace.config.notebooks:
        return ""
    path = workspace.page_path(group)
    try:
        found = current_artefacts(path, workspace.page_parts(group))
    except NotCurrent:
        return ""
    return f"{path.parent.name}/{group.id}.html" if found.files else ""


def _group(workspace: Workspace, group: Group) -> GroupView:
    path = workspace.figures_path(group)
    folder = path.parent.relative_to(workspace.folder).as_posix()
    page = _page(workspace, group)
    if not any(workspace.profile in claim.profiles for claim in workspace.claims.of_group(group.id)):
        return GroupView(group, [], [], folder, f"not part of the {workspace.profile} profile", page)
    try:
        found = current_artefacts(path, workspace.figures_parts(group))
    except NotCurrent as reason:
        return GroupView(group, [], [], folder, str(reason), page)
    return GroupView(group, _drawings(path.parent, found), list(found.tables), folder, found.reason, page)


def _drawings(folder: Path, found: Artefacts) -> list[Drawing]:
    return [Drawing(figure, _picture(folder / figure.file)) for figure in found.figures]


def _picture(file: Path) -> str:
    """Return a figure as a data address: its SVG, or its PNG where that is much the smaller."""
    svg, png = file.read_bytes(), file.with_suffix(".png").read_bytes()
    if len(svg) > max(LARGEST_SVG, 2 * len(png)):
        return f"data:image/png;base64,{b64encode(png).decode()}"
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"


def _standing(claims: Sequence[ClaimView], groups: Sequence[GroupView]) -> dict[str, str]:
    """Return, by name, the anchor of whatever an exhibit may refer to: claims, groups, figures, tables."""
    anchors = {view.claim.id: f"claim-{view.claim.id}" for view in claims}
    for view in groups:
        anchors[view.group.id] = f"group-{view.group.id}"
        anchors |= {drawing.figure.file.stem: f"figure-{drawing.figure.file.stem}" for drawing in view.figures}
        anchors |= {table.id: f"table-{table.id}" for table in view.tables}
    return anchors


def _environments(rows: Sequence[ClaimRow]) -> list[tuple[Environment, list[str]]]:
    """Return the distinct environments behind the rows, each with the claims that were computed in it."""
    found: dict[str, tuple[Environment, list[str]]] = {}
    for row in rows:
        if row.provenance is not None:
            environment = Environment(**row.provenance.model_dump(include=set(Environment.model_fields)))
            found.setdefault(environment.model_dump_json(), (environment, []))[1].append(row.id)
    return list(found.values())
