"""What page and paper show: claims with their rows and words, groups with their figures, read
from records.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from verdicts.claims.check import Check
from verdicts.claims.schema import Claim, Group, Profile, Verdict
from verdicts.records.expected import compare, read_expected
from verdicts.records.figures import Figure, Table
from verdicts.records.files import NotCurrent
from verdicts.records.ledger import ClaimRow, Ledger, collect
from verdicts.records.provenance import Environment, Provenance
from verdicts.records.record import CheckResult, artefacts_at, current_artefacts
from verdicts.records.workspace import Workspace
from verdicts.report.findings import (
    Decisions,
    answers_of,
    counts,
    evidence_of,
    rows_of,
    uncounted,
)
from verdicts.report.report_texts import Exhibit, load_texts
from verdicts.report.typeset import spelled
from verdicts.report.words import number, required, spread
from verdicts.studies.study import archive_of


class CheckView(NamedTuple):
    """A check's entry beside its outcome (None: nothing was measured), in words; formulas of
    `quantity` are marked.
    """

    check: Check
    result: CheckResult | None
    quantity: str
    measured: str
    required: str
    tightness: str


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


class GroupView(NamedTuple):
    """A group's figures and tables; `reason` says why there are none. `page` is its notebook's
    page, empty for none.
    """

    group: Group
    figures: list[Figure]
    tables: Sequence[Table]
    folder: str
    reason: str
    page: str
    command: str


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


def content_of(workspace: Workspace, ledger: Ledger) -> dict[str, Any]:
    """Return what page and paper show, from a ledger and the records beside it, by the names
    that templates use.
    """
    root, every = workspace.root, workspace.all_claims
    texts, own = load_texts(root, every), Decisions.of(ledger)
    evidence = evidence_of(root, ledger)
    groups = [_group(workspace, group) for group in workspace.claims.group]
    claims = claims_of(workspace, ledger, groups)
    rows = rows_of(every, texts.findings, evidence, own)
    expected = read_expected(root, workspace.profile)
    compared = compare(workspace.claims, ledger, expected) if expected else []
    verdicts = {row.id: row.verdict for row in ledger.claims if row.expected is not None}
    return {
        **texts._asdict(),
        "profile": ledger.profile,
        "newest": newest(ledger),
        "subject": texts.findings.answer.subject,
        "answers": answers_of(every, texts.findings, evidence),
        "forest": texts.findings.answer.forest,
        "evidence": evidence,
        "paper": rows,
        "claims": claims,
        "groups": groups,
        "parts": workspace.claims.outline.parts,
        "checked": {
            view.check.id: (claim.claim.id, view) for claim in claims for view in claim.checks
        },
        "figures": figures_of(groups),
        "standing": {exhibit.id: standing(exhibit, ledger) for exhibit in texts.exhibits},
        "counts": counts(rows, verdicts),
        "uncounted": uncounted(len(ledger.summary.open), ledger.summary.conditions),
        "expected": expected,
        "compared": {each.check: each for each in compared},
        "costs": costs(workspace, claims),
        "environments": environments(ledger.claims),
    }


def benchmarks(workspace: Workspace) -> list[ClaimView]:
    """Return the claims on time, from the records of the profile `bench` beside this one's; none
    in its own report.
    """
    if workspace.profile is Profile.BENCH or not workspace.all_claims.seen_by(Profile.BENCH).claim:
        return []
    timed = workspace.beside(Profile.BENCH)
    return claims_of(timed, collect(timed), [])


def claims_of(workspace: Workspace, ledger: Ledger, groups: Sequence[GroupView]) -> list[ClaimView]:
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
    """Return the command that decides a claim or a group, and reads what is stored; with
    `--force` it draws anew.
    """
    return f"bash reproduce.sh --profile {profile} --only {name}"


def _check(check: Check, result: CheckResult | None) -> CheckView:
    measured = (
        "–"
        if result is None or result.value is None
        else f"{spread(result)} {result.unit}".rstrip()
    )
    wanted = f"{required(check)} {check.unit}".rstrip()
    tightness = number(result.tightness) if result else "–"
    return CheckView(check, result, spelled(check.quantity), measured, wanted, tightness)


def _group(workspace: Workspace, group: Group) -> GroupView:
    """Return a group with its current figures and tables."""
    path = workspace.figures_path(group)
    page = ""
    if group.notebook and workspace.config.notebooks:
        place = workspace.page_path(group)
        made = artefacts_at(place, workspace.page_parts(group))
        page = f"{place.parent.name}/{group.id}.html" if made and made.files else ""
    figures: list[Figure] = []
    tables: Sequence[Table] = ()
    reason = f"not part of the {workspace.profile} profile"
    if workspace.claims_here(group):
        try:
            drawn = current_artefacts(path, workspace.figures_parts(group))
        except NotCurrent as absence:
            reason = str(absence)
        else:
            figures = in_order(
                drawn.figures, [claim.id for claim in workspace.claims.of_group(group.id)]
            )
            tables, reason = drawn.tables, drawn.reason
    folder = path.parent.relative_to(workspace.folder).as_posix()
    return GroupView(
        group, figures, tables, folder, reason, page, reading(workspace.profile, group.id)
    )


def in_order(figures: Iterable[Figure], claims: Sequence[str]) -> list[Figure]:
    """Return a group's figures in the order of the first of its claims that each illustrates;
    before them the others.

    The supplement sets a figure after that claim, so that its figures are numbered in the order of
    their pages.
    """
    return sorted(
        figures,
        key=lambda figure: next((n for n, name in enumerate(claims) if name in figure.claims), -1),
    )


def figures_of(groups: Sequence[GroupView]) -> dict[str, tuple[int, GroupView, Figure]]:
    """Return each figure by its name, with its number, from 1 in the order of the page, and its
    group.

    Page, paper and supplement show these numbers, so that a figure has the same one wherever it
    stands.
    """
    drawn = [(view, figure) for view in groups for figure in view.figures]
    return {figure.file.stem: (n, view, figure) for n, (view, figure) in enumerate(drawn, 1)}


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


def environments(rows: Sequence[ClaimRow]) -> list[tuple[Environment, list[str]]]:
    """Return the distinct machines with their software behind the rows, each with the claims that
    were computed there.

    The commit is that of the newest record: a current record's sources are the present ones,
    whatever its commit.
    """
    machine = set(Environment.model_fields) - {"commit", "dirty"}
    grouped: dict[str, dict[str, Provenance]] = {}
    for row in rows:
        if row.provenance is not None:
            grouped.setdefault(row.provenance.model_dump_json(include=machine), {})[row.id] = (
                row.provenance
            )
    return [
        (max(made.values(), key=lambda each: each.started), list(made)) for made in grouped.values()
    ]


def costs(workspace: Workspace, claims: Sequence[ClaimView]) -> list[Totals]:
    """Return what the records and the study of each group cost, for the groups that have any
    record.
    """
    totals, archive = [], archive_of(workspace)
    for group in workspace.claims.group:
        rows = [view.row for view in claims if view.group.id == group.id]
        origins = [row.provenance for row in rows if row.provenance]
        count, parts = len(origins), workspace.study_parts(group)
        if not count:
            continue
        if parts and (study := artefacts_at(workspace.study_path(group), parts)):
            origins.append(study.provenance)
        cells = archive.of_group(group.id).values() if any(row.kept for row in rows) else ()
        seconds, peak = (
            sum(each.seconds for each in origins),
            max(each.peak_mib for each in origins),
        )
        totals.append(Totals(group, count, seconds, peak, sum(cell.seconds for cell in cells)))
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


def newest(ledger: Ledger) -> str:
    """Return the UTC time of the newest record (empty: none)."""
    return max((row.provenance.started for row in ledger.claims if row.provenance), default="")


def plain_data(value: Any) -> Any:
    """Return a value as JSON has it: models and named tuples as objects, a path as its name."""
    if isinstance(value, Mapping):
        return {str(name): plain_data(each) for name, each in value.items()}
    if hasattr(value, "model_fields"):
        return plain_data(dict(value))
    if hasattr(value, "_asdict"):
        return plain_data(value._asdict())
    if isinstance(value, list | tuple):
        return [plain_data(each) for each in value]
    return value if isinstance(value, str | int | float | None) else str(value)
