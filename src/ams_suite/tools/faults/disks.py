"""Disks that are full, at every size, files that may not grow, and folders that cannot be written."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.suite import Start

CODES = frozenset({0, 2, 3})
ROOM = "64m"


@fault("The disk of the results is full: a file system of so many bytes, swept from too small to large enough.", 40)
def full_disk(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """Where it is full the run says so; once there is room the next one goes on."""
    reference, whole = bench.quick, bench.quick.place()
    least = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    reference.suite.run(whole)
    most = sum(path.stat().st_size + 4096 for path in whole.rglob("*"))
    for number in range(tries):
        out = reference.suite.place()
        size = 8192 + (most - 8192) * number // max(tries - 1, 1)
        with _disk(out, size) as mounted:
            if not mounted:
                yield Try(f"{size} bytes", skipped="no right to mount a file system here")
                return
            if size > least + 8192:
                shutil.copytree(reference.place(), out, dirs_exist_ok=True)
            done = reference.suite.run(out)
            broken = list(reference.after(out, done, CODES))
            subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(out)], check=True)
            yield Try(f"{size} bytes", done.code, (*broken, *reference.mended(out)))


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
def file_size_limit(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """A run that cannot write says so; without the limit the next one goes on."""
    reference = bench.quick
    for number in range(tries):
        limit, out = 2 ** (22 * number // max(tries - 1, 1)) - 1, reference.place()
        done = reference.suite.run(out, Start(limits={resource.RLIMIT_FSIZE: limit}))
        yield Try(f"{limit} bytes", done.code, (*reference.after(out, done, CODES), *reference.mended(out)))


PLACES = ("records", "figures", "studies", "report.html", "ledger.json", "run.json", "paper", ".lock", "../cells")


@fault("Where a file or a folder of the results should be stands the other: a folder, or a file.", 0)
def in_the_way(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """A line says what cannot be written; once it is out of the way the run goes on."""
    reference = bench.quick
    for name in PLACES:
        out = reference.place()
        place = out / reference.suite.profile / name
        place.mkdir() if place.suffix or name == ".lock" else place.write_bytes(b"")
        done = reference.suite.run(out)
        broken = list(reference.after(out, done, {2, 3}, {place.relative_to(out).as_posix(), "cells"}))
        place.rmdir() if place.is_dir() else place.unlink()
        yield Try(name, done.code, (*broken, *reference.mended(out)))
