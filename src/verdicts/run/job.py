"""The plain functions that the Snakefile's rules call, one process each: `python -m verdicts.run.job WORK ...`.

The lock is not theirs, but the driver's that started Snakemake; they only show that they are at work. A check that
fails is recorded, not signalled here, so that the jobs after it still run; the exit code is 3 only where a result could
not be written, 2 for bad input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from verdicts.claims.schema import Claim, Group, Profile
from verdicts.errors import UserError
from verdicts.records.record import Record
from verdicts.records.run_record import Run
from verdicts.records.workspace import Project, Workspace
from verdicts.run.checks import Checks
from verdicts.run.group import run_group, run_study
from verdicts.run.lock import at_work
from verdicts.run.pages import make_page
from verdicts.run.publish import publish


@dataclass(frozen=True)
class Job:
    """One rule's work: a share of a group's study, its records and figures, its notebook page, or the report."""

    work: tyro.conf.Positional[Literal["study", "checks", "page", "report"]]
    """Which."""
    root: Path
    """The repository."""
    profile: Profile
    """Which configuration."""
    out: Path
    """The folder above the profile's results."""
    group: str = ""
    """The group's id (not for the report)."""
    share: int = 0
    """Of a study: which share of its cells."""
    shares: int = 1
    """Of a study: how many shares there are."""

    def do(self, project: Project) -> int:
        """Do it and return the exit code."""
        workspace = Workspace.open(self.root, self.profile, self.out, project)
        with at_work(workspace.folder):
            if self.work == "report":
                reason = publish(workspace).reason
                sys.stderr.write(f"paper.pdf: {reason}\n" if reason else "")
                return 0
            chosen = next(each for each in workspace.claims.group if each.id == self.group)
            return 3 if self._complaints(workspace, chosen) else 0

    def _complaints(self, workspace: Workspace, group: Group) -> list[str]:
        complaints: list[str] = []
        hear = _heard(complaints)
        if self.work == "study":
            run_study(workspace, group, lambda: Checks.load(workspace, group), self.share, self.shares)
        elif self.work == "page":
            if reason := make_page(workspace, group):
                hear(f"{group.id}: {reason}")
        else:
            run_group(workspace, Run.last(workspace) or Run.begin(workspace), group, _silent, hear)
        return complaints


def _silent(claim: Claim, record: Record) -> None:
    """The driver watches the records appear."""


def _heard(complaints: list[str]) -> Callable[[str], None]:
    """Return a complaint's hearer: it keeps the line, and writes it to the job's log."""

    def hear(line: str) -> None:
        complaints.append(line)
        sys.stderr.write(f"{line}\n")

    return hear


def main(project: Project, arguments: Sequence[str] | None = None) -> int:
    """Run one job of a suite; bad input is one line on stderr and exit code 2."""
    try:
        return tyro.cli(Job, args=arguments, config=(tyro.conf.EnumChoicesFromValues,)).do(project)
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(Project()))
