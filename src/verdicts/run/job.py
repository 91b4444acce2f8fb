"""One job of a run, in a process of its own: a worker's, or one on a cluster.

On a cluster it is `python -m verdicts.run.job`. One run at a time works in a folder: a kernel lock
ends with the process that holds it, however that dies, and with its forks. A job only shows that it
is at work on cells, which several runs share. A check that fails is recorded, not signalled there,
so that the jobs after it still run: the exit code is 3 only where a result could not be written, 2
for bad input.
"""

import fcntl
import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import tyro

from verdicts.claims.schema import Profile
from verdicts.errors import UserError, code_of, writable
from verdicts.records.files import discard_unfinished, make_folder
from verdicts.records.provenance import now
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace, project_at
from verdicts.run.checks import run_share
from verdicts.run.drawing import make_page
from verdicts.run.group import complaining, loader, run_group
from verdicts.run.plan import plan_of
from verdicts.studies.study import CELLS

JOBS = ".jobs"
A_DAY = 86400.0


@contextmanager
def one_run_at_a_time(path: Path, clear: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path` (flock), which says whose it is; a child that inherits it holds it
    too.

    Once no other run is in progress, `clear` may end what an earlier one has left at work. Raises
    UserError if another run holds it, and where the file cannot be written.
    """
    with ExitStack() as held:
        with writable(path):
            # Unbuffered: what a full disk refuses is not tried again when the file is closed
            stream = held.enter_context(path.open("ab+", buffering=0))
            if not _taken(stream):
                holder = (
                    path.read_text(encoding="utf-8", errors="backslashreplace")
                    or "of a run that begins"
                )
                raise UserError(
                    f"another run is in progress in {path.parent} ({holder}); wait for it, or give "
                    "another place with --out DIR"
                )
            stream.truncate(0)
            command = shlex.join(sys.argv)
            stream.write(os.fsencode(f"process {os.getpid()}, since {now()}: {command}"))
        clear()
        yield


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Show that this process may write into `folder`, which is made. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / JOBS).open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        yield


@contextmanager
def sharing(folder: Path) -> Iterator[None]:
    """Be `at_work` in a folder that several runs write to, rid of what killed ones have left there.

    That nobody else is at work there is known while nobody can begin; else what is a day old is
    left by nobody alive. Raises OSError.
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


def spare_memory_calls() -> None:
    """Let this process keep what it frees, and look for cycles of objects seldom.

    glibc returns freed blocks to the system, and a network asks for them again, which takes a fifth
    of an evaluation. A large piece that is freed makes glibc keep up to twice as much (mallopt(3),
    M_MMAP_THRESHOLD). Lists of many runs' steps have no cycles, and take half less time so.
    """
    bytearray(2**24)
    gc.set_threshold(20_000, 20, 50)


@dataclass(frozen=True)
class Job:
    """One job's work: a share of a group's study, its records and figures, or its notebook page."""

    work: tyro.conf.Positional[Literal["study", "checks", "page"]]
    """Which."""
    root: Path
    """The repository."""
    profile: Profile
    """Which configuration."""
    out: Path
    """The folder above the profile's results."""
    project: str = ""
    """The suite's project object, as module:name."""
    group: str = ""
    """The group's id."""
    share: int = 0
    """Of a study: which share of its cells."""
    shares: int = 1
    """Of a study: how many shares there are."""
    run: str = ""
    """The id of the run that it belongs to (default: the last one)."""

    def do(self, opened: Workspace | None = None) -> int:
        """Do it and return the exit code; in the workspace `opened`, where a fork has it from its
        driver.

        It is 3 where something could not be written, or where a page broke, which the log has too.
        """
        spare_memory_calls()
        workspace = opened or Workspace.open(
            self.root, self.profile, self.out, project_at(self.project)
        )
        workspace.require_device()
        complaints: list[str] = []

        def complain(line: str) -> None:
            complaints.append(line)
            sys.stderr.write(f"{line}\n")

        lacking = {"study": "no study", "checks": "no record", "page": "no notebook page"}[
            self.work
        ]
        cells = workspace.folder.parent / CELLS
        with complaining(f"{self.group}: {lacking}", complain), at_work(cells):
            self._do(workspace, complain)
        return 3 if complaints else 0

    def _do(self, workspace: Workspace, complain: Callable[[str], None]) -> None:
        group = workspace.claims.group_named(self.group)
        run = RunRecord.last(workspace) or RunRecord.begin(workspace)
        if self.run not in ("", run.id):
            reason = "this job is of a run that another one has followed"
            raise UserError(f"{reason}: it has nothing to do ({self.run})")
        if self.work == "checks":  # the driver watches the records appear
            run_group(workspace, run, group, lambda claim, record: None, complain)
        elif self.work == "page":
            if reason := make_page(workspace, group, run):
                complain(f"{group.id}: {reason}")
        elif (
            group.id in plan_of(workspace, run, group).studies
        ):  # of a part of the group, none is made
            run_share(workspace, run, group, loader(workspace, group), self.share, self.shares)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job; bad input is one line on stderr and exit code 2."""
    os.environ.pop("MPLBACKEND", None)  # the user's own: an unknown one would fail every figure
    return code_of(tyro.cli(Job, args=arguments, config=(tyro.conf.EnumChoicesFromValues,)).do)


if __name__ == "__main__":
    sys.exit(main())
