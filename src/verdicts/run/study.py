"""Computing a group's study, and the record that knows its cells by digest."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from verdicts.claims.schema import Group
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.provenance import ComputedOn, Environment, Stopwatch
from verdicts.records.record import Artefacts
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run.checks import Checks, log_errors, one_line
from verdicts.run.plan import forced
from verdicts.studies.cells import Cell
from verdicts.studies.store import Cost, Store
from verdicts.studies.study import cells_of, compute, labelled_table, share_of, store_of

Load = Callable[[], Checks]


def run_share(workspace: Workspace, run: RunRecord, group: Group, load: Load, share: int, shares: int) -> None:
    """Compute a share of the cells of a group's study; what breaks in listing them is left to the last job.

    So is a study that is to be refused. Raises OSError where a result cannot be written.
    """
    store = _store(workspace, run, group)
    try:
        cells = cells_of(group, load().settings)
    except (Exception, SystemExit):
        return
    if not _mixed(workspace, group, cells, store, store.costs(cells)):
        compute(share_of(cells, share, shares), store, as_share=True)


def run_study(workspace: Workspace, run: RunRecord, group: Group, load: Load, environment: Environment) -> str:
    """Compute the cells of a group's study that are not there, then write their labelled table and their record.

    What breaks is logged and recorded as failed. Returns why the study is refused: its cells would be, or are, of
    different releases. Raises OSError where a result cannot be written.
    """
    watch, path, log = Stopwatch(), workspace.study_path(group), workspace.log_path(f"{group.id}.study")
    parts, costs, refused = workspace.study_parts(group), list[Cost](), ""
    assert parts is not None
    try:
        cells, store = cells_of(group, load().settings), _store(workspace, run, group)
    except (Exception, SystemExit) as error:
        outcome: dict[str, Any] = {"reason": one_line(error), "failed": True}
        log_errors(log, [error])
    else:
        costs = store.costs(cells)
        if not (refused := _mixed(workspace, group, cells, store, costs)):
            compute(cells, store)
            costs = store.costs(cells)
            refused = _mixed(workspace, group, cells, store, costs)
        table = {"files": _written(workspace, group, cells)}
        outcome = table | ({"reason": refused, "failed": True} if refused else _outcome(cells, store))
        log_errors(log, [])
    if changed := workspace.changed(parts):
        outcome |= {"reason": f"failed: {changed}", "failed": True}
    provenance = watch.provenance(environment, workspace.profile, parts.config, run.id)
    models = sorted({cost.computed_on.device for cost in costs if cost.computed_on.device})
    of_cells = {"seconds": round(sum(cost.seconds for cost in costs), 4)}
    provenance = provenance.model_copy(update=of_cells | ({"processor": "; ".join(models)} if models else {}))
    Artefacts.of(group.id, parts, provenance, **outcome).write(path)
    return refused


def _store(workspace: Workspace, run: RunRecord, group: Group) -> Store:
    return store_of(workspace, run=run.id, anew=forced(workspace, run, group))


def _mixed(workspace: Workspace, group: Group, cells: Sequence[Cell[Any]], store: Store, costs: Sequence[Cost]) -> str:
    """Say that cells of different releases would stand side by side, and what to do; empty where all are of one."""
    lacking = any(not store.taken(cell) for cell in cells if not store.failure(cell))
    if mixed := mixture(costs, store.computed_on if lacking else None):
        again = f"`{workspace.project.command} reproduce --force {group.id}` computes all with one release"
        return f"refused: {mixed}, and their numbers may differ; {again}"
    return ""


def mixture(costs: Iterable[Cost], here: ComputedOn | None = None) -> str:
    """Say which releases computed cells of one study, and how many (`here`: what is to compute more); empty for one.

    Cells of which it is not known do not count.
    """
    counts = Counter(cost.computed_on.releases for cost in costs if cost.computed_on.releases)
    words = [f"{count} with {which}" for which, count in sorted(counts.items())]
    if here and here.releases and here.releases not in counts:
        words.append(f"the others would be with {here.releases}")
    return ", ".join(words).replace(" with", " of its cells were computed with", 1) if len(words) > 1 else ""


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
