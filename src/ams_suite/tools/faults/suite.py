"""What faults are injected into: a small suite of its own, or groups of this one; its runs, each in its own process.

A run of the small suite is a fork of this process, which has imported what runs need: so a moment at random falls on
the work, not on imports. What is part of an interpreter's start (its flags, its streams) needs a fresh one.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ams_suite.tools.faults.injection import Injection, ams
from verdicts.run.workers import SIGNALS

TOYS = Path("tests/verdicts/toy_repository")
PATIENCE = 3600.0
NUMBERS = count()
NOTHING = Injection()


class RunResult(NamedTuple):
    """How a run ended: its exit code (minus the signal that killed it), and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Start:
    """How a run is started: the `injection`, the `words` after those of a plain run, and what surrounds it.

    `variables` that are None are taken away. `flags` are Python's, `before` is a command that runs it, `streams` is
    how a shell directs its streams: each makes it a fresh process. `limits` are of `resource.setrlimit`.
    """

    injection: Injection = NOTHING
    words: tuple[str, ...] = ()
    variables: Mapping[str, str | None] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    streams: str = ""
    limits: Mapping[int, int] = field(default_factory=dict)
    umask: int = -1
    folder: Path | None = None
    fresh: bool = False

    @property
    def forks(self) -> bool:
        """Return whether a fork of this process will do."""
        return not (self.fresh or self.flags or self.before or self.streams)


class Running:
    """A run in progress, the leader of a process group of its own."""

    def __init__(self, pid: int, said: Path) -> None:
        self.pid, self._said = pid, said

    def signal(self, sent: int) -> None:
        """Send a signal to the run's own process."""
        os.kill(self.pid, sent)

    def signal_group(self, sent: int) -> None:
        """Send a signal to the run's process and to its jobs."""
        os.killpg(self.pid, sent)

    def ended(self) -> RunResult:
        """Wait for its end; after an hour it is killed."""
        end = time.monotonic() + PATIENCE
        while not (status := os.waitpid(self.pid, os.WNOHANG))[0]:
            if time.monotonic() > end:
                self.signal_group(signal.SIGKILL)
            time.sleep(0.005)
        texts = [path.read_text("utf-8", "replace") for path in (self._said / "out", self._said / "err")]
        return RunResult(os.waitstatus_to_exitcode(status[1]), *texts)


@dataclass(frozen=True)
class Suite:
    """A suite at `root`; a plain run of it is `ams WORDS --out FOLDER`. `work` holds what its trials make."""

    root: Path
    work: Path
    words: tuple[str, ...]
    fresh: bool = False

    @property
    def profile(self) -> str:
        """Return the profile of its runs."""
        return self.words[self.words.index("--profile") + 1]

    def place(self) -> Path:
        """Return a new place for results."""
        return self.work / f"results-{next(NUMBERS)}"

    def start(self, out: Path | None, start: Start | None = None, command: Sequence[str] = ()) -> Running:
        """Start a run whose results go to `out` (None: where the suite puts them), or another `command` on them."""
        start = start or Start()
        said = self.work / f"said-{next(NUMBERS)}"
        said.mkdir(parents=True)
        for name in ("out", "err"):
            (said / name).touch()  # there also where the run is killed before it opens them
        words = [*(command or self.words), *start.words, *(["--out", str(out)] if out else [])]
        forks = start.forks and not self.fresh and _threads() == 1  # a fork of several may wait for a lock for ever
        pid = (_forked if forks else _spawned)(words, start, said, start.folder or self.root)
        while os.getpgid(pid) != pid:  # until then no signal reaches its group
            time.sleep(0.001)
        return Running(pid, said)

    def run(self, out: Path | None, start: Start | None = None, command: Sequence[str] = ()) -> RunResult:
        """Run it to its end."""
        return self.start(out, start, command).ended()

    def check(self, out: Path, start: Start | None = None) -> RunResult:
        """Ask for every result that is not current."""
        return self.run(out, start, (*self.words, "--check"))


def small_suite(
    repository: Path, work: Path, profile: str = "quick", parts: Sequence[str] = ("small", "study")
) -> Suite:
    """Write a suite below `work` whose runs take a second or two.

    `parts` are folders of `TOYS`: `small` has two groups, `study` one with cells, `data` one that reads a file.
    """
    package = f"suite{next(NUMBERS)}_{os.getpid()}"
    root = work / package
    for source in (each for part in parts for each in (repository / TOYS / part).rglob("*") if each.is_file()):
        part = next(part for part in parts if source.is_relative_to(repository / TOYS / part))
        name = source.relative_to(repository / TOYS / part).as_posix().removesuffix(".txt")
        target = root / name.replace("package/", f"{package}/", 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text("utf-8").replace("{package}", package), "utf-8")
    shutil.copy(repository / "Snakefile", root)
    return Suite(root, work, ("reproduce", "--profile", profile, "--jobs", "2"))


def import_ahead() -> None:
    """Import what runs of the small suite need, so that forks have it; start nothing that has threads."""
    import altair  # noqa: F401
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_pdf
    import matplotlib.backends.backend_svg
    import matplotlib.pyplot  # noqa: F401
    import torch  # noqa: F401
    import typst  # noqa: F401

    from ams_suite.project import PROJECT  # noqa: F401
    from verdicts.report import notebooks, page, paper, templating, views  # noqa: F401
    from verdicts.run import driver, job  # noqa: F401

    templating.compile_ahead()


def _threads() -> int:
    """Return how many threads this process has, those of libraries too; 0 where that cannot be known."""
    try:
        return len([*Path("/proc/self/task").iterdir()])
    except OSError:
        return 0


def _forked(words: Sequence[str], start: Start, said: Path, folder: Path) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # what one raises within a fork is dropped
    if pid := os.fork():
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    code = 70
    try:
        _surround(start, said, folder)
        for number, name in ((1, "stdout"), (2, "stderr")):
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 (a descriptor)
        start.injection.put_in()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        code = ams(words)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _spawned(words: Sequence[str], start: Start, said: Path, folder: Path) -> int:
    plain = start.injection == NOTHING
    module = ["ams_suite"] if plain else ["ams_suite.tools.faults.injection", start.injection.model_dump_json()]
    command = [*start.before, sys.executable, *start.flags, "-m", *module, *words]
    if start.streams:
        command = ["bash", "-c", f'exec "$@" {start.streams}', "run", *command]
    process = subprocess.Popen(command, cwd=folder, preexec_fn=lambda: _surround(start, said, folder))
    process.returncode = 0  # `Running` waits for it
    return process.pid


def _surround(start: Start, said: Path, folder: Path) -> None:
    """Give this new process its group, streams, variables, folder and limits."""
    os.setsid()
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT, 0o644), number)
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, signal.default_int_handler if sent == signal.SIGINT else signal.SIG_DFL)
    code = os.pathsep.join(map(str, _code()))
    for name, value in {"PYTHONPATH": code, "PYTHONDONTWRITEBYTECODE": "1", **start.variables}.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    os.chdir(folder)
    if start.umask >= 0:
        os.umask(start.umask)
    for kind, limit in start.limits.items():
        resource.setrlimit(kind, (limit, resource.getrlimit(kind)[1]))


def _code() -> tuple[Path, Path]:
    """Return where the packages and the groups of the running code lie."""
    source = Path(__file__).resolve().parents[3]
    return source, source.parent
