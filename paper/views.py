"""What the page and the paper show: claims with their rows and words, groups with their figures, read from records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ams.fresh import Fresh, read_fresh
from ams.ledger.claims import Check, Claim, Group, Part, Profile, Relation, Verdict
from ams.ledger.expected import Comparison, Expected, Moved, compare, read_expected
from ams.ledger.figures import Figure, Table
from ams.ledger.loading import load_claims
from ams.ledger.provenance import Environment
from ams.ledger.records import CheckResult, NotCurrent, current_artefacts
from ams.ledger.summary import ClaimRow, Ledger
from ams.mutation.faults import read_faults
from ams.mutation.results import Row, rows
from ams.runner.finish import collect
from ams.runner.workspace import Workspace
from paper.remarks import Deviation, Finding, load_deviations
from paper.spelling import spelled
from paper.templating import number, spread

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


class CheckView(NamedTuple):
    """A check's entry beside its outcome (None: nothing was measured), in words."""

    check: Check
    result: CheckResult | None
    measured: str
    claimed: str

    @property
    def quantity(self) -> str:
        """Return what is measured, its formulas marked as such."""
        return spelled(self.check.quantity)


class ClaimView(NamedTuple):
    """A claim's entry beside its row of the ledger; `deciding` is the check that its verdict hangs on, `figures`
    are the names of those that bear on it."""

    claim: Claim
    group: Group
    row: ClaimRow
    checks: list[CheckView]
    deciding: CheckView
    command: str
    page: str
    figures: list[str]


class GroupView(NamedTuple):
    """A group's figures and tables; `reason` says why there are none."""

    group: Group
    figures: list[Figure]
    tables: list[Table]
    folder: str
    reason: str
    page: str


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
    """What a part of a run cost: seconds of computing, and MiB at most."""

    group: Group
    claims: int
    seconds: float
    peak: float


class PaperView(NamedTuple):
    """A claim of the paper's abstract, with the claims here that restate it, those that only bear on it, and what
    was found: a text that fits the verdicts, else which profile decides it if this one does not (empty: neither)."""

    id: str
    text: str
    claims: list[ClaimView]
    bearing: list[ClaimView]
    finding: str


class FreshView(NamedTuple):
    """The record of a run with fresh seeds, and the checks in it that are no longer current."""

    record: Fresh
    stale: list[str]


def benchmarks(workspace: Workspace) -> list[ClaimView]:
    """Return the claims on time, from the records of the profile `bench` beside this one's; none in its own report."""
    if workspace.profile is Profile.BENCH or not load_claims(workspace.root).seen_by(Profile.BENCH).claim:
        return []
    timed = Workspace.open(workspace.root, Profile.BENCH, workspace.folder.parent, workspace.data)
    return claims_of(timed, collect(timed))


def faults(workspace: Workspace) -> list[Row]:
    """Return what became of each seeded fault; nothing in a repository without any."""
    return rows(workspace.root, workspace.folder.parent, read_faults(workspace.root).fault)


def fresh(workspace: Workspace) -> FreshView | None:
    """Return the last run with fresh seeds; its checks are stale where their claim's record would be."""
    record = read_fresh(workspace)
    if record is None:
        return None
    keys = {claim.id: workspace.record_parts(claim).key for claim in workspace.claims.claim}
    return FreshView(record, [check.check for check in record.checks if keys.get(check.claim) != check.key])


def claims_of(workspace: Workspace, ledger: Ledger, groups: Sequence[GroupView] = ()) -> list[ClaimView]:
    """Return every claim beside its row of the ledger."""
    rows = {row.id: row for row in ledger.claims}
    pages = {group.id: _page(workspace, group) for group in workspace.claims.group}
    drawn = [figure for view in groups for figure in view.figures]
    views = []
    for claim in workspace.claims.claim:
        row, group = rows[claim.id], workspace.claims.group_of(claim)
        results = {result.id: result for result in row.checks}
        checks = [_check(check, results.get(check.id)) for check in claim.check]
        command = _command(claim, ledger.profile)
        figures = [figure.file.stem for figure in drawn if claim.id in figure.claims]
        views.append(ClaimView(claim, group, row, checks, _deciding(row, checks), command, pages[group.id], figures))
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
    return f"{spread(result)}{_unit(result.unit)}"


def _claimed(check: Check) -> str:
    sign, slack = RELATIONS[check.relation]
    margin = f" {slack} {number(check.tolerance)}" if check.tolerance else ""
    return f"{sign} {number(check.bound)}{margin}{_unit(check.unit)}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def paper_of(claims: Sequence[ClaimView], findings: Sequence[Finding], profile: Profile) -> list[PaperView]:
    """Return the abstract's claims in order, those that the file names beyond them last."""
    named = dict.fromkeys([*PAPER, *(name for view in claims for name in (*view.claim.paper, *view.claim.bears_on))])
    verdicts = {view.claim.id: view.row.verdict for view in claims}
    values = {item.check.id: short(item.result) for view in claims for item in view.checks if item.result}
    told = {
        each.paper: each.told(verdicts, {name: value for name, value in values.items() if value}) for each in findings
    }
    return [
        PaperView(
            name,
            PAPER.get(name, ""),
            [view for view in claims if name in view.claim.paper],
            [view for view in claims if name in view.claim.bears_on],
            told.get(name) or undecided([view.claim for view in claims if name in view.claim.paper], profile),
        )
        for name in named
    ]


def undecided(restated: Sequence[Claim], profile: Profile) -> str:
    """Return which command decides a claim of the paper; empty if a claim that restates it is part of this profile.

    It is the smallest of the profiles that run the most of those claims.
    """
    if not restated or any(profile in claim.profiles for claim in restated):
        return ""
    other = max(Profile, key=lambda each: sum(each in claim.profiles for claim in restated))
    return f"Not decided in this profile: `bash reproduce.sh --profile {other}` decides it."


def short(result: CheckResult) -> str:
    """Return a check's value for a sentence, to two digits."""
    return number(result.value, 2)


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


def groups_of(workspace: Workspace) -> list[GroupView]:
    """Return every group with its current figures and tables."""
    return [_group(workspace, group) for group in workspace.claims.group]


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
    return GroupView(group, list(found.figures), list(found.tables), folder, found.reason, page)


def standing(claims: Sequence[ClaimView], groups: Sequence[GroupView]) -> dict[str, str]:
    """Return, by name, the anchor of whatever an exhibit may refer to: claims, groups, figures, tables."""
    anchors = {view.claim.id: f"claim-{view.claim.id}" for view in claims}
    for view in groups:
        anchors[view.group.id] = f"group-{view.group.id}"
        anchors |= {figure.file.stem: f"figure-{figure.file.stem}" for figure in view.figures}
        anchors |= {table.id: f"table-{table.id}" for table in view.tables}
    return anchors


def environments(rows: Sequence[ClaimRow]) -> list[tuple[Environment, list[str]]]:
    """Return the distinct environments behind the rows, each with the claims that were computed in it."""
    found: dict[str, tuple[Environment, list[str]]] = {}
    for row in rows:
        if row.provenance is not None:
            environment = Environment(**row.provenance.model_dump(include=set(Environment.model_fields)))
            found.setdefault(environment.model_dump_json(), (environment, []))[1].append(row.id)
    return list(found.values())


def deviations(workspace: Workspace, claims: Sequence[ClaimView]) -> list[DeviationView]:
    """Return the deviations with their measured effects. Raises InputProblem."""
    known = {view.check.id: (claim.claim.id, view) for claim in claims for view in claim.checks}
    found = load_deviations(workspace.root, load_claims(workspace.root))
    return [DeviationView(each, [known[name] for name in each.checks if name in known]) for each in found]


def moved(workspace: Workspace, ledger: Ledger) -> MovedView | None:
    """Return this run beside the profile's expected values, None where none are kept. Raises InputProblem."""
    expected = read_expected(workspace.root, workspace.profile)
    return MovedView(expected, compare(workspace.claims, ledger, expected)) if expected else None


def costs(claims: Sequence[ClaimView]) -> list[Totals]:
    """Return what the records of each group cost, for the groups that have any."""
    by_group: dict[str, list[ClaimView]] = {}
    for view in claims:
        if view.row.provenance:
            by_group.setdefault(view.group.id, []).append(view)
    return [_total(views) for views in by_group.values()]


def _total(views: Sequence[ClaimView]) -> Totals:
    origins = [view.row.provenance for view in views if view.row.provenance]
    seconds, peak = sum(each.seconds for each in origins), max(each.peak_mib for each in origins)
    return Totals(views[0].group, len(views), seconds, peak)


def newest(ledger: Ledger) -> str:
    """Return the UTC time of the newest record (empty: none)."""
    return max((row.provenance.started for row in ledger.claims if row.provenance), default="")
