"""Calls that fail: each write, fsync and rename of a run in turn, once, and with all after it, as in SQLite's tests."""

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random

from tools.faults.fault import Attempt, Undisturbed, fault
from tools.faults.injection import Call, Injection
from tools.faults.requirements import Reference

KILLED = (("KILL", False),)
FAILED = (("EIO", False), ("ENOSPC", True))
"""Which error, and whether it lasts."""


@fault("The run is killed at each write (half of it is written), each fsync and each rename in turn.")
def kill_at_call(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Sweep all calls of a run."""
    yield from _swept(suite.quick, moments, tries, KILLED, frozenset({-9}))


@fault("Each write (after half of it), fsync and rename in turn fails, once (EIO), and with all after it (ENOSPC).")
def failing_call(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Sweep all calls of a run."""
    yield from _swept(suite.quick, moments, tries, FAILED, frozenset({0, 2, 3}))


def _swept(
    reference: Reference, moments: Random, tries: int, ways: tuple[tuple[str, bool], ...], codes: frozenset[int]
) -> Iterator[Attempt]:
    """Try every call in each way, or so many of them at random."""
    calls = [(call, number) for call in Call for number in range(1, _count(reference, call) + 1)]
    cases = list(product(calls, ways))
    for (call, number), (error, lasting) in moments.sample(cases, tries) if 0 < tries < len(cases) else cases:
        out = reference.place()
        done = reference.suite.run(out, _injection(out, call, number, error, lasting))
        broken = [*reference.after(out, done, codes), *reference.mended(out, checked=False)]
        shutil.rmtree(out, ignore_errors=True)
        yield Attempt(f"{call} {number}, {error}{', and from then on' if lasting else ''}", done.code, tuple(broken))


def _count(reference: Reference, call: Call) -> int:
    """Return how many such calls an undisturbed run makes."""
    out = reference.place()
    injection = _injection(out, call)
    Path(injection.counter).touch()
    reference.suite.run(out, injection)
    return Path(injection.counter).stat().st_size


def _injection(out: Path, call: Call, number: int = 0, error: str = "EIO", lasting: bool = False) -> Injection:
    counter = str(out.with_name(f"{out.name}.calls"))
    return Injection(call=call, number=number, error=error, lasting=lasting, below=str(out), counter=counter)
