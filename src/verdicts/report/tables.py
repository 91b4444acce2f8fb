"""A group's table as a document shows it: an interval beside its value, what all rows share said
once.

The CSV file keeps every column and every row.
"""

from collections.abc import Iterator, Sequence
from math import log10
from typing import NamedTuple

from verdicts.records.figures import Table, TableCell
from verdicts.report.words import number

LONGEST = 60  # rows of a table that is shown whole
NARROW = 6  # columns that fit beside one another as they are
ENDS = ("low", "high")
HALF = "+-"


class Column(NamedTuple):
    """A column's head and its cells, in words; `numeric` ones are set to the right."""

    head: str
    cells: tuple[str, ...]
    numeric: bool


class Shown(NamedTuple):
    """The columns of what is shown, how many rows more the file has, and what holds for every
    row.
    """

    columns: list[Column]
    more: int
    shared: str


def shown(table: Table) -> Shown:
    """Return a table as the page and the paper show it."""
    if not table.rows:
        return Shown([Column(head, (), numeric=False) for head in table.header], 0, "")
    kept, said = [], []
    for n, (head, *cells) in enumerate(zip(table.header, *table.rows, strict=True)):
        shared = (
            len(table.header) > NARROW
            and n > 0
            and len(cells) > 2
            and cells[0] != ""
            and len(set(cells)) == 1
        )
        if shared:
            said.append(f"{head} {text(cells[0])}")
        else:
            kept.append((head, tuple(cells)))
    rows = len(table.rows) if len(table.rows) <= LONGEST else LONGEST // 2
    columns = [column._replace(cells=column.cells[:rows]) for column in _joined(kept)]
    return Shown(columns, len(table.rows) - rows, "; ".join(said))


def text(cell: TableCell) -> str:
    """Return a cell in words."""
    return cell if isinstance(cell, str) else number(cell, 4)


def _joined(columns: Sequence[tuple[str, tuple[TableCell, ...]]]) -> Iterator[Column]:
    """Yield the columns, with a value's interval (`low`, `high`) or half of it (`+-`) beside the
    value.
    """
    at = 0
    while at < len(columns):
        head, cells = columns[at]
        names_after = [name for name, _ in columns[at + 1 : at + 3]]
        rest = [other for _, other in columns[at + 1 : at + 3]]
        if names_after in ([*ENDS], [f"{head} {end}" for end in ENDS]) and all(
            map(_holds, cells, *rest)
        ):
            yield Column(head, tuple(map(_interval, cells, *rest)), numeric=True)
            at += 3
        elif names_after[:1] == [HALF]:
            yield Column(head, tuple(map(_half, cells, rest[0])), numeric=True)
            at += 2
        else:
            yield Column(
                head,
                tuple(map(text, cells)),
                numeric=not any(cell and isinstance(cell, str) for cell in cells),
            )
            at += 1


def _holds(value: TableCell, low: TableCell, high: TableCell) -> bool:
    """Return whether the ends can be the value's: where all three are numbers, it lies between
    them.
    """
    if isinstance(value, str) or isinstance(low, str) or isinstance(high, str):
        return True
    return low <= value <= high


def _interval(value: TableCell, low: TableCell, high: TableCell) -> str:
    if value == low == high or low == high == "":
        return text(value)
    return f"{_three(value)} [{_three(low)}, {_three(high)}]"


def _half(value: TableCell, half: TableCell) -> str:
    return text(value) if half == "" else f"{_three(value)} ± {_three(half)}"


def _three(cell: TableCell) -> str:
    """Return a cell in three digits, thousands written out."""
    if isinstance(cell, str):
        return cell
    return number(round(cell, -int(log10(abs(cell))) + 2) if 1e3 <= abs(cell) < 1e6 else cell)
