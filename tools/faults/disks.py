"""Disks that are full, at every size, and files that may not grow."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tools.faults.fault import Attempt, Undisturbed, fault
from tools.faults.injection import Injection

CODES = frozenset({0, 2, 3})
ROOM = "64m"


@fault("The disk of the results is full: a file system of so many bytes, swept from too small to large enough.", 40)
def full_disk(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """Where it is full the run says so; once there is room the next one goes on."""
    reference, whole = suite.quick, suite.quick.place()
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
    mounted = shutil.which("mount") is not None and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


@fault("No file may grow beyond so many bytes (ulimit -f), swept from none to all that a run writes.", 30)
def file_size_limit(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """A run that cannot write says so; without the limit the next one goes on."""
    reference = suite.quick
    for number in range(tries):
        limit, out = 2 ** (22 * number // max(tries - 1, 1)), reference.place()
        done = reference.suite.run(out, Injection(largest_file=limit))
        yield Attempt(f"{limit} bytes", done.code, (*reference.after(out, done, CODES), *reference.mended(out)))
