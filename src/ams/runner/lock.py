"""One run at a time: a kernel lock that ends with the process that holds it, however that dies."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ams.ledger.problems import InputProblem
from ams.ledger.provenance import now


@contextmanager
def one_run_at_a_time(path: Path) -> Iterator[int]:
    """Hold the lock file `path` (flock) and yield its descriptor; a child that inherits it holds the lock too.

    The file names the holder: process, start, command. Raises InputProblem, with that, if another run holds it.
    """
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputProblem(_holder(path)) from error
        stream.seek(0)
        stream.truncate()
        json.dump({"pid": os.getpid(), "started": now(), "command": shlex.join(sys.argv)}, stream)
        stream.flush()
        yield stream.fileno()


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {held['pid']}, since {held['started']}: {held['command']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "it has not said whose yet"
    return f"another run is in progress in {path.parent} ({who}); wait for it, or give another place with --out DIR"
