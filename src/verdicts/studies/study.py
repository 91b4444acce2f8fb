"""A group's study: the cells that its settings ask for, divided into shares, and their labelled
table.
"""

import importlib
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue

from verdicts.claims.schema import Group
from verdicts.records.files import canonical_json, sha256_of
from verdicts.records.run_record import audit_at, reads_kept
from verdicts.records.workspace import Workspace
from verdicts.studies.cells import Cell, CellFunction
from verdicts.studies.kept import Archive, Refused
from verdicts.studies.store import Store
from verdicts.studies.table import RunTable, csv_of, leaves

CELLS = "cells"
Item = TypeVar("Item")


def store_of(
    workspace: Workspace, reading: bool = False, run: str = "", anew: bool = False
) -> Store:
    """Return the store of cells, which all profiles share; the other arguments are `Store`'s."""
    folder, here, archive = (
        workspace.folder.parent / CELLS,
        workspace.computed_on(),
        archive_of(workspace),
    )

    def parts(function: CellFunction[..., Any]) -> dict[str, JsonValue]:
        """Return what a function's cells depend on beside their arguments. Raises UserError for
        an unknown data set.
        """
        return {
            "sources": dict(workspace.sources.closure(function.__module__)),
            "data": dict(archive.data_of(function)),
            "device": workspace.device,
        }

    return Store(
        folder, parts, reading, run, anew, here, archive if reads_kept(workspace) else None
    )


def archive_of(workspace: Workspace) -> Archive:
    """Return the kept cells, without those that the last audit of their group refused."""

    @cache
    def refused(group: str) -> Mapping[str, str]:
        audit = audit_at(workspace, group)
        return audit.refused if audit else {}

    return Archive(workspace.kept_folder, workspace.project.registered, refused)


def sources_of(workspace: Workspace, function: CellFunction[..., Any]) -> str:
    """Return the digest of the sources that a function's cells depend on."""
    return sha256_of(canonical_json(dict(workspace.sources.closure(function.__module__))))


def module_of(group: Group, name: str) -> ModuleType | None:
    """Return a module of a group, None where it has none. Whatever its import raises passes
    through.
    """
    place = f"{group.module}.{name}"
    return importlib.import_module(place) if importlib.util.find_spec(place) else None


def cells_of(group: Group, settings: BaseModel) -> list[Cell[Any]]:
    """Return the cells that a group's `study.py` lists for these settings, each once; none where it
    has no study.

    Whatever the module raises passes through.
    """
    study = module_of(group, "study")
    if table := table_of(group, settings):
        listed: Iterable[Cell[Any]] = table.cells
    else:
        listed = study.cells(settings) if study else ()
    return list({(cell.function.name, cell.digest): cell for cell in listed}.values())


def table_of(group: Group, settings: BaseModel) -> RunTable | None:
    """Return the table of a group whose `study.py` has `runs` in place of `cells`, None for others.

    Whatever the module raises passes through.
    """
    study = module_of(group, "study")
    if study is None or hasattr(study, "cells"):
        return None
    return RunTable(tuple(study.runs(settings)))


def share_of(cells: Sequence[Item], share: int, shares: int) -> list[Item]:
    """Return a study's cells as one of its shares goes through them: its own, then the others',
    last ones first.

    Each computes those that no other has begun, so that none is idle while another has cells to
    begin.
    """
    others = [cell for number, cell in enumerate(cells) if number % shares != share]
    return [*cells[share::shares], *reversed(others)]


def compute(cells: Iterable[Cell[Any]], store: Store, as_share: bool = False) -> None:
    """Compute those cells that the store lacks; `as_share`, without waiting for one that another
    process computes.

    A cell that breaks takes no other with it: the store has the reason, and tells its readers.
    Raises OSError where a result cannot be written.
    """
    for cell in cells:
        if as_share and store.taken(cell):
            continue
        try:
            store.ensure(cell)
        except Refused:
            continue
        except (Exception, SystemExit):
            if store.failure(cell) is None:
                raise


def labelled_table(cells: Iterable[Cell[Any]], store: Store) -> str:
    """Return the cells as CSV, a row a cell: function, arguments, and every number of the result by
    its name (`leaves`).

    A number whose name is an argument's too is called `result.NAME`. Cells without a value are left
    out.
    """
    return csv_of(_row(cell, store) for cell in cells if store.has(cell))


def _row(cell: Cell[Any], store: Store) -> dict[str, Any]:
    labels = {"cell": cell.function.name, **dict(leaves(cell.arguments))}
    return labels | {
        f"result.{name}" if name in labels else name: value
        for name, value in leaves(store.value(cell))
    }
