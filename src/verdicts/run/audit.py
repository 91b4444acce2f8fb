"""Kept cells, audited and published: a sample, drawn uniformly by a seed that is told, is computed anew and compared.

How many are drawn is fixed before any is drawn, and all of them are finished. A cell that differs is named; it, and
what was computed from it, is not shown. Cells of older sources are shown only where at least five of their function
agree now, or did in a recorded audit of the present sources.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from verdicts.claims.schema import Group
from verdicts.errors import writable
from verdicts.records.files import NotCurrent, canonical_json, sha256_of, write_whole
from verdicts.records.provenance import git
from verdicts.records.run_record import Audit, RunRecord, Stratum, audit_at, reads_kept
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks, Load
from verdicts.studies.cells import ENCODED, KEPT, Cell, Kept, decoded
from verdicts.studies.kept import AUDITED, Archive, KeptCell, identity_of
from verdicts.studies.store import CellFile, Store, cost_at, costs_below
from verdicts.studies.study import archive_of, cells_of, sources_of, store_of

LONG = 60.0
"""Recorded seconds from which a cell is audited only where that is asked for."""
SPENT = 120.0
"""Recorded seconds of what is drawn where no number is asked for."""
FEWEST = 5
"""Cells of a function with older sources that must agree."""
LEVEL = 1e-3
"""False alarms of an audit, all tests of distributions together."""
LAST_BITS = 1e-12
"""What numbers may differ by on the same kind of machine: a BLAS sums float64 in an order that depends on where in
memory it finds them."""


def audit_group(workspace: Workspace, run: RunRecord, group: Group, load: Load) -> Audit | None:
    """Audit a group's kept cells and write the record.

    None where the profile's study reads none of them, or where they were audited before.

    Raises OSError where it cannot be written.
    """
    archive, before = archive_of(workspace), audit_at(workspace, group.id)
    cells = archive.of_group(group.id)
    if not (reads_kept(workspace) and (cells or archive.damaged)):
        return None
    try:
        listed = cells_of(group, load().settings)  # imports the study, whose functions are in `KEPT` then
        if not (archive.damaged or any(map(archive.kept, listed))):
            return None
    except (Exception, SystemExit):
        return None  # each check tells
    names = {one.function for one in cells.values()} & KEPT.keys()
    sources = {name: sources_of(workspace, KEPT[name]) for name in names}
    state = {
        "archive": sha256_of(canonical_json(workspace.kept_files(group.id))),
        "sources": sha256_of(canonical_json(sources)),
    }
    asked = run.audit.asked and before is not None and before.run != run.id
    if before and not asked and all(getattr(before, name) == digest for name, digest in state.items()):
        return None
    older = {one.function for one in cells.values() if sources.get(one.function) != one.sources}
    older -= {name for name, digest in archive.audited().items() if sources.get(name) == digest}
    chosen = drawn(population(workspace, run, archive), cells, run, older)
    agreed, missing = _compared(workspace, run, chosen)
    unproved = {name for name in older if not _proved(name, chosen, agreed, cells.values())}
    strata = [
        Stratum(cells=len(of), seconds=sum(one.seconds for one in of), drawn=len(made), agreed=sum(made))
        for of in strata_of(cells.values())
        for made in [[agreed[one.identity] for one in of if one.identity in agreed]]
    ]
    differing = tuple(str(one) for one in chosen if agreed.get(one.identity) is False)
    refused = _refused(cells, agreed, unproved)
    outcome: dict[str, Any] = {"differing": differing, "refused": refused, "missing": missing, **state}
    drawing: dict[str, Any] = {"run": run.id, "seed": run.audit.seed, "short": strata[0], "long": strata[1]}
    audit = Audit(group=group.id, damaged=tuple(archive.damaged), **drawing, **outcome)
    audit.write(workspace.audit_path(group.id))
    return audit


def strata_of(cells: Iterable[KeptCell]) -> tuple[list[KeptCell], list[KeptCell]]:
    """Divide cells into short and long ones, each by identity."""
    ordered = sorted(cells, key=lambda one: one.identity)
    return [one for one in ordered if one.seconds <= LONG], [one for one in ordered if one.seconds > LONG]


def population(workspace: Workspace, run: RunRecord, archive: Archive) -> list[KeptCell]:
    """Return the kept cells of every group of which the run has a claim: each job draws from the same."""
    groups = dict.fromkeys(claim.group for claim in workspace.claims.claim if claim.id in run.selected)
    return [cell for group in groups for cell in archive.of_group(group).values()]


def drawn(
    whole: Sequence[KeptCell], own: Mapping[str, KeptCell], run: RunRecord, older: Iterable[str] = ()
) -> list[KeptCell]:
    """Draw from the population what the run asks for, and return what is of one group, `own`.

    For functions of older sources enough more to make `FEWEST` of each.
    """
    short, long = strata_of(whole)
    count = run.audit.short
    if count is None:
        count = int(SPENT * len(short) / max(sum(one.seconds for one in short), 1e-9)) if short else 0
    chance = random.Random(run.audit.seed)
    chosen = [one for of, k in ((short, count), (long, run.audit.long)) for one in chance.sample(of, min(k, len(of)))]
    chosen = [one for one in chosen if one.identity in own]
    for name in sorted(older) if count else ():
        rest = [one for one in strata_of(own.values())[0] if one.function == name and one not in chosen]
        lacking = FEWEST - sum(one.function == name for one in chosen)
        chosen += chance.sample(rest, max(0, min(lacking, len(rest))))
    return chosen


def _proved(name: str, chosen: Sequence[KeptCell], agreed: Mapping[str, bool], cells: Iterable[KeptCell]) -> bool:
    """Tell whether enough of a function's cells were drawn, and all agreed."""
    outcomes = [agreed.get(one.identity, False) for one in chosen if one.function == name]
    return len(outcomes) >= min(FEWEST, sum(one.function == name for one in cells)) and all(outcomes)


def _compared(workspace: Workspace, run: RunRecord, chosen: Sequence[KeptCell]) -> tuple[dict[str, bool], str]:
    """Compute the cells anew; return for each identity whether it agrees, and why some could not be computed.

    One that was computed from others of them comes before these: it is compared on the inputs that it had, not on
    inputs whose last digits are this processor's.
    """
    agreed, missing = dict[str, bool](), ""
    store = store_of(workspace, run=run.id)
    level = LEVEL / max(1, len(chosen))
    for one in inputs_last(chosen):
        try:
            function = KEPT[one.function]
            agreed[one.identity] = agrees(one, function.cell_of(one.arguments), store, level)
        except (Exception, SystemExit) as error:
            if getattr(error, "not_run", False):
                missing = str(error)
            else:
                agreed[one.identity] = False  # it cannot be computed as it was
    return agreed, missing


def inputs_last(cells: Sequence[KeptCell]) -> list[KeptCell]:
    """Return cells in an order in which each stands before those that it was computed from."""
    known = {cell.identity: cell for cell in cells}

    def depth(cell: KeptCell) -> int:
        return 1 + max((depth(known[name]) for name in cell.asked if name in known), default=0)

    return sorted(cells, key=depth, reverse=True)


def agrees(kept: KeptCell, cell: Cell[Any], store: Store, level: float) -> bool:
    """Compute a cell anew and tell whether it agrees with the kept one; `level`: false alarms of a test.

    Raises what the computation raises.
    """
    made = store.computed(cell)
    content = cell.function.encode(made)
    if canonical_json(content) == canonical_json(kept.value):
        return True
    how = cell.function.kept or Kept("")
    if kept.computed_on == store.computed_on:
        return near(kept.value, content, LAST_BITS)
    if how.test:
        return how.test(cell.function.decode(kept.value), made) >= level
    return near(kept.value, content, how.tolerance)


def near(one: Any, other: Any, tolerance: float) -> bool:
    """Tell whether all numbers of two values agree (absolute up to 1, relative beyond), and all else is equal.

    Arrays are compared number by number; their types and shapes are equal.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() == other.keys() == ENCODED and one["shape"] == other["shape"]:
            one, other = ({"dtype": each["dtype"], "numbers": decoded(each).tolist()} for each in (one, other))
        return one.keys() == other.keys() and all(near(one[name], other[name], tolerance) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(near, one, other, [tolerance] * len(one)))
    if isinstance(one, int | float) and isinstance(other, int | float):
        alike = one == other or (one != one and other != other)  # both infinite, or no numbers
        return alike or abs(one - other) <= tolerance * max(1.0, min(abs(one), abs(other)))
    return bool(one == other)


def _refused(cells: Mapping[str, KeptCell], agreed: Mapping[str, bool], unproved: Iterable[str]) -> dict[str, str]:
    """Return why cells may not be shown: those that differ, what was computed from them, older ones not proved."""
    refused = {one: "differs from what is computed here" for one, same in agreed.items() if not same}
    refused |= {
        name: "of older sources, not proved by an audit" for name, one in cells.items() if one.function in set(unproved)
    }
    while more := [name for name, one in cells.items() if name not in refused and set(one.asked) & refused.keys()]:
        refused |= dict.fromkeys(more, "computed from one that is not shown")
    return refused


def keep(workspace: Workspace, group: Group, say: Callable[[str], None]) -> int:
    """Publish what the store has of a group's cells, and record its audit where all agreed. Returns 0.

    Raises UserError where nothing can be written.
    """
    store, archive = store_of(workspace, reading=True), archive_of(workspace)
    cells = cells_of(group, Checks.load(workspace, group).settings)
    with writable(archive.folder):
        path = archive.add(group.id, _published(workspace, archive, store, cells))
        say(f"{path}: {path.stat().st_size} bytes" if path else "no cell that is not kept")
        audit, kept = audit_at(workspace, group.id), archive.of_group(group.id).values()
        if audit and not audit.refused and audit.short.drawn >= min(FEWEST, len(kept)):
            now = {name: sources_of(workspace, KEPT[name]) for name in sorted({one.function for one in kept})}
            write_whole(archive.folder / AUDITED, canonical_json(archive.audited() | now, indent=1) + "\n")
            say(f"its audit is recorded: {audit.said}")
    return 0


def _published(workspace: Workspace, archive: Archive, store: Store, cells: list[Cell[Any]]) -> Iterator[KeptCell]:
    commit = git(workspace.root, "rev-parse", "HEAD")
    named = [(cell, how.name, archive.data_of(cell.function)) for cell in cells if (how := cell.function.kept)]
    places = {store.path(cell): identity_of(name, cell.labels, data) for cell, name, data in named}
    for cell, name, data in named:
        path = store.path(cell)
        try:
            file, cost = CellFile.read(path), cost_at(path)
        except NotCurrent:
            continue
        if cost is None:
            continue
        below = costs_below(store.folder, [path])  # what is kept too is read when this one is computed anew
        asked = {places[place] for each in cost.asked if (place := store.folder / each) in places} | file.kept.keys()
        yield KeptCell(
            function=name,
            arguments=cell.labels,
            data=data,
            value=file.value,
            sources=sources_of(workspace, cell.function),
            commit=commit,
            computed_on=cost.computed_on,
            seconds=sum(each.seconds for place, each in below.items() if place == path or place not in places),
            started=cost.started,
            asked=tuple(sorted(asked)),
        )
