"""Two runs of one group beside one another: cells, tables, measured values, verdicts.

A number's difference is relative to the largest number of its column of the table (of a measured value: of itself, its
interval, its bound and its tolerance), since a column may hold differences that are rounding alone. A cell of a table
may hold several numbers, with spaces between them.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from verdicts.records.workspace import Workspace

_MEASURED = ("value", "low", "high", "bound", "tolerance")


class Compared(NamedTuple):
    """Two runs of a group: cells in both, those whose values are not the same bytes, those that one run lacks, the
    largest relative difference with its place (none: empty), and the checks whose verdict is another."""

    cells: int
    others: int
    missing: int
    difference: float
    where: str
    verdicts: tuple[str, ...]

    def within(self, tolerance: float) -> bool:
        """Return whether all is the same but for differences within the tolerance; for 0: byte for byte."""
        same = not (self.missing or self.verdicts)
        return same and self.difference <= tolerance and not (self.others and tolerance == 0.0)


def compared(one: Workspace, other: Workspace, group: str) -> Compared:
    """Compare a group's cells, tables and measured values in two folders of results."""
    cells = [_cells_of(each, group) for each in (one, other)]
    both = cells[0].keys() & cells[1].keys()
    missing = len(cells[0].keys() ^ cells[1].keys())
    checks = [dict(_checks(each, group)) for each in (one, other)]
    numbers = [
        dict(_columns(each, group)) | {name: [str(check[field]) for field in _MEASURED] for name, check in own.items()}
        for each, own in zip((one, other), checks, strict=True)
    ]
    differences = [(math.inf, name) for name in numbers[0].keys() ^ numbers[1].keys()]
    common = numbers[0].keys() & numbers[1].keys()
    differences += [(_apart(numbers[0][name], numbers[1][name]), name) for name in common]
    pairs = [(name, check["verdict"], checks[1].get(name, {}).get("verdict")) for name, check in checks[0].items()]
    moved = tuple(sorted(name for name, verdict, then in pairs if verdict != then))
    others = sum(cells[0][name] != cells[1][name] for name in both)
    difference, where = max(differences, default=(0.0, ""))
    return Compared(len(both), others, missing, difference, where if difference else "", moved)


def _cells_of(workspace: Workspace, group: str) -> dict[str, Any]:
    """Return the values of a group's cells, by function and arguments."""
    cells = {}
    record = workspace.folder / "studies" / f"{group}.json"
    files = json.loads(record.read_bytes())["files"] if record.is_file() else {}
    for name in files:
        if name.endswith(".json") and (path := record.parent / name).is_file():
            content = json.loads(path.read_bytes())
            cells[json.dumps([content["function"], content["arguments"]], sort_keys=True)] = content["value"]
    return cells


def _columns(workspace: Workspace, group: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each column of a group's tables."""
    tables = [workspace.folder / "studies" / f"{group}.csv"]
    tables += sorted((workspace.folder / "figures" / group).glob("*.csv"))
    for path in tables:
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = csv.reader(stream)
            for number, name in enumerate(header):
                yield f"{path.name}: {name} ({number})", [row[number] for row in rows]


def _checks(workspace: Workspace, group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for claim in workspace.claims.of_group(group):
        path, declared = workspace.record_path(claim), {each.id: each for each in claim.check}
        for check in json.loads(path.read_bytes())["checks"] if path.is_file() else ():
            known = declared[check["id"]]
            yield check["id"], check | {"bound": known.bound, "tolerance": known.tolerance}


def _apart(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the largest difference of two columns over the largest of their numbers; infinite for other words."""
    one, other = ([word for text in column for word in text.split(" ")] for column in (one, other))
    if len(one) != len(other):
        return math.inf
    pairs = [(_number(a), _number(b)) for a, b in zip(one, other, strict=True) if a != b]
    if not pairs:
        return 0.0
    if any(a is None or b is None for a, b in pairs):
        return math.inf
    apart = max(abs(a - b) for a, b in pairs if a is not None and b is not None)
    largest = max((abs(number) for text in (*one, *other) if (number := _number(text)) is not None), default=0.0)
    return apart / largest if apart else 0.0  # of zeros, one may have another sign


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
