"""Calls that fail: each write, fsync and rename of a run in turn, once, and with all after it, as in SQLite's tests."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

from ams_suite.tools.faults.fault import Bench, Try, add, fault
from ams_suite.tools.faults.injection import Call, Injection
from ams_suite.tools.faults.requirements import Reference
from ams_suite.tools.faults.suite import Start

WAYS = (("EIO", False), ("ENOSPC", True))
"""Which error, and whether it lasts."""
CODES = frozenset({0, 2, 3})


@fault("The run is killed at each write (half of it is written), each fsync and each rename in turn.", 0)
def kill_at_call(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Sweep all calls of a run."""
    reference = bench.quick
    cases = [(call, number, "KILL", False) for call in Call for number in range(1, _count(reference, call) + 1)]
    for case in _chosen(cases, moments, tries):
        yield _tried(reference, *case, codes=frozenset({-9}))


def _swept(bench: Bench, moments: Random, tries: int, *, call: Call) -> Iterator[Try]:
    """Try every call of a kind in each way, or so many of these at random."""
    reference = bench.quick
    cases = [(call, number, *way) for number in range(1, _count(reference, call) + 1) for way in WAYS]
    for case in _chosen(cases, moments, tries):
        yield _tried(reference, *case, codes=CODES)


Case = tuple[Call, int, str, bool]


def _chosen(cases: list[Case], moments: Random, tries: int) -> list[Case]:
    return sorted(moments.sample(cases, tries)) if 0 < tries < len(cases) else cases


def _tried(reference: Reference, call: Call, number: int, error: str, lasting: bool, codes: frozenset[int]) -> Try:
    out = reference.place()
    done = reference.suite.run(out, Start(_injection(out, call, number, error, lasting)))
    broken = [*reference.after(out, done, codes), *reference.mended(out, checked=False)]
    shutil.rmtree(out, ignore_errors=True)
    return Try(f"{call} {number}, {error}{', and from then on' if lasting else ''}", done.code, tuple(broken))


def _count(reference: Reference, call: Call) -> int:
    """Return how many such calls an undisturbed run makes."""
    out = reference.place()
    start = Start(_injection(out, call))
    reference.suite.run(out, start)
    return Path(start.injection.counter).stat().st_size


def _injection(out: Path, call: Call, number: int = 0, error: str = "EIO", lasting: bool = False) -> Injection:
    counter = str(out.with_name(f"{out.name}.calls"))
    return Injection(call=call, number=number, error=error, lasting=lasting, below=str(out), counter=counter)


for _call, _name, _what in (
    (Call.WRITE, "failing-write", "Each write in turn fails after half of its bytes"),
    (Call.SYNC, "failing-fsync", "Each fsync of a file in turn fails"),
    (Call.RENAME, "failing-rename", "Each rename in turn fails"),
    (Call.SYNC_FOLDER, "failing-folder-fsync", "Each fsync of a folder in turn fails"),
):
    add(_name, f"{_what}, once (EIO), and with all after it (ENOSPC).", partial(_swept, call=_call))
