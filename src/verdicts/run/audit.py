"""Kept cells, audited and published: some, drawn by a seed that is told, are computed anew in
memory and compared.

A run draws uniformly from all short kept cells that its studies read, whatever their group: how
many is fixed before, and all of them are finished. Beside these it computes at least one of each
function, and `FEWEST` of each number that a row of the paper's claims shows. Which cells are short
their functions say; what a kept file says of itself decides nothing. A cell that differs is named;
it, and what follows from it, is not shown.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from verdicts.claims.check import Check, Relation
from verdicts.claims.schema import Group
from verdicts.errors import writable
from verdicts.records.files import NotCurrent, canonical_json, sha256_of
from verdicts.records.provenance import git
from verdicts.records.record import CheckResult
from verdicts.records.run_record import Audit, RunRecord, audit_at, reads_kept
from verdicts.records.workspace import Workspace
from verdicts.report.report_texts import load_findings
from verdicts.run.checks import Checks, Load
from verdicts.studies.agreement import (
    Deviation,
    Moved,
    NoBound,
    chance,
    chance_of_signs,
    changed_entries,
    deviations,
)
from verdicts.studies.cells import Cell, Kept, Memory, using
from verdicts.studies.kept import Archive, KeptCell
from verdicts.studies.store import CellFile, Store, cost_at, costs_below
from verdicts.studies.study import archive_of, cells_of, sources_of, store_of

SHORT = 5.0
"""Seconds, as its function declares them, up to which a cell is in the uniform draw."""
LONG = 60.0
"""Seconds up to which a cell is audited for a number that a row shows; beyond, only where long
ones are asked for.
"""
FEWEST = 5
"""Cells of each number that a row shows."""
LEVEL = 1e-3
"""False alarms of the audit of a group, all its tests together."""
MARGIN = 0.1
"""The share of a check's margin above which the tolerances of what it reads make it not
auditable.
"""


class ReadCell(NamedTuple):
    """A cell that a study reads, as it is kept."""

    cell: Cell[Any]
    kept: KeptCell

    @property
    def identity(self) -> str:
        """Return that of the kept cell."""
        return self.kept.identity

    @property
    def how(self) -> Kept:
        """Return how its function is kept."""
        return self.cell.function.kept or Kept("")

    @property
    def seconds(self) -> float:
        """Return about how long it computes, as its function declares."""
        return self.how.seconds(**self.cell.arguments)


class ComputedAnew(NamedTuple):
    """A kept cell computed anew: why it differs (empty: it agrees), and how far, by place or in
    changed entries.
    """

    read: ReadCell
    why: str
    apart: dict[str, Deviation] = {}  # noqa: RUF012 (nobody changes it)
    changed: tuple[int, int] = (0, 0)


def audit_group(workspace: Workspace, run: RunRecord, group: Group, load: Load) -> Audit | None:
    """Audit the kept cells that a group's study reads, and write the record.

    None where it reads none of them, or where they were audited before. Raises OSError where it
    cannot be written.
    """
    archive, asked = archive_of(workspace), run.audit
    if not reads_kept(workspace):
        return None
    own, before = read_by(workspace, archive, group), audit_at(workspace, group.id)
    state, damaged = state_of(workspace, group, own), tuple(archive.damaged)
    if not (own or damaged) or (before and before.run == run.id) or not _due(before, run, state):
        return None
    short, long = divided(own)
    every_short, every_long = divided(population(workspace, run, archive))
    mine = {one.identity for one in own}
    uniform = [one for one in drawn(every_short, asked.short, asked.seed) if one.identity in mine]
    requested = [one for one in drawn(every_long, asked.long, asked.seed) if one.identity in mine]
    beside = one_of_each(short, uniform, asked.seed) if asked.short else []
    numbers = dict(_of_numbers(workspace, run, group, load, own)) if asked.short else {}
    chosen = [*uniform, *requested, *beside, *chain(*numbers.values())]
    anew, missing = compute_anew(list({one.identity: one for one in chosen}.values()))
    made = {each.read.identity for each in anew}
    refused = {each.read.identity: each.why for each in anew if each.why} | biased(anew, own)

    def count(cells: Iterable[ReadCell], among: Collection[str] = made) -> int:
        return sum(one.identity in made and one.identity in among for one in cells)

    audit = Audit(
        group=group.id,
        run=run.id,
        seed=asked.seed,
        state=state,
        cells=len(short),
        drawn=count(uniform),
        differ=count(uniform, refused),
        numbers={name: count(cells) for name, cells in numbers.items()},
        functions=len(beside),
        long=len(long),
        long_drawn=count(requested),
        differing=tuple(f"{each.read.kept} {each.why}" for each in anew if each.why),
        refused=refused,
        missing=missing,
        damaged=damaged,
    )
    audit.write(workspace.audit_path(group.id))
    return audit


def read_by(workspace: Workspace, archive: Archive, group: Group) -> list[ReadCell]:
    """Return the kept cells that a group's study reads at the profile's sizes; none where they
    cannot be listed.
    """
    if not archive.of_group(group.id):
        return []
    try:
        listed = cells_of(group, Checks.load(workspace, group).settings)
        return [ReadCell(cell, kept) for cell in listed if (kept := archive.kept(cell))]
    except (Exception, SystemExit):
        return []  # each check tells


def state_of(workspace: Workspace, group: Group, own: Iterable[ReadCell]) -> str:
    """Return the digest of what an audit of a group rests on: its archive, and the sources of
    its kept functions.
    """
    functions = {one.how.name: one.cell.function for one in own}
    sources = {name: sources_of(workspace, function) for name, function in functions.items()}
    return sha256_of(canonical_json([workspace.kept_files(group.id), sources]))


def _due(before: Audit | None, run: RunRecord, state: str) -> bool:
    """Return whether a group is audited in a run: each of its jobs says the same."""
    return before is None or before.run == run.id or run.audit.asked or before.state != state


def population(workspace: Workspace, run: RunRecord, archive: Archive) -> list[ReadCell]:
    """Return the kept cells that the studies of this run read, of the groups that it audits:
    each job has the same.
    """
    cells: list[ReadCell] = []
    for name in dict.fromkeys(
        claim.group for claim in workspace.claims.claim if claim.id in run.selected
    ):
        group = workspace.claims.group_named(name)
        own = read_by(workspace, archive, group)
        if own and _due(audit_at(workspace, name), run, state_of(workspace, group, own)):
            cells += own
    return cells


def divided(cells: Iterable[ReadCell]) -> tuple[list[ReadCell], list[ReadCell]]:
    """Divide cells into short and long ones, each by identity."""
    ordered = sorted(cells, key=lambda one: one.identity)
    return [one for one in ordered if one.seconds <= SHORT], [
        one for one in ordered if one.seconds > SHORT
    ]


def drawn(cells: Sequence[ReadCell], count: int, seed: int | str) -> list[ReadCell]:
    """Draw so many of the cells uniformly, all where there are not as many."""
    return random.Random(seed).sample(list(cells), min(count, len(cells)))


def one_of_each(
    short: Sequence[ReadCell], uniform: Sequence[ReadCell], seed: int
) -> list[ReadCell]:
    """Draw one short cell of each function of which none was drawn."""
    known = {one.how.name for one in uniform}
    lacking = sorted({one.how.name for one in short} - known)
    lists = ([one for one in short if one.how.name == name] for name in lacking)
    return [one for listed in lists for one in drawn(listed, 1, seed)]


def _of_numbers(
    workspace: Workspace, run: RunRecord, group: Group, load: Load, own: Sequence[ReadCell]
) -> Iterator[tuple[str, list[ReadCell]]]:
    """Yield for each number of the group that a row shows, by its check, the cells to be computed
    anew.

    The check is measured for it, on the values as they are kept.
    """
    findings = load_findings(workspace.root, workspace.all_claims).finding
    shown = {each.number.check for each in findings if each.number}
    claims = [claim for claim in workspace.claims_here(group) if claim.id in run.selected]
    for check in (check for claim in claims for check in claim.check if check.id in shown):
        store = store_of(workspace, run=run.id)
        try:
            with using(store):
                load().measured(check)
        except (Exception, SystemExit):
            continue  # its record says why
        read = [one for one in own if one.identity in store.kept_read and one.seconds <= LONG]
        if read:
            ordered = sorted(read, key=lambda one: one.identity)
            yield check.id, drawn(ordered, FEWEST, f"{run.audit.seed} {check.id}")


def compute_anew(chosen: Sequence[ReadCell]) -> tuple[list[ComputedAnew], str]:
    """Compute cells in memory, whatever lies on disk; return how each compares, and why some
    could not be computed.
    """
    memory, anew, missing = Memory(), list[ComputedAnew](), ""
    for one in chosen:
        try:
            with using(memory):
                content = one.cell.function.encode(one.cell.compute())
        except (Exception, SystemExit) as error:
            if getattr(error, "not_run", False):
                missing = str(error)
            else:
                anew.append(ComputedAnew(one, f"cannot be computed: {type(error).__name__}"))
        else:
            anew.append(compared(one, content, LEVEL / len(chosen) / 2))
    return anew, missing


def compared(one: ReadCell, content: Any, level: float) -> ComputedAnew:
    """Compare a kept cell with what was computed anew; `level`: false alarms of a test."""
    how = one.how
    apart, changed, why = dict[str, Deviation](), (0, 0), ""
    if how.changed is None:
        apart = dict(deviations(one.kept.value, content, how))
        largest = max((each.size for each in apart.values()), default=0.0)
        if largest > 1:
            far = f"by {largest:.3g} tolerances" if math.isfinite(largest) else "in kind"
            why = f"differs {far} from what is computed here"
    else:
        changed = changed_entries(one.kept.value, content)
        if chance(*changed, how.changed) < level:
            why = f"differs in {changed[0]} of {changed[1]} entries from what is computed here"
    return ComputedAnew(one, why, apart, changed)


def biased(anew: Iterable[ComputedAnew], own: Iterable[ReadCell]) -> dict[str, str]:
    """Return all cells of functions whose values, pooled, are moved though each agrees, with the
    reason.

    Signs are pooled for each number of a function, changed entries for the function.
    """
    signed = defaultdict[tuple[str, str], list[float]](list)
    changed = defaultdict[tuple[str, float], list[tuple[int, int]]](list)
    for each in (each for each in anew if not each.why):
        how = each.read.how
        for place, deviation in each.apart.items():
            signed[how.name, place].append(deviation.signed)
        if how.changed is not None:
            changed[how.name, how.changed].append(each.changed)
    chances = [(name, chance_of_signs(listed)) for (name, _), listed in signed.items()]
    for (name, share), counts in changed.items():
        differing, whole = (sum(numbers) for numbers in zip(*counts, strict=True))
        chances.append((name, chance(differing, whole, share)))
    doubtful = {name for name, each in chances if each < LEVEL / 2 / len(chances)}
    why = "is of a function whose kept values, pooled, are biased"
    return {one.identity: why for one in own if one.how.name in doubtful}


def not_auditable(store: Store, check: Check, result: CheckResult, load: Load) -> bool:
    """Return whether the tolerances of the kept cells that a check reads exceed a tenth of its
    margin.

    The check is measured once more on values moved by their tolerance (`Moved`). Its margin is the
    least distance of its value and its interval's ends from the edge where its verdict turns. Where
    what it reads has no tolerance, or cannot be computed moved, it is not auditable either.
    """
    if result.value is None or result.low is None or result.high is None:
        return False
    keeper = Moved(store)
    try:
        with using(keeper):
            measured = load().measured(check)
    except NoBound:
        return True
    except (Exception, SystemExit):
        return keeper.moved
    ends, moved = (result.value, result.low, result.high), (measured.value, *measured.interval)
    by = max(
        abs(one - other) if one != other else 0.0 for one, other in zip(ends, moved, strict=True)
    )
    below, above = check.bound - check.tolerance, check.bound + check.tolerance
    edges = {Relation.AT_LEAST: [below], Relation.AT_MOST: [above]}.get(
        check.relation, [below, above]
    )
    return keeper.moved and not by <= MARGIN * min(
        abs(end - edge) for end in ends for edge in edges
    )


def keep(workspace: Workspace, group: Group, say: Callable[[str], None]) -> int:
    """Publish what the store has of a group's cells; drop those of functions that are not kept any
    more. Returns 0.

    Raises UserError where nothing can be written.
    """
    store, archive = store_of(workspace, reading=True), archive_of(workspace)
    cells = cells_of(group, Checks.load(workspace, group).settings)
    with writable(archive.folder):
        path = archive.write(group.id, _published(workspace, archive, store, cells, say))
        say(f"{path}: {path.stat().st_size} bytes" if path else "nothing is kept")
    return 0


def _published(
    workspace: Workspace,
    archive: Archive,
    store: Store,
    cells: list[Cell[Any]],
    say: Callable[[str], None],
) -> Iterator[KeptCell]:
    """Yield what the store has computed of the cells; name those that follow from kept cells."""
    commit = git(workspace.root, "rev-parse", "HEAD")
    named = [(cell, how.name) for cell in cells if (how := cell.function.kept)]
    places = {store.path(cell) for cell, _ in named}
    for cell, name in named:
        path = store.path(cell)
        try:
            file, cost = CellFile.read(path), cost_at(path)
        except NotCurrent:
            continue
        if cost is None or archive.kept(cell):
            continue
        below = costs_below(store.folder, [path])
        if file.kept or (below.keys() - {path}) & places:
            say(f"not kept: {cell} follows from kept cells, so each run computes it")
            continue
        yield KeptCell(
            function=name,
            arguments=cell.labels,
            data=archive.data_of(cell.function),
            value=file.value,
            sources=sources_of(workspace, cell.function),
            commit=commit,
            computed_on=cost.computed_on,
            seconds=sum(each.seconds for each in below.values()),
            started=cost.started,
        )
