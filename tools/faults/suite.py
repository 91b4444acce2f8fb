"""What faults are injected into: a small suite of its own; its runs, each in its own process.

A run is a fork of a server that has imported what runs need: so a moment at random falls on the work, not on imports.
"""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from time import sleep
from typing import NamedTuple

from ams_suite.__main__ import main
from tools.faults.injection import Injection
from tools.program import ROOT

TOYS = ROOT / "tests/verdicts/toy_repository"
PARTS = ("small", "study")
NUMBERS = count()
SERVER = get_context("forkserver")
SERVER.set_forkserver_preload(["tools.faults.ahead"])


class RunResult(NamedTuple):
    """How a run ended: its exit code (minus the signal that killed it), and what it said."""

    code: int
    out: str
    err: str


class Running:
    """A run in progress, the leader of a process group of its own; its output goes to the folder `said`."""

    def __init__(self, root: Path, words: Sequence[str], injection: Injection, said: Path) -> None:
        self._said = said
        self._process = SERVER.Process(target=_work, args=(root, words, injection, said))
        self._process.start()
        self.pid = self._process.pid or 0
        with suppress(ProcessLookupError):
            while os.getpgid(self.pid) != self.pid:  # until then no signal reaches its group
                sleep(0.001)

    def signal(self, sent: int, jobs: bool = False) -> None:
        """Send a signal to the run's own process, with `jobs` to its whole group, unless that has ended."""
        with suppress(ProcessLookupError):
            (os.killpg if jobs else os.kill)(self.pid, sent)

    def ended(self) -> RunResult:
        """Wait for its end."""
        self._process.join()
        texts = [(self._said / name).read_text("utf-8", "replace") for name in ("out", "err")]
        return RunResult(self._process.exitcode or 0, *texts)


@dataclass(frozen=True)
class SystemUnderTest:
    """A suite at `root`; a plain run of it is `ams reproduce --profile PROFILE`. `work` holds what attempts make."""

    root: Path
    work: Path
    profile: str

    def place(self) -> Path:
        """Return a new place for results."""
        return self.work / f"results-{next(NUMBERS)}"

    def start(self, out: Path, injection: Injection | None = None, more: Sequence[str] = ()) -> Running:
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
    """Write a suite below `work` whose runs take a second or two: two groups, and one with cells."""
    package = f"suite{next(NUMBERS)}_{os.getpid()}"
    root = work / package
    for folder in (TOYS / part for part in PARTS):
        for source in (each for each in folder.rglob("*") if each.is_file()):
            name = source.relative_to(folder).as_posix().removesuffix(".txt")
            target = root / name.replace("package/", f"{package}/", 1)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text("utf-8").replace("{package}", package), "utf-8")
    shutil.copy(ROOT / "Snakefile", root)
    return SystemUnderTest(root, work, profile)


def _work(root: Path, words: Sequence[str], injection: Injection, said: Path) -> None:
    """Be a run: lead a group, write to files, be asked to end as by a terminal, and end with the command's code."""
    os.setsid()
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(said / name, os.O_WRONLY), number)
        setattr(sys, f"std{name}", open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 (a descriptor)
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, signal.default_int_handler if sent == signal.SIGINT else signal.SIG_DFL)
    os.environ |= {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "PYTHONDONTWRITEBYTECODE": "1"}
    os.chdir(root)
    injection.put_in()
    code = main(words)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
