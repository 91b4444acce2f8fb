"""What became of each fault, kept in `results/mutations.json`, and which of it is still current.

A row is stale once the fault, the file that it is put into or a file of tests that it asks has changed: it is shown as
such, never as caught.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ams_suite.tools.mutation.faults import Fault
from ams_suite.tools.mutation.trial import Outcome
from verdicts.records.checksummed import Checksummed, NotCurrent
from verdicts.records.files import canonical_json, sha256_of
from verdicts.validation import Frozen

RESULTS = "mutations.json"


class Tried(Frozen):
    """A fault's outcome, the UTC time of its trial, and the key of what it depends on."""

    key: str
    outcome: Outcome
    started: str


class Trials(Checksummed):
    """All outcomes by the fault's id."""

    tried: dict[str, Tried] = {}  # noqa: RUF012 (a pydantic field)


class Row(NamedTuple):
    """A fault with its outcome; where there is none that is current, `reason` says why."""

    fault: Fault
    outcome: Outcome | None
    reason: str
    started: str


def key_of(root: Path, fault: Fault, digest: Callable[[Path], str] | None = None) -> str:
    """Return the digest of the fault's entry, the file it is put into, and the test files that it asks."""
    names = {fault.file, *(test.partition("::")[0] for test in fault.asked(root))}
    digests = {name: (digest or _digest)(root / name) for name in sorted(names)}
    return sha256_of(canonical_json({"fault": fault.model_dump(mode="json"), "files": digests}))


def read_trials(folder: Path) -> Trials:
    """Return the record in the results' folder, an empty one where it is missing or damaged."""
    try:
        return Trials.read(folder / RESULTS)
    except NotCurrent:
        return Trials()


def rows(root: Path, folder: Path, faults: tuple[Fault, ...]) -> list[Row]:
    """Return a row for each fault, from the record; a fault that no longer fits the code is stale."""
    tried, digest = read_trials(folder).tried, cache(_digest)
    return [_row(root, fault, tried.get(fault.id), digest) for fault in faults]


def _row(root: Path, fault: Fault, tried: Tried | None, digest: Callable[[Path], str]) -> Row:
    if tried is None:
        return Row(fault, None, "not tried", "")
    if tried.key != key_of(root, fault, digest):
        return Row(fault, None, "stale: the fault, its file or its tests changed", tried.started)
    return Row(fault, tried.outcome, "", tried.started)


def _digest(path: Path) -> str:
    return sha256_of(path.read_bytes()) if path.is_file() else ""
