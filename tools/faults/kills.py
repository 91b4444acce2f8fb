"""Runs that are killed or interrupted at random moments, and calls that fail: each write, fsync and rename in turn.

A call fails once, or with all after it, as in SQLite's tests.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random

import psutil  # type: ignore[import-untyped]

from tools.faults.requirements import INTERRUPTED, Attempt, Files, Reference, Undisturbed, fault, files_of
from tools.faults.suite import Injection, Running

KILLED = frozenset({0, 1, -signal.SIGKILL})
ENDED = frozenset({0, 1})
FAILED = (("EIO", False), ("ENOSPC", True))
"""Which error a call that fails has, and whether it lasts."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@fault("The whole run, its jobs included, is killed (SIGKILL) at a random moment; then so is the next one.", 50)
def kill_group(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Kill a run in one process and one with jobs, in turn, each twice; then let it end."""
    for number in range(tries):
        reference = (suite.quick, suite.jobs)[number % 2]
        out, broken, before = reference.place(), list[str](), Files()
        for _ in range(2):
            run, moment = _begun(reference, out, moments)
            run.signal(signal.SIGKILL, jobs=True)
            done = run.ended()
            broken += [*reference.after(out, done, KILLED), *reference.lost(before, out)]
            before = files_of(out, reference.suite.profile)
        broken += reference.mended(out)
        yield Attempt(f"{reference.suite.profile} after {moment:.2f} s", done.code, tuple(broken))
        shutil.rmtree(out, ignore_errors=True)


@fault("The driver of a run with jobs is killed (SIGKILL) at a random moment; its jobs go on without it.", 20)
def kill_driver(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """While jobs are still at work the next run is refused with 2; after they have ended it goes on."""
    reference = suite.jobs
    for _ in range(tries):
        out = reference.place()
        run, moment = _begun(reference, out, moments)
        run.signal(signal.SIGKILL)
        done = run.ended()
        again = reference.suite.run(out)
        broken = [*reference.after(out, done, KILLED), *reference.after(out, again, {reference.code, 2})]
        if again.code == 2 and "still at work" not in again.err and "another run is in progress" not in again.err:
            broken.append(f"refused for another reason: {again.err}")
        psutil.wait_procs(_alive(run), timeout=60)
        yield Attempt(f"after {moment:.2f} s, next {again.code}", done.code, (*broken, *reference.mended(out)))


@fault("A run is interrupted (SIGINT, SIGTERM, SIGHUP) at a random moment after its start.", 30)
def interrupt(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """It stops its jobs and ends with 130; one that was over ends as it would."""
    for number in range(tries):
        reference, sent = (suite.quick, suite.jobs)[number % 2], SIGNALS[number % 3]
        out = reference.place()
        run, moment = _begun(reference, out, moments)
        run.signal(sent)
        done = run.ended()
        broken = list(reference.after(out, done, ENDED | INTERRUPTED))
        if left := _alive(run):
            broken.append(f"{len(left)} processes outlive it")
        yield Attempt(f"{sent.name} after {moment:.2f} s", done.code, (*broken, *reference.mended(out)))


def _begun(reference: Reference, out: Path, moments: Random) -> tuple[Running, float]:
    """Start a run, and wait for a random moment of the time that an undisturbed one takes."""
    moment = moments.uniform(0, reference.seconds)
    run = reference.suite.start(out)
    time.sleep(moment)
    return run, moment


def _alive(run: Running) -> list[psutil.Process]:
    """Return the processes of the run's group that are at work."""
    alive = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == run.pid and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


@fault("The run is killed at each write (half of it is written), each fsync and each rename in turn.")
def kill_at_call(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Sweep all calls of a run."""
    yield from _swept(suite.quick, moments, tries, (("KILL", False),), frozenset({-9}))


@fault("Each write (after half of it), fsync and rename in turn fails, once (EIO), and with all after it (ENOSPC).")
def failing_call(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Sweep all calls of a run."""
    yield from _swept(suite.quick, moments, tries, FAILED, frozenset({0, 2, 3}))


def _swept(
    reference: Reference, moments: Random, tries: int, ways: tuple[tuple[str, bool], ...], codes: frozenset[int]
) -> Iterator[Attempt]:
    """Try every call in each way, or so many of them at random."""
    cases = list(product(range(1, _count(reference) + 1), ways))
    for number, (error, lasting) in moments.sample(cases, tries) if 0 < tries < len(cases) else cases:
        out = reference.place()
        done = reference.suite.run(out, _injection(out, number, error, lasting))
        broken = [*reference.after(out, done, codes), *reference.mended(out, checked=False)]
        shutil.rmtree(out, ignore_errors=True)
        yield Attempt(f"call {number}, {error}{', and from then on' if lasting else ''}", done.code, tuple(broken))


def _count(reference: Reference) -> int:
    """Return how many writes, fsyncs and renames an undisturbed run makes."""
    out = reference.place()
    injection = _injection(out)
    Path(injection.counter).touch()
    reference.suite.run(out, injection)
    return Path(injection.counter).stat().st_size


def _injection(out: Path, number: int = 0, error: str = "EIO", lasting: bool = False) -> Injection:
    counter = str(out.with_name(f"{out.name}.calls"))
    return Injection(number=number, error=error, lasting=lasting, below=str(out), counter=counter)
