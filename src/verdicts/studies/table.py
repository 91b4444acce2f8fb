"""A group's table: what its `study.py` says is run, a row a batch, and the numbers that were
measured of each row.

    def runs(settings: Settings) -> Iterator[Rows]:
        for name in settings.samplers:
            yield Rows({"sampler": name, "budget": 60}, measure.cell(name, 60, range(9)), ...)

The cells that `runs` names are the group's study; queries, figures and the table for readers find
rows by their labels.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args, get_type_hints

from verdicts.errors import UserError
from verdicts.studies.cells import Cell

Label = str | int | float


class Rows(NamedTuple):
    """The rows that one cell makes: its value has a named tuple of numbers for each of `batches`.

    `labels` are common to the rows. A batch has `size` samples, drawn with `seed` and its number:
    rows of one number have one start, so they are paired. Cells that the cell `rests_on` are
    computed before it, each by itself: those that are kept, or take long.
    """

    labels: Mapping[str, Label]
    cell: Cell[Any]
    batches: tuple[int, ...]
    size: int
    seed: int
    rests_on: tuple[Cell[Any], ...] = ()


class Column(NamedTuple):
    """One number of some rows: its `values` by batch, and the rows' common size and seed."""

    values: dict[int, Any]
    size: int
    seed: int


@dataclass(frozen=True)
class RunTable:
    """The rows of a group. A `blank` table has 1 for every number and computes nothing: it tries
    what queries ask.
    """

    rows: tuple[Rows, ...]
    blank: bool = False

    @property
    def cells(self) -> list[Cell[Any]]:
        """Return the cells of all rows, and those that they rest on before them."""
        return [cell for rows in self.rows for cell in (*rows.rests_on, rows.cell)]

    def column(self, number: str, **labels: Label) -> Column:
        """Return a number of the rows whose labels are just these. Raises UserError where there
        is no such row.
        """
        chosen = list(self._with(labels))
        if not chosen:
            raise UserError(f"`runs` makes no row of {_shown(labels)}{self._near(labels)}")
        values = {batch: value for rows in chosen for batch, value in self._numbers(rows, number)}
        return Column(values, chosen[0].size, chosen[0].seed)

    def choices(self, label: str, **labels: Label) -> list[Any]:
        """Return the values of a label, ascending, among the rows whose other labels are just
        these.
        """
        return sorted({rows.labels[label] for rows in self._with(labels, label)})

    def results(self, *by: str, **labels: Label) -> dict[tuple[Any, ...], list[Any]]:
        """Return what was measured in each batch, by the values of some labels; the others are
        just these.
        """
        results: dict[tuple[Any, ...], list[Any]] = {}
        for rows in self._with(labels, *by):
            results.setdefault(tuple(rows.labels[name] for name in by), []).extend(_read(rows.cell))
        return results

    def written(self, has: Callable[[Cell[Any]], bool]) -> str:
        """Return the table as CSV, a row a batch: its labels, then its numbers; of cells that it
        `has`.
        """
        lines = [
            {**rows.labels, "batch": batch, **_columns(result)}
            for rows in self.rows
            if has(rows.cell)
            for batch, result in zip(rows.batches, _read(rows.cell), strict=True)
        ]
        stream = io.StringIO()
        header = list(dict.fromkeys(name for line in lines for name in line))
        writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        return stream.getvalue()

    def _with(self, labels: Mapping[str, Label], *free: str) -> Iterator[Rows]:
        for rows in self.rows:
            fixed = {name: value for name, value in rows.labels.items() if name not in free}
            if fixed == labels and rows.labels.keys() >= set(free):
                yield rows

    def _numbers(self, rows: Rows, number: str) -> Iterable[tuple[int, Any]]:
        (result,) = get_args(get_type_hints(rows.cell.function.wrapped)["return"])
        if number not in result._fields:
            raise UserError(f"rows have no {number!r}, but {', '.join(result._fields)}")
        if self.blank:
            return dict.fromkeys(rows.batches, 1.0).items()
        return zip(rows.batches, (getattr(each, number) for each in _read(rows.cell)), strict=True)

    def _near(self, labels: Mapping[str, Label]) -> str:
        """Say what one label could be for there to be a row."""
        for name in labels:
            others = {other: value for other, value in labels.items() if other != name}
            if known := self.choices(name, **others):
                return f"; {name} can be {', '.join(map(str, known))}"
        return ""


def _read(cell: Cell[Any]) -> list[Any]:
    """Return a cell's value from the active store."""
    values: list[Any] = cell.function(**cell.arguments)
    return values


def _columns(result: Any) -> dict[str, Any]:
    """Return the numbers of a row by name; of one with an interval, the parts of that."""
    columns = dict[str, Any]()
    for name, number in result._asdict().items():
        interval = number.interval() if hasattr(number, "interval") else number
        parts = interval._asdict() if hasattr(interval, "_asdict") else {"": interval}
        columns |= {f"{name}.{part}".strip("."): value for part, value in parts.items()}
    return columns


def _shown(labels: Mapping[str, Label]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in labels.items())
