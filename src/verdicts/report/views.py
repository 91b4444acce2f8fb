"""What the page and the paper show: claims with their rows and words, groups with their figures,
read from records.
"""

from collections.abc import Sequence
from typing import NamedTuple

from verdicts.claims.check import Check
from verdicts.claims.schema import Claim, Group, Profile, Verdict
from verdicts.records.expected import Comparison, Expected, Moved, compare, read_expected
from verdicts.records.figures import Figure, Table
from verdicts.records.files import NotCurrent
from verdicts.records.ledger import ClaimRow, Ledger, collect
from verdicts.records.provenance import Environment, Provenance
from verdicts.records.record import CheckResult, artefacts_at, current_artefacts
from verdicts.records.workspace import Workspace
from verdicts.report.findings import PaperRow, rows_beside
from verdicts.report.report_texts import Deviation, Exhibit, load_deviations
from verdicts.report.typeset import spelled
from verdicts.report.words import required, spread
from verdicts.studies.study import archive_of


class CheckView(NamedTuple):
    """A check's entry beside its outcome (None: nothing was measured), in words."""

    check: Check
    result: CheckResult | None
    measured: str
    required: str

    @property
    def quantity(self) -> str:
        """Return what is measured, its formulas marked as such."""
        return spelled(self.check.quantity)


class ClaimView(NamedTuple):
    """A claim's entry beside its row of the ledger.

    `deciding` is the check that its verdict hangs on; `figures` are the names of the figures that
    illustrate it.
    """

    claim: Claim
    group: Group
    row: ClaimRow
    checks: list[CheckView]
    deciding: CheckView
    command: str
    page: str
    figures: list[str]

    @property
    def places(self) -> list[str]:
        """Return `file:line` of what decided it and of what measured its checks, once a file; last
        its falsifier.
        """
        measured = [
            view.result.where
            for view in (self.deciding, *self.checks)
            if view.result and view.result.where
        ]
        once = {place.rpartition(":")[0]: place for place in reversed(measured)}
        return [*reversed(once.values()), f"{self.claim.falsifier.split('::')[0]}:"]


class GroupView(NamedTuple):
    """A group's figures and tables; `reason` says why there are none. `page` is its notebook's
    page, empty for none.
    """

    group: Group
    figures: list[Figure]
    tables: list[Table]
    folder: str
    reason: str
    page: str
    command: str


class DeviationView(NamedTuple):
    """A deviation with the checks whose values are its effect, each beside its claim's id."""

    deviation: Deviation
    effects: list[tuple[str, CheckView]]


class MovedView(NamedTuple):
    """The expected values of the profile, and every check beside its own."""

    expected: Expected
    compared: list[Comparison]

    def count(self, moved: str) -> int:
        """Return how many checks compare so."""
        return sum(each.moved == moved for each in self.compared)

    def of(self, check: str) -> Comparison | None:
        """Return a check's comparison."""
        return next((each for each in self.compared if each.check == check), None)

    @property
    def changed(self) -> list[Comparison]:
        """Return the checks whose value is not where it was."""
        return [each for each in self.compared if each.moved is Moved.MOVED]


class Totals(NamedTuple):
    """What a part of a run cost: seconds of computing, and MiB at most.

    `kept`: the recorded seconds of the kept cells of a group that it read in place of computing
    them.
    """

    group: Group
    claims: int
    seconds: float
    peak: float
    kept: float


class PaperView(NamedTuple):
    """The row of a claim of the paper's abstract, with the claims here that restate it, those that
    only support it, and the name of the figure that illustrates it (empty: none was drawn).
    """

    row: PaperRow
    claims: list[ClaimView]
    supporting: list[ClaimView]
    figure: str


def benchmarks(workspace: Workspace) -> list[ClaimView]:
    """Return the claims on time, from the records of the profile `bench` beside this one's; none in
    its own report.
    """
    if workspace.profile is Profile.BENCH or not workspace.all_claims.seen_by(Profile.BENCH).claim:
        return []
    timed = workspace.beside(Profile.BENCH)
    return claims_of(timed, collect(timed))


def claims_of(
    workspace: Workspace, ledger: Ledger, groups: Sequence[GroupView] = ()
) -> list[ClaimView]:
    """Return every claim beside its row of the ledger, with the notebook page and the figures of
    these groups.
    """
    rows = {row.id: row for row in ledger.claims}
    pages = {view.group.id: view.page for view in groups}
    drawn = [figure for view in groups for figure in view.figures]
    views = []
    for claim in workspace.claims.claim:
        row, group = rows[claim.id], workspace.claims.group_of(claim)
        results = {result.id: result for result in row.checks}
        checks = [_check(check, results.get(check.id)) for check in claim.check]
        deciding = next(
            (view for view in checks if view.result and view.result.verdict is row.verdict),
            checks[0],
        )
        chosen = ledger.profile if ledger.profile in claim.profiles else claim.profiles[0]
        command = reading(chosen, claim.id)
        figures = [figure.file.stem for figure in drawn if claim.id in figure.claims]
        views.append(
            ClaimView(
                claim, group, row, checks, deciding, command, pages.get(group.id, ""), figures
            )
        )
    return views


def reading(profile: Profile, name: str) -> str:
    """Return the command that decides a claim or a group, and reads what is stored; with `--force`
    it draws anew.
    """
    return f"bash reproduce.sh --profile {profile} --only {name}"


def _check(check: Check, result: CheckResult | None) -> CheckView:
    measured = (
        "–"
        if result is None or result.value is None
        else f"{spread(result)} {result.unit}".rstrip()
    )
    return CheckView(check, result, measured, f"{required(check)} {check.unit}".rstrip())


def paper_of(workspace: Workspace, ledger: Ledger, claims: Sequence[ClaimView]) -> list[PaperView]:
    """Return the row of each claim of the paper, with the claims and the figure behind it. Raises
    UserError.
    """
    drawn = {name for view in claims for name in view.figures}
    rows = rows_beside(workspace.root, workspace.all_claims, ledger)
    return [
        PaperView(
            row,
            [view for view in claims if row.id in view.claim.paper],
            [view for view in claims if row.id in view.claim.supports],
            row.figure if row.figure in drawn else "",
        )
        for row in rows
    ]


def _page(workspace: Workspace, group: Group) -> str:
    """Return the address of a group's notebook page, empty unless the page is current."""
    if group.notebook is None or not workspace.config.notebooks:
        return ""
    path = workspace.page_path(group)
    artefacts = artefacts_at(path, workspace.page_parts(group))
    return f"{path.parent.name}/{group.id}.html" if artefacts and artefacts.files else ""


def groups_of(workspace: Workspace) -> list[GroupView]:
    """Return every group with its current figures and tables."""
    return [_group(workspace, group) for group in workspace.claims.group]


def _group(workspace: Workspace, group: Group) -> GroupView:
    path = workspace.figures_path(group)
    folder = path.parent.relative_to(workspace.folder).as_posix()
    page, command = _page(workspace, group), reading(workspace.profile, group.id)
    if not workspace.claims_here(group):
        return GroupView(
            group, [], [], folder, f"not part of the {workspace.profile} profile", page, command
        )
    try:
        artefacts = current_artefacts(path, workspace.figures_parts(group))
    except NotCurrent as reason:
        return GroupView(group, [], [], folder, str(reason), page, command)
    figures = in_order(
        artefacts.figures, [claim.id for claim in workspace.claims.of_group(group.id)]
    )
    return GroupView(
        group, figures, list(artefacts.tables), folder, artefacts.reason, page, command
    )


def in_order(figures: Sequence[Figure], claims: Sequence[str]) -> list[Figure]:
    """Return a group's figures in the order of the first of its claims that each illustrates;
    before them the others.

    The supplement sets a figure after that claim, so that its figures are numbered in the order of
    their pages.
    """
    return sorted(
        figures,
        key=lambda figure: next((n for n, name in enumerate(claims) if name in figure.claims), -1),
    )


def absences(claims: Sequence[ClaimView], groups: Sequence[GroupView]) -> dict[str, list[str]]:
    """Return what is not there, by reason: the claims not run, then the groups without figures,
    each named once.
    """
    absent: dict[str, list[str]] = {}
    for view in claims:
        if view.row.verdict is Verdict.NOT_RUN:
            absent.setdefault(view.row.reason, []).append(view.claim.id)
    missing = {name for names in absent.values() for name in names}
    for group in groups:
        if group.reason and not all(
            view.claim.id in missing for view in claims if view.group == group.group
        ):
            absent.setdefault(group.reason, []).append(f"figures of {group.group.title}")
    return absent


def anchors(claims: Sequence[ClaimView], groups: Sequence[GroupView]) -> dict[str, str]:
    """Return, by name, the anchor of whatever an exhibit may refer to: claims, groups, figures,
    tables.
    """
    anchors = {view.claim.id: f"claim-{view.claim.id}" for view in claims}
    for view in groups:
        anchors[view.group.id] = f"group-{view.group.id}"
        anchors |= {figure.file.stem: f"figure-{figure.file.stem}" for figure in view.figures}
        anchors |= {table.id: f"table-{table.id}" for table in view.tables}
    return anchors


def figure_numbers(groups: Sequence[GroupView]) -> dict[str, int]:
    """Return the number of each figure by its name, from 1 in the order of the page.

    Page, paper and supplement show these numbers, so that a figure has the same one wherever it
    stands.
    """
    names = [figure.file.stem for view in groups for figure in view.figures]
    return {name: number for number, name in enumerate(names, 1)}


def environments(rows: Sequence[ClaimRow]) -> list[tuple[Environment, list[str]]]:
    """Return the distinct machines with their software behind the rows, each with the claims that
    were computed there.

    The commit is that of the newest record: a current record's sources are the present ones,
    whatever its commit.
    """
    machine = set(Environment.model_fields) - {"commit", "dirty"}
    grouped: dict[str, tuple[list[Provenance], list[str]]] = {}
    for row in rows:
        if row.provenance is not None:
            origins, names = grouped.setdefault(
                row.provenance.model_dump_json(include=machine), ([], [])
            )
            origins.append(row.provenance)
            names.append(row.id)
    return [
        (max(origins, key=lambda each: each.started), names) for origins, names in grouped.values()
    ]


def deviations(workspace: Workspace, claims: Sequence[ClaimView]) -> list[DeviationView]:
    """Return the deviations with their measured effects. Raises UserError."""
    known = {view.check.id: (claim.claim.id, view) for claim in claims for view in claim.checks}
    deviations = load_deviations(workspace.root, workspace.all_claims)
    return [
        DeviationView(each, [known[name] for name in each.checks if name in known])
        for each in deviations
    ]


def moved(workspace: Workspace, ledger: Ledger) -> MovedView | None:
    """Return this run beside the profile's expected values, None where none are kept. Raises
    UserError.
    """
    expected = read_expected(workspace.root, workspace.profile)
    return MovedView(expected, compare(workspace.claims, ledger, expected)) if expected else None


def costs(workspace: Workspace, claims: Sequence[ClaimView]) -> list[Totals]:
    """Return what the records and the study of each group cost, for the groups that have any
    record.
    """
    totals, archive = [], archive_of(workspace)
    for group in workspace.claims.group:
        read = any(view.row.kept for view in claims if view.group.id == group.id)
        kept = sum(cell.seconds for cell in archive.of_group(group.id).values()) if read else 0.0
        origins = [
            view.row.provenance
            for view in claims
            if view.group.id == group.id and view.row.provenance
        ]
        count, parts = len(origins), workspace.study_parts(group)
        if count and parts and (study := artefacts_at(workspace.study_path(group), parts)):
            origins.append(study.provenance)
        if count:
            seconds, peak = (
                sum(each.seconds for each in origins),
                max(each.peak_mib for each in origins),
            )
            totals.append(Totals(group, count, seconds, peak, kept))
    return totals


def standing(exhibit: Exhibit, ledger: Ledger) -> str:
    """Say how an exhibit stands in a run: what the exhibits file says of it, and at its published
    size where the values of its claims are from: computed here, kept (audited or not), or why they
    are not there.
    """
    if exhibit.status != "published size":
        return exhibit.status
    rows = [row for row in ledger.claims if row.id in exhibit.here]
    if lacking := [row.reason for row in rows if row.verdict is Verdict.NOT_RUN]:
        return f"needs: {lacking[0]}"
    groups = {row.group for row in rows if row.kept}
    passed = {audit.group for audit in ledger.audits if audit.passed}
    return (
        "kept, not audited"
        if groups - passed
        else "kept and audited"
        if groups
        else "computed at its size"
    )


def counted(ledger: Ledger) -> tuple[dict[str, Verdict], int, int]:
    """Return each claim's verdict in a ledger, and how many claims are open; how many conditions
    there are beside.
    """
    verdicts = {row.id: row.verdict for row in ledger.claims if row.expected is not None}
    return verdicts, len(ledger.summary.open), ledger.summary.conditions


def newest(ledger: Ledger) -> str:
    """Return the UTC time of the newest record (empty: none)."""
    return max((row.provenance.started for row in ledger.claims if row.provenance), default="")
