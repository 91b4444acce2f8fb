"""A group's study: the cells that its settings ask for, computed share by share, and their labelled table."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from verdicts.claims.schema import Group
from verdicts.studies.cells import Cell
from verdicts.studies.store import Store

Cells = Callable[[Any], Iterable[Cell[Any]]]


def cells_of(group: Group, settings: BaseModel) -> list[Cell[Any]]:
    """Return the cells that a group's `study.py` lists for these settings, each once; none where it has no study.

    Whatever the module raises passes through.
    """
    name = f"{group.module}.study"
    if importlib.util.find_spec(name) is None:
        return []
    listed: Cells = importlib.import_module(name).cells
    return list({(cell.function.name, cell.digest): cell for cell in listed(settings)}.values())


def compute(cells: Iterable[Cell[Any]], store: Store, share: int = 0, shares: int = 1) -> None:
    """Compute those cells of a share (each `shares`-th, from number `share` on) that the store lacks.

    A cell that breaks takes no other with it: the store keeps the reason, and its readers raise it.
    """
    for cell in list(cells)[share::shares]:
        try:
            store.value(cell)
        except Exception:
            continue


def seconds(cells: Iterable[Cell[Any]], store: Store) -> float:
    """Return the processor time that these cells took, when they were computed."""
    return sum(cost.seconds for cell in cells if (cost := store.cost(cell)))


def labelled_table(cells: Iterable[Cell[Any]], store: Store) -> str:
    """Return the cells as CSV, a row a cell: function, arguments, and every number of the result by its name.

    Cells without a value are left out; arrays stand as their shape.
    """
    rows = [dict(_row(cell, store)) for cell in cells if store.has(cell)]
    header = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _row(cell: Cell[Any], store: Store) -> Iterator[tuple[str, Any]]:
    yield "cell", cell.function.name
    yield from _flat("", cell.labels)
    yield from _flat("", cell.function.named(store.value(cell)), "value")


def _flat(prefix: str, value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a nested value, under their dotted names."""
    if isinstance(value, dict) and set(value) == {"dtype", "shape", "base64"}:
        yield prefix or name, "x".join(map(str, value["shape"])) or "scalar"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner, name)
    elif isinstance(value, list) and not all(isinstance(each, str | int | float | None) for each in value):
        for number, inner in enumerate(value):
            yield from _flat(f"{prefix}.{number}" if prefix else str(number), inner, name)
    else:
        yield prefix or name, " ".join(map(str, value)) if isinstance(value, list) else value
