"""One process at a time makes a file: the others wait, and read what it wrote."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def lock_of(path: Path) -> Path:
    """Return the place of the lock of a file: it is there while a process makes that, and after one that was killed."""
    return path.with_suffix(".lock")


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a kernel lock (POSIX) that is named after the file `path`; it ends with the process that holds it.

    It saves work and protects nothing: files are written whole, and equal. So where a file system has no such locks,
    or locks within a node alone, two processes may compute the same; so do two that would wait for each other, which
    the kernel notices.
    """
    held = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(lock_of(path), os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.lockf(held, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if held is not None:
            lock_of(path).unlink(missing_ok=True)
            with suppress(OSError):
                fcntl.lockf(held, fcntl.LOCK_UN)
            os.close(held)
