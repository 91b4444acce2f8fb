"""What is put into a run before it starts, in its own process: a call that fails, a clock that jumps.

A plain run has no such code in it.
"""

import datetime
import errno
import io
import os
import resource
import signal
import time
from collections.abc import Callable
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

from verdicts.validation import Frozen


class Call(StrEnum):
    """What a program asks of a file system to write a file whole; fsync of files and of folders."""

    WRITE = "write"
    SYNC = "fsync"
    RENAME = "rename"


class Injection(Frozen):
    """What is put in; as it stands: nothing.

    The `number`-th `call` on what lies below `below`, over all processes of a run, fails with `error` (a name of
    `errno`, or KILL: the process is killed then), and with `lasting` each later one of that kind fails too; number 0:
    none. `counter` is a file that gets a byte for each such call. The clock is `seconds` ahead from its reading number
    `reading` on. No file may grow beyond `largest_file` bytes; 0: without such a limit.
    """

    call: Call = Call.WRITE
    number: int = 0
    error: str = "ENOSPC"
    lasting: bool = False
    below: str = ""
    counter: str = ""
    seconds: float = 0.0
    reading: int = 0
    largest_file: int = 0

    def put_in(self) -> None:
        """Let the rest of this process, and its forks, run with it."""
        if self.below:
            self._watch_calls()
        if self.seconds:
            self._move_clock()
        if self.largest_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest_file, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def _watch_calls(self) -> None:
        sync, rename, opened = os.fsync, os.replace, io.open

        def watched_sync(descriptor: int) -> None:
            self._count(Call.SYNC, Path(f"/proc/self/fd/{descriptor}").readlink())
            sync(descriptor)

        def watched_rename(old: Any, new: Any, **more: Any) -> None:
            self._count(Call.RENAME, new)
            rename(old, new, **more)

        def watched_open(file: Any, mode: str = "r", buffering: int = -1, *text: Any, **more: Any) -> Any:
            if not set(mode) & set("wax+") or not self._meant(file):
                return opened(file, mode, buffering, *text, **more)
            return _stream(_Watched(file, mode.translate({98: None, 116: None}), self._count), mode, buffering, more)

        vars(os).update(fsync=watched_sync, replace=watched_rename)
        vars(io).update(open=watched_open)

    def _meant(self, place: Any) -> bool:
        return isinstance(place, str | os.PathLike) and Path(place).is_relative_to(self.below)

    def _count(self, call: Call, place: Any, before: Callable[[], object] = lambda: None) -> None:
        """Count a call; `before` the one that fails, do what is done all the same. Raises OSError."""
        if call is not self.call or not self._meant(place):
            return
        descriptor = os.open(self.counter, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, b".")
        number = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.close(descriptor)
        if number == self.number or (self.lasting and number > self.number > 0):
            before()
            if self.error == "KILL":
                os.kill(os.getpid(), signal.SIGKILL)
            code = getattr(errno, self.error)
            raise OSError(code, os.strerror(code), str(place))

    def _move_clock(self) -> None:
        from verdicts.records import provenance

        readings, read = count(), time.time

        def ahead() -> float:
            return self.seconds if next(readings) >= self.reading else 0.0

        class Moved(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Any:
                return datetime.datetime.now(tz) + datetime.timedelta(seconds=ahead())

        vars(provenance).update(datetime=Moved)
        vars(time).update(time=lambda: read() + ahead())


class _Watched(io.FileIO):
    """A file whose writes are counted; of the one that fails, half of its bytes are written."""

    def __init__(self, file: Any, mode: str, count: Callable[..., None]) -> None:
        super().__init__(file, mode)
        self._counted = count

    def write(self, data: Any) -> int:
        """Write, unless it is this call that fails. Raises OSError."""
        view = memoryview(data).cast("B")
        self._counted(Call.WRITE, self.name, lambda: io.FileIO.write(self, view[: len(view) // 2]))
        return super().write(data)


def _stream(raw: io.FileIO, mode: str, buffering: int, text: dict[str, Any]) -> Any:
    """Return what `open` makes of a file."""
    if buffering == 0:
        return raw
    buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, **text)
