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
from dataclasses import dataclass, is_dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np

from verdicts.errors import UserError
from verdicts.studies.cells import Cell, CellFunction

Label = str | int | float


class Rows(NamedTuple):
    """The rows that one cell makes: its value has a named tuple of numbers for each of `batches`.

    `labels` are common to the rows. A batch has `size` samples, drawn with `seed` and its number:
    rows of one number have one start, so they are paired. Without batches there is one row, whose
    numbers are exact or have intervals of their own: the cell's value is its named tuple, or has
    it at `place`, beside those of other labels. Cells that the cell `rests_on` are computed before
    it, each by itself: those that are kept, or take long.
    """

    labels: Mapping[str, Label]
    cell: Cell[Any]
    batches: tuple[int, ...] = ()
    size: int = 1
    seed: int | None = None
    rests_on: tuple[Cell[Any], ...] = ()
    place: int | None = None


class Column(NamedTuple):
    """One number of some rows: its `values` by batch, and the rows' common size and seed.

    Where the rows are not `batched` there is a `single` value.
    """

    values: dict[int, Any]
    size: int
    seed: int | None
    batched: bool

    @property
    def single(self) -> Any:
        """Return the one value of rows that are not batched."""
        (value,) = self.values.values()
        return value


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
        is no such row, or one batch, of which no interval is known.
        """
        chosen = self._by_labels.get(frozenset(labels.items()))
        if not chosen:
            raise UserError(f"`runs` makes no row of {_shown(labels)}{self._near(labels)}")
        values = {batch: value for rows in chosen for batch, value in self._numbers(rows, number)}
        batched = bool(chosen[0].batches)
        if batched and len(values) == 1:
            raise UserError(f"`runs` makes one batch of {_shown(labels)}: an interval needs two")
        return Column(values, chosen[0].size, chosen[0].seed, batched)

    def columns(self, number: str, along: str, **labels: Label) -> dict[Any, Column]:
        """Return a number by a label, ascending, of the rows whose other labels are just these."""
        key = (number, along, frozenset(labels.items()))
        if key not in self._columns:
            values = self.choices(along, **labels)
            self._columns[key] = {
                value: self.column(number, **{**labels, along: value}) for value in values
            }
        return self._columns[key]

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
            results.setdefault(tuple(rows.labels[name] for name in by), []).extend(self._read(rows))
        return results

    def written(self, has: Callable[[Cell[Any]], bool]) -> str:
        """Return the table as CSV, a row a batch: its labels, then its numbers; of cells that it
        `has`.
        """
        return csv_of(
            {**rows.labels, **({"batch": batch} if rows.batches else {}), **dict(leaves(result))}
            for rows in self.rows
            if has(rows.cell)
            for batch, result in zip(rows.batches or (0,), self._read(rows), strict=True)
        )

    @cached_property
    def _by_labels(self) -> dict[frozenset[tuple[str, Label]], list[Rows]]:
        known: dict[frozenset[tuple[str, Label]], list[Rows]] = {}
        for rows in self.rows:
            known.setdefault(frozenset(rows.labels.items()), []).append(rows)
        return known

    @cached_property
    def _columns(self) -> dict[tuple[Any, ...], dict[Any, Column]]:
        return {}

    @cached_property
    def _values(self) -> dict[tuple[str, str], Any]:
        return {}

    def _with(self, labels: Mapping[str, Label], *free: str) -> Iterator[Rows]:
        for rows in self.rows:
            if len(rows.labels) == len(labels) + len(free):
                fixed = {name: value for name, value in rows.labels.items() if name not in free}
                if fixed == labels:
                    yield rows

    def _numbers(self, rows: Rows, number: str) -> Iterable[tuple[int, Any]]:
        if number not in (known := _fields(rows.cell.function)):
            raise UserError(f"rows have no {number!r}, but {', '.join(known)}")
        batches = rows.batches or (0,)
        if self.blank:
            return dict.fromkeys(batches, 1.0).items()
        return zip(batches, (getattr(each, number) for each in self._read(rows)), strict=True)

    def _read(self, rows: Rows) -> list[Any]:
        """Return what was measured of each row, from the active store; a cell is read once."""
        key = (rows.cell.function.name, rows.cell.digest)
        if key not in self._values:
            self._values[key] = rows.cell.function(**rows.cell.arguments)
        value = self._values[key]
        if rows.batches:
            return list(value)
        return [value if rows.place is None else value[rows.place]]

    def _near(self, labels: Mapping[str, Label]) -> str:
        """Say what one label could be for there to be a row."""
        for name in labels:
            others = {other: value for other, value in labels.items() if other != name}
            if known := self.choices(name, **others):
                return f"; {name} can be {', '.join(map(str, known))}"
        return ""


@cache
def _fields(function: CellFunction[..., Any]) -> tuple[str, ...]:
    """Return the names of the numbers that a function measures of each row."""
    hint = get_type_hints(function.wrapped)["return"]
    fields: tuple[str, ...] = next(iter(get_args(hint)), hint)._fields
    return fields


def csv_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV, a column for each name that one of them has."""
    listed, stream = list(rows), io.StringIO()
    header = list(dict.fromkeys(name for row in listed for name in row))
    writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return stream.getvalue()


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the numbers and texts of a nested value under their dotted names; what is named `value`
    has the name of what it lies in.

    Of an estimate its interval is taken, of an array its shape.
    """
    if callable(getattr(value, "interval", None)):
        value = value.interval()
    if is_dataclass(value):
        value = vars(value)
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    elif isinstance(value, list | tuple):
        simple = all(isinstance(each, str | int | float | None) for each in value)
        value = " ".join(map(str, value)) if simple else dict(enumerate(value))
    elif isinstance(value, np.ndarray):
        value = "x".join(map(str, value.shape)) or "scalar"
    if not isinstance(value, Mapping):
        yield name or "value", value
        return
    for key, inner in value.items():
        yield from leaves(inner, name if key == "value" else f"{name}.{key}".strip("."))


def _shown(labels: Mapping[str, Label]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in labels.items())
