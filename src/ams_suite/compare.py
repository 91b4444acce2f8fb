"""`ams compare`: two runs beside one another, check by check, as a table that says what moved and by how much.

A run is a ledger (`results/<profile>/ledger.json`) or kept values (`paper/expected/<profile>.json`, of any commit).
"""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from ams.data.safe_read import LARGEST, bytes_of
from verdicts.errors import UserError
from verdicts.records.files import write_whole

ROUNDING = 1e-9
"""Relative difference below which two values are the same: the order of sums may differ."""


class Value(NamedTuple):
    """A check's value with its interval and verdict; None where nothing was measured."""

    value: float | None
    low: float | None
    high: float | None
    verdict: str


class CheckChange(StrEnum):
    """How a check's values in two runs compare."""

    EQUAL = "equal"
    WITHIN = "within the intervals"
    ROUNDING = "within the check's tolerance of rounding"
    MOVED = "moved"
    GONE = "gone"
    NEW = "new"
    UNMEASURED = "measured in neither"
    ONE = "measured in one"


def compare(
    before: Path, after: Path, out: Path | None, say: Callable[[str], None], rounding: Mapping[str, float]
) -> int:
    """Write the table of both runs as CSV to `out` (else to the screen), and count the changes.

    `rounding` is the tolerance of each check that measures rounding errors: its value may change within it.
    Returns 1 where a check is gone, has moved, or has another verdict, else 0. Raises UserError for a wrong file.
    """
    rows = list(_rows(_values(before), _values(after), rounding))
    stream = io.StringIO()
    more = ("low", "high", "verdict")
    header = ("check", "before", *more, "after", *more, "relative difference", "change")
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    if out:
        write_whole(out, stream.getvalue())
    else:
        say(stream.getvalue().rstrip())
    counts = Counter(row[-1] for row in rows)
    verdicts = sum(row[4] != row[8] for row in rows if row[-1] not in (CheckChange.NEW, CheckChange.GONE))
    say(f"{len(rows)} checks: {', '.join(f'{n} {name}' for name, n in counts.items())}; {verdicts} other verdicts")
    return 1 if verdicts or counts[CheckChange.MOVED] or counts[CheckChange.GONE] else 0


def _values(path: Path) -> dict[str, Value]:
    """Return a run's values by check. Raises UserError."""
    try:
        content = json.loads(bytes_of(path, LARGEST))
        claims = content["claims"]
        if isinstance(claims, dict):
            checks = {name: check for claim in claims.values() for name, check in claim["checks"].items()}
        else:
            checks = {check["id"]: check for claim in claims for check in claim["checks"]}
        return {name: Value(*(check[field] for field in Value._fields)) for name, check in checks.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "neither a ledger nor kept values"
        raise UserError(
            f"{path}: {reason}; give results/<profile>/ledger.json or paper/expected/<profile>.json"
        ) from None


def _rows(
    before: dict[str, Value], after: dict[str, Value], rounding: Mapping[str, float]
) -> Iterator[tuple[Any, ...]]:
    nothing = Value(None, None, None, "")
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name, nothing), after.get(name, nothing)
        if name in before and name in after:
            change = _change(one, other, rounding.get(name, 0.0))
        else:
            change = CheckChange.NEW if name in after else CheckChange.GONE
        yield (name, *one, *other, _difference(one, other), change)


def _difference(one: Value, other: Value) -> float | str:
    if one.value is None or other.value is None:
        return ""
    size = max(abs(one.value), abs(other.value))
    return abs(one.value - other.value) / size if size else 0.0


def _change(one: Value, other: Value, rounding: float) -> CheckChange:
    if one.value is None or other.value is None:
        return CheckChange.UNMEASURED if one.value is other.value else CheckChange.ONE
    pairs = zip(one[:3], other[:3], strict=True)
    if all(math.isclose(a, b, rel_tol=ROUNDING, abs_tol=1e-15) for a, b in pairs if a is not None and b is not None):
        return CheckChange.EQUAL
    if abs(one.value - other.value) <= rounding:
        return CheckChange.ROUNDING
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return CheckChange.MOVED
    apart = max(one.low - other.high, other.low - one.high)
    exact = one.low == one.high and other.low == other.high
    return CheckChange.MOVED if apart > 0.0 or exact else CheckChange.WITHIN
