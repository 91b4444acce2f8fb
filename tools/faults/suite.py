"""What faults are injected into: a small suite of its own; its runs, each in its own process; what
is put into these.

A run is a fork of a server that has imported what runs need: so a moment at random falls on the
work, not on imports. A call that fails, or a clock that jumps, is put in before the run starts; a
plain run has no such code in it.
"""

import datetime
import errno
import io
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from ams_suite.__main__ import main
from tools import ROOT
from verdicts.validation import Frozen

TOYS = ROOT / "tests/verdicts/toy_repository"
PARTS = ("small", "study")
NUMBERS = count()
AHEAD = (
    *("altair", "torch", "typst", "matplotlib.pyplot"),
    *(f"matplotlib.backends.backend_{kind}" for kind in ("agg", "pdf", "svg")),
    *(
        "ams_suite.project",
        "verdicts.report.notebooks",
        "verdicts.report.page",
        "verdicts.report.paper",
    ),
    *("verdicts.run.driver", "verdicts.run.job"),
)
"""What runs need is imported by the server of which they are forks; nothing in it has threads."""
SERVER = get_context("forkserver")
SERVER.set_forkserver_preload([*AHEAD])


class Injection(Frozen):
    """What is put in; as it stands: nothing.

    The `number`-th call (write, fsync, rename) on what lies below `below`, over all processes of a
    run, fails with `error` (a name of `errno`, or KILL: the process is killed then), and with
    `lasting` each later one fails too; number 0: none. `counter` is a file that gets a byte for
    each such call. The clock is `seconds` ahead from its reading number `reading` on. No file may
    grow beyond `largest_file` bytes; 0: without such a limit.
    """

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
            resource.setrlimit(
                resource.RLIMIT_FSIZE,
                (self.largest_file, resource.getrlimit(resource.RLIMIT_FSIZE)[1]),
            )

    def _watch_calls(self) -> None:
        sync, rename, opened = os.fsync, os.replace, io.open

        def watched_sync(descriptor: int) -> None:
            self._count(Path(f"/proc/self/fd/{descriptor}").readlink())
            sync(descriptor)

        def watched_rename(old: Any, new: Any, **more: Any) -> None:
            self._count(new)
            rename(old, new, **more)

        def watched_open(
            file: Any, mode: str = "r", buffering: int = -1, *text: Any, **more: Any
        ) -> Any:
            if not set(mode) & set("wax+") or not self._meant(file):
                return opened(file, mode, buffering, *text, **more)
            return _stream(
                _Watched(file, mode.translate({98: None, 116: None}), self._count),
                mode,
                buffering,
                more,
            )

        vars(os).update(fsync=watched_sync, replace=watched_rename)
        vars(io).update(open=watched_open)

    def _meant(self, place: Any) -> bool:
        return isinstance(place, str | os.PathLike) and Path(place).is_relative_to(self.below)

    def _count(self, place: Any, before: Callable[[], object] = lambda: None) -> None:
        """Count a call; `before` the one that fails, do what is done all the same. Raises
        OSError.
        """
        if not self._meant(place):
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
        self._counted(self.name, lambda: io.FileIO.write(self, view[: len(view) // 2]))
        return super().write(data)


def _stream(raw: io.FileIO, mode: str, buffering: int, text: dict[str, Any]) -> Any:
    """Return what `open` makes of a file."""
    if buffering == 0:
        return raw
    buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, **text)


class RunResult(NamedTuple):
    """How a run ended: its exit code (minus the signal that killed it), and what it said."""

    code: int
    out: str
    err: str


class Running:
    """A run in progress, the leader of a process group of its own; its output goes to the folder
    `said`.
    """

    def __init__(self, root: Path, words: Sequence[str], injection: Injection, said: Path) -> None:
        self._said = said
        self._process = SERVER.Process(target=_work, args=(root, words, injection, said))
        self._process.start()
        self.pid = self._process.pid or 0
        with suppress(ProcessLookupError):
            while os.getpgid(self.pid) != self.pid:  # until then no signal reaches its group
                time.sleep(0.001)

    def signal(self, sent: int, jobs: bool = False) -> None:
        """Send a signal to the run's own process, with `jobs` to its whole group, unless that has
        ended.
        """
        with suppress(ProcessLookupError):
            (os.killpg if jobs else os.kill)(self.pid, sent)

    def ended(self) -> RunResult:
        """Wait for its end."""
        self._process.join()
        texts = [(self._said / name).read_text("utf-8", "replace") for name in ("out", "err")]
        return RunResult(self._process.exitcode or 0, *texts)


@dataclass(frozen=True)
class SystemUnderTest:
    """A suite at `root`; a plain run of it is `ams reproduce --profile PROFILE`. `work` holds what
    attempts make.
    """

    root: Path
    work: Path
    profile: str

    def place(self) -> Path:
        """Return a new place for results."""
        return self.work / f"results-{next(NUMBERS)}"

    def start(
        self, out: Path, injection: Injection | None = None, more: Sequence[str] = ()
    ) -> Running:
        """Start a run whose results go to `out`."""
        said = self.work / f"said-{next(NUMBERS)}"
        said.mkdir(parents=True)
        for name in ("out", "err"):
            (said / name).touch()  # there also where the run is killed before it opens them
        words = ["reproduce", "--profile", self.profile, "--jobs", "2", "--out", str(out), *more]
        return Running(self.root, words, injection or Injection(), said)

    def run(self, out: Path, injection: Injection | None = None) -> RunResult:
        """Run it to its end."""
        return self.start(out, injection).ended()

    def check(self, out: Path) -> RunResult:
        """Ask for every result that is not current."""
        return self.start(out, more=["--check"]).ended()


def small_suite(work: Path, profile: str) -> SystemUnderTest:
    """Write a suite below `work` whose runs take a second or two: two groups, and one with
    cells.
    """
    package = f"suite{next(NUMBERS)}_{os.getpid()}"
    root = work / package
    for folder in (TOYS / part for part in PARTS):
        for source in (each for each in folder.rglob("*") if each.is_file()):
            name = source.relative_to(folder).as_posix().removesuffix(".txt")
            target = root / name.replace("package/", f"{package}/", 1)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text("utf-8").replace("{package}", package), "utf-8")
    return SystemUnderTest(root, work, profile)


def _work(root: Path, words: Sequence[str], injection: Injection, said: Path) -> None:
    """Be a run: lead a group, write to files, be asked to end as by a terminal, and end with the
    command's code.
    """
    os.setsid()
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(said / name, os.O_WRONLY), number)
        setattr(sys, f"std{name}", open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 (a descriptor)
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, signal.default_int_handler if sent == signal.SIGINT else signal.SIG_DFL)
    os.environ |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    os.chdir(root)
    injection.put_in()
    code = main(words)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
