"""Computing a group's study, and the record that knows its cells by digest."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from verdicts.claims.schema import Group
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.provenance import Environment, Stopwatch
from verdicts.records.record import Artefacts
from verdicts.records.run_record import Run
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks, log_errors, one_line
from verdicts.run.plan import forced
from verdicts.studies.cells import Cell
from verdicts.studies.store import Store
from verdicts.studies.study import cells_of, compute, labelled_table, store_of

Load = Callable[[], Checks]


def run_share(workspace: Workspace, run: Run, group: Group, load: Load, share: int, shares: int) -> None:
    """Compute a share of the cells of a group's study; what breaks in listing them is left to the last job.

    Raises OSError where a result cannot be written.
    """
    try:
        cells = cells_of(group, load().settings)
    except (Exception, SystemExit):
        return
    compute(cells, _store(workspace, run, group), share, shares)


def run_study(workspace: Workspace, run: Run, group: Group, load: Load, environment: Environment) -> None:
    """Compute the cells of a group's study that are not there, then write their labelled table and their record.

    What breaks is logged and recorded as failed. Raises OSError where a result cannot be written.
    """
    watch, path, log = Stopwatch(), workspace.study_path(group), workspace.log_path(f"{group.id}.study")
    parts, seconds = workspace.study_parts(group), 0.0
    assert parts is not None
    try:
        cells, store = cells_of(group, load().settings), _store(workspace, run, group)
    except (Exception, SystemExit) as error:
        outcome: dict[str, Any] = {"reason": one_line(error), "failed": True}
        log_errors(log, [error])
    else:
        compute(cells, store)
        outcome, seconds = {"files": _written(workspace, group, cells), **_outcome(cells, store)}, store.seconds(cells)
        log_errors(log, [])
    provenance = watch.provenance(environment, workspace.profile, parts.config, run.id)
    provenance = provenance.model_copy(update={"seconds": round(seconds, 4)})
    Artefacts.of(group.id, parts, provenance, **outcome).write(path)


def _store(workspace: Workspace, run: Run, group: Group) -> Store:
    return store_of(workspace, run=run.id, anew=forced(workspace, run, group))


def _written(workspace: Workspace, group: Group, cells: Sequence[Cell[Any]]) -> dict[str, str]:
    """Write the labelled table; return its digest and those of the cells' files, by their place beside the record."""
    store, folder = store_of(workspace, reading=True), workspace.study_path(group).parent
    table = labelled_table(cells, store)
    write_whole(folder / f"{group.id}.csv", table)
    paths = [path for cell in cells if (path := store.path(cell)).is_file()]
    digests = {os.path.relpath(path, folder): sha256_of(path.read_bytes()) for path in paths}
    return {f"{group.id}.csv": sha256_of(table), **digests}


def _outcome(cells: Sequence[Cell[Any]], store: Store) -> dict[str, Any]:
    """Return in words which cells have no value; whether one broke; whether all is settled."""
    failures = [(cell, failure) for cell in cells if (failure := store.failure(cell))]
    broken = [(cell, failure) for cell, failure in failures if not failure.not_run]
    settled = all(failure.settled for _, failure in failures)
    for kind, chosen in (("failed", broken), ("could not be computed", failures)):
        if chosen:
            cell, failure = chosen[0]
            reason = f"{len(chosen)} of {len(cells)} cells {kind}, first {cell}: {failure.reason}"
            return {"reason": reason, "failed": bool(broken), "settled": settled}
    return {}
