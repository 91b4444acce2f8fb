"""One job of a run, in a process of its own: a worker's, or one on a cluster (`python -m verdicts.run.job`).

The lock is not theirs, but that of the run they belong to; they only show that they are at work. A check that fails
is recorded, not signalled there, so that the jobs after it still run: the exit code is 3 only where a result could not
be written, 2 for bad input.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from verdicts.claims.schema import Group, Profile
from verdicts.errors import UserError, code_of
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace, project_at
from verdicts.run.group import complaining, loader, run_group
from verdicts.run.lock import at_work
from verdicts.run.pages import make_page
from verdicts.run.plan import plan_of
from verdicts.run.study import run_share
from verdicts.studies.study import CELLS


def keep_freed_memory() -> None:
    """Let this process keep what it frees: glibc returns it to the system, and a network's blocks ask for it again.

    That takes a fifth of an evaluation. A large piece that is freed makes glibc keep up to twice as much (mallopt(3),
    M_MMAP_THRESHOLD).
    """
    bytearray(2**24)


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
        """Do it and return the exit code; in the workspace `opened`, where a fork has it from its driver."""
        keep_freed_memory()
        workspace = opened or Workspace.open(self.root, self.profile, self.out, project_at(self.project))
        workspace.require_device()
        with at_work(workspace.folder):
            group = workspace.claims.group_named(self.group)
            return 3 if self._complaints(workspace, group) else 0

    def _complaints(self, workspace: Workspace, group: Group) -> list[str]:
        """Do one group's work; return what could not be written, and what broke of a page, which the log has too."""
        complaints: list[str] = []

        def hear(line: str) -> None:
            complaints.append(line)
            sys.stderr.write(f"{line}\n")

        run, cells = RunRecord.last(workspace) or RunRecord.begin(workspace), workspace.folder.parent / CELLS
        if self.run not in ("", run.id):
            raise UserError(f"this job is of a run that another one has followed: it has nothing to do ({self.run})")
        if self.work == "checks":
            with complaining(f"{group.id}: no record", hear), at_work(cells):  # the driver watches the records appear
                run_group(workspace, run, group, lambda claim, record: None, hear)
        elif self.work == "page":
            if reason := make_page(workspace, group, run):
                hear(f"{group.id}: {reason}")
        elif group.id in plan_of(workspace, run, group).studies:  # where a part of the group is asked for, none is
            with complaining(f"{group.id}: no study", hear), at_work(cells):
                run_share(workspace, run, group, loader(workspace, group), self.share, self.shares)
        return complaints


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job; bad input is one line on stderr and exit code 2."""
    os.environ.pop("MPLBACKEND", None)  # the user's own: an unknown one would fail every figure
    return code_of(tyro.cli(Job, args=arguments, config=(tyro.conf.EnumChoicesFromValues,)).do)


if __name__ == "__main__":
    sys.exit(main())
