"""One run at a time: a kernel lock that ends with the process that holds it, however that dies."""

import fcntl
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from verdicts.errors import UserError, writable
from verdicts.records.files import discard_unfinished, make_folder
from verdicts.records.provenance import now

JOBS = ".jobs"
A_DAY = 86400.0


@contextmanager
def one_run_at_a_time(path: Path, clear: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path` (flock); a child that inherits it holds the lock too.

    The file names the holder: process, start, command. Once no other run is in progress, `clear` may end what an
    earlier one has left at work. Raises UserError, with the holder, if another run holds it; if jobs of an earlier run
    are still at work beside it; and where the file cannot be written.
    """
    with ExitStack() as held:
        with writable(path):
            # Unbuffered: what a full disk refuses is not tried again when the file is closed
            stream = held.enter_context(path.open("ab+", buffering=0))
            if not _taken(stream):
                raise UserError(_holder(path))
            stream.truncate(0)
            stream.write(json.dumps({"pid": os.getpid(), "started": now(), "command": shlex.join(sys.argv)}).encode())
        clear()
        with writable(path), path.with_name(JOBS).open("ab") as jobs:
            if not _taken(jobs):
                advice = "wait for them, or give another place with --out DIR"
                raise UserError(f"jobs of a run that died are still at work in {path.parent}; {advice}")
        yield


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Let a job that outlives its run keep the next one from `folder`, which is made. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / JOBS).open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        yield


@contextmanager
def sharing(folder: Path) -> Iterator[None]:
    """Be `at_work` in a folder that several runs write to, rid of what killed ones have left there. Raises OSError.

    That nobody else is at work there is known while nobody can begin; else what is a day old is left by nobody alive.
    """
    make_folder(folder)
    with (folder / JOBS).open("ab") as stream:
        discard_unfinished(folder, older_than=0.0 if _taken(stream) else A_DAY)
    with at_work(folder):
        yield


def _taken(stream: IO[bytes]) -> bool:
    """Take the lock of an open file for this process alone; return whether nobody else has it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {held['pid']}, since {held['started']}: {held['command']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "it has not said whose yet"
    return f"another run is in progress in {path.parent} ({who}); wait for it, or give another place with --out DIR"
