"""The faults: a world that is wrong, runs that are killed or interrupted, and calls that fail.

Wrong worlds have results that are damaged or lost, disks that are full, clocks that jump. Runs are
killed at random moments. Each write, fsync and rename fails in turn, once or with all after it, as
in SQLite's tests.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from random import Random

import psutil  # type: ignore[import-untyped]

from tools.faults.requirements import (
    INTERRUPTED,
    NO_RESULT,
    Attempt,
    Files,
    Reference,
    Undisturbed,
    fault,
    files_of,
)
from tools.faults.suite import Injection, Running

UNSEEN = ("published.json", *NO_RESULT[2:])
"""What `--check` does not look at: it has no result in it."""
INNER, OUTER = "/study/start/", "cells/*/gamma/study/outcome/*"
"""Cells that only others ask for, and these: `--check` does not read the inner ones, only who
computes an outer one.
"""
CODES = frozenset({0, 2, 3})
ROOM = "64m"
DAY = 86400.0
MOVES = (60.0, 3652 * DAY, -3600.0, DAY - time.time())
"""Seconds by which a clock is moved: a minute or ten years ahead, an hour behind, to 1970."""
READINGS = 24  # of the clock, in a run of the small suite
KILLED = frozenset({0, 1, -signal.SIGKILL})
ENDED = frozenset({0, 1})
FAILED = (("EIO", False), ("ENOSPC", True))
"""Which error a call that fails has, and whether it lasts."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _edited(path: Path, moments: Random) -> None:
    """Change one bit."""
    raw = bytearray(path.read_bytes())
    raw[moments.randrange(len(raw))] ^= 1 << moments.randrange(8)
    path.write_bytes(raw)


def _exchanged(path: Path, moments: Random) -> None:
    """Write what another file of its kind near it holds; nothing where there is none."""
    near = {
        each.read_bytes() for each in path.parents[1].rglob(f"*{path.suffix}") if each.is_file()
    }
    path.write_bytes(moments.choice(sorted(near - {path.read_bytes()}) or [b""]))


KINDS: dict[str, Callable[[Path, Random], object]] = {
    "cut short": lambda path, moments: path.write_bytes(
        path.read_bytes()[: moments.randrange(path.stat().st_size)]
    ),
    "emptied": lambda path, moments: path.write_bytes(b""),
    "zeroed": lambda path, moments: path.write_bytes(bytes(path.stat().st_size)),
    "one bit changed": _edited,
    "exchanged": _exchanged,
    "lost": lambda path, moments: path.unlink(),
}


@fault(
    "A file of whole results is cut short, emptied, zeroed or lost, holds what another "
    "should, or one bit is changed."
)
def damaged_file(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Every file in every way: `--check` names its claim, group or document, and the next run makes
    it again.
    """
    reference, whole = suite.quick, _whole(suite.quick)
    cases = list(product(_files(whole), KINDS))
    for name, kind in sorted(moments.sample(cases, tries)) if 0 < tries < len(cases) else cases:
        out = _copy(reference, whole)
        if (out / name).stat().st_size:
            KINDS[kind](out / name, moments)
            yield _noticed(reference, out, f"{name} {kind}", {name})


@fault("A random part of the files of whole results is lost, as after a loss of power.", 30)
def lost_files(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """The next run computes what is lost."""
    reference, whole = suite.quick, _whole(suite.quick)
    for _ in range(tries):
        out, share = _copy(reference, whole), moments.random()
        gone = [name for name in _files(whole) if moments.random() < share]
        for name in gone:
            (out / name).unlink()
        yield _noticed(reference, out, f"{len(gone)} files", set(gone))


def _whole(reference: Reference) -> Path:
    out = reference.suite.place()
    reference.suite.run(out)
    return out


def _copy(reference: Reference, whole: Path) -> Path:
    return Path(shutil.copytree(whole, reference.suite.place()))


def _files(out: Path, pattern: str = "**/*") -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.glob(pattern) if path.is_file())


def _words(name: str) -> set[str]:
    """Return the words of a file's place of which `--check` uses one: a claim, a group, the
    document itself.
    """
    place = Path(name)
    words = {place.stem, *place.parts[1:-1]} - {
        "records",
        "figures",
        "studies",
        "cells",
        "study",
        "notebooks",
    }
    return words if place.stem != "run" else {"ledger"}  # which says what the last run computed


def _noticed(reference: Reference, out: Path, case: str, spoilt: set[str]) -> Attempt:
    """Ask what is not current, then run; what is `spoilt` and seen is named."""
    broken, seen = [], {name for name in spoilt if not (name.endswith(UNSEEN) or INNER in name)}
    checked = reference.suite.check(out)
    if checked.code != (1 if seen else 0) or "Traceback" in checked.err:
        broken.append(
            f"--check ended with {checked.code}: "
            f"{(checked.out + checked.err).strip().splitlines()[-1:]}"
        )
    for name in sorted(seen):
        if not any(word in checked.out for word in _words(name)):
            broken.append(f"--check does not name {name}: {checked.out.strip().splitlines()[:1]}")
    for path in out.glob(OUTER) if any(INNER in name for name in spoilt) else ():
        path.unlink()
    done = reference.suite.run(out)
    broken += [*reference.after(out, done, {reference.code}, spoilt), *reference.mended(out)]
    shutil.rmtree(out, ignore_errors=True)
    return Attempt(case, done.code, tuple(broken))


@fault(
    (
        "The disk of the results is full: a file system of so many bytes, swept from too small "
        "to large enough."
    ),
    40,
)
def full_disk(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Where it is full the run says so; once there is room the next one goes on."""
    reference, whole = suite.quick, suite.quick.suite.place()
    reference.suite.run(whole)
    most = sum(path.stat().st_size + 4096 for path in whole.rglob("*"))
    for number in range(tries):
        out, size = reference.suite.place(), 8192 + (most - 8192) * number // max(tries - 1, 1)
        with _disk(out, size) as mounted:
            if not mounted:
                yield Attempt(f"{size} bytes", skipped="no right to mount a file system here")
                return
            done = reference.suite.run(out)
            broken = list(reference.after(out, done, CODES))
            subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(out)], check=True)
            yield Attempt(f"{size} bytes", done.code, (*broken, *reference.mended(out)))


@contextmanager
def _disk(place: Path, size: int) -> Iterator[bool]:
    """Mount a file system of `size` bytes; yield whether that could be done."""
    place.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    mounted = (
        shutil.which("mount") is not None
        and subprocess.run(mount, capture_output=True).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


@fault(
    "No file may grow beyond so many bytes (ulimit -f), swept from none to all that a run writes.",
    30,
)
def file_size_limit(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """A run that cannot write says so; without the limit the next one goes on."""
    reference = suite.quick
    for number in range(tries):
        limit, out = 2 ** (22 * number // max(tries - 1, 1)), reference.suite.place()
        done = reference.suite.run(out, Injection(largest_file=limit))
        yield Attempt(
            f"{limit} bytes",
            done.code,
            (*reference.after(out, done, CODES), *reference.mended(out)),
        )


@fault(
    (
        "The clock of a run is wrong, by a minute to decades, from its start or from one of "
        "its readings on."
    ),
    24,
)
def wrong_clock(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """No verdict and no value is another, in that run or in the next, whose clock is right; then
    the other way round.

    Which run made a result is known by the run's id, so that no time of day makes an older one look
    current.
    """
    reference = suite.quick
    for number in range(tries):
        seconds, reading = (
            MOVES[number % len(MOVES)],
            moments.choice((0, moments.randrange(1, READINGS))),
        )
        out = reference.suite.place()
        first = number // len(MOVES) % 2 == 0
        turns = (Injection(seconds=seconds, reading=reading), Injection())[:: 1 if first else -1]
        ends = [reference.suite.run(out, injection) for injection in turns]
        broken = [line for done in ends for line in reference.after(out, done, {reference.code, 3})]
        case = (
            f"{seconds:+.0f} s from reading {reading} on, in the "
            f"{'first' if first else 'second'} run"
        )
        yield Attempt(case, ends[-1].code, (*broken, *reference.mended(out)))


@fault(
    (
        "The whole run, its jobs included, is killed (SIGKILL) at a random moment; then so is "
        "the next one."
    ),
    50,
)
def kill_group(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Kill a run in one process and one with jobs, in turn, each twice; then let it end."""
    for number in range(tries):
        reference = (suite.quick, suite.jobs)[number % 2]
        out, broken, before = reference.suite.place(), list[str](), Files()
        for _ in range(2):
            run, moment = _begun(reference, out, moments)
            run.signal(signal.SIGKILL, jobs=True)
            done = run.ended()
            broken += [*reference.after(out, done, KILLED), *reference.lost(before, out)]
            before = files_of(out, reference.suite.profile)
        broken += reference.mended(out)
        yield Attempt(f"{reference.suite.profile} after {moment:.2f} s", done.code, tuple(broken))
        shutil.rmtree(out, ignore_errors=True)


@fault(
    (
        "The driver of a run with jobs is killed (SIGKILL) at a random moment; its jobs go on "
        "without it."
    ),
    20,
)
def kill_driver(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """While jobs are still at work the next run is refused with 2; after they have ended it goes
    on.
    """
    reference = suite.jobs
    for _ in range(tries):
        out = reference.suite.place()
        run, moment = _begun(reference, out, moments)
        run.signal(signal.SIGKILL)
        done = run.ended()
        again = reference.suite.run(out)
        broken = [
            *reference.after(out, done, KILLED),
            *reference.after(out, again, {reference.code, 2}),
        ]
        if (
            again.code == 2
            and "still at work" not in again.err
            and "another run is in progress" not in again.err
        ):
            broken.append(f"refused for another reason: {again.err}")
        psutil.wait_procs(_alive(run), timeout=60)
        yield Attempt(
            f"after {moment:.2f} s, next {again.code}", done.code, (*broken, *reference.mended(out))
        )


@fault("A run is interrupted (SIGINT, SIGTERM, SIGHUP) at a random moment after its start.", 30)
def interrupt(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """It stops its jobs and ends with 130; one that was over ends as it would."""
    for number in range(tries):
        reference, sent = (suite.quick, suite.jobs)[number % 2], SIGNALS[number % 3]
        out = reference.suite.place()
        run, moment = _begun(reference, out, moments)
        run.signal(sent)
        done = run.ended()
        broken = list(reference.after(out, done, ENDED | INTERRUPTED))
        if left := _alive(run):
            broken.append(f"{len(left)} processes outlive it")
        yield Attempt(
            f"{sent.name} after {moment:.2f} s", done.code, (*broken, *reference.mended(out))
        )


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
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == run.pid and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


@fault(
    "The run is killed at each write (half of it is written), each fsync and each rename in turn."
)
def kill_at_call(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Sweep all calls of a run."""
    yield from _swept(suite.quick, moments, tries, (("KILL", False),), frozenset({-9}))


@fault(
    "Each write (after half of it), fsync and rename in turn fails, once (EIO), and with "
    "all after it (ENOSPC)."
)
def failing_call(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Sweep all calls of a run."""
    yield from _swept(suite.quick, moments, tries, FAILED, frozenset({0, 2, 3}))


def _swept(
    reference: Reference,
    moments: Random,
    tries: int,
    ways: tuple[tuple[str, bool], ...],
    codes: frozenset[int],
) -> Iterator[Attempt]:
    """Try every call in each way, or so many of them at random."""
    cases = list(product(range(1, _count(reference) + 1), ways))
    for number, (error, lasting) in (
        moments.sample(cases, tries) if 0 < tries < len(cases) else cases
    ):
        out = reference.suite.place()
        done = reference.suite.run(out, _injection(out, number, error, lasting))
        broken = [*reference.after(out, done, codes), *reference.mended(out, checked=False)]
        shutil.rmtree(out, ignore_errors=True)
        yield Attempt(
            f"call {number}, {error}{', and from then on' if lasting else ''}",
            done.code,
            tuple(broken),
        )


def _count(reference: Reference) -> int:
    """Return how many writes, fsyncs and renames an undisturbed run makes."""
    out = reference.suite.place()
    injection = _injection(out)
    Path(injection.counter).touch()
    reference.suite.run(out, injection)
    return Path(injection.counter).stat().st_size


def _injection(out: Path, number: int = 0, error: str = "EIO", lasting: bool = False) -> Injection:
    counter = str(out.with_name(f"{out.name}.calls"))
    return Injection(number=number, error=error, lasting=lasting, below=str(out), counter=counter)
