"""The cells of a study are published: those whose functions have a stable name, as one more file of kept cells."""

from collections.abc import Callable, Iterator
from typing import Any

from verdicts.claims.schema import Group
from verdicts.errors import writable
from verdicts.records.audit import audit_at
from verdicts.records.checksummed import NotCurrent
from verdicts.records.files import canonical_json, write_whole
from verdicts.records.provenance import git
from verdicts.records.workspace import Workspace
from verdicts.run.audit import FEWEST
from verdicts.run.checks import Checks
from verdicts.studies.cells import KEPT, Cell
from verdicts.studies.costs import cost_at, costs_below
from verdicts.studies.kept import AUDITED, Archive, KeptCell, identity_of
from verdicts.studies.store import CellFile, Store
from verdicts.studies.study import archive_of, cells_of, sources_of, store_of


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
            write_whole(archive.folder / group.id / AUDITED, canonical_json(now, indent=1) + "\n")
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
