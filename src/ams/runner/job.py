"""The plain functions that the Snakefile's rules call, one process each: `python -m ams.runner.job WORK ...`.

The lock is not theirs, but the driver's that started Snakemake; they only show that they are at work. A check that
fails is recorded, not signalled here, so that the jobs after it still run; the exit code is 3 only where a result could
not be written, 2 for bad input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import tyro

from ams.ledger.claims import Claim, Group, Profile
from ams.ledger.problems import InputProblem
from ams.ledger.records import Record
from ams.runner.finish import publish
from ams.runner.group import run_group
from ams.runner.lock import at_work
from ams.runner.pages import make_page
from ams.runner.plan import Run
from ams.runner.workspace import Workspace

Work = Literal["checks", "page", "report"]


def job(work: tyro.conf.Positional[Work], root: Path, profile: Profile, out: Path, group: str = "") -> int:
    """Do one rule's work and return the exit code.

    Args:
        work: a group's records and figures, its notebook page, or the report.
        root: the repository.
        profile: which configuration.
        out: the folder above the profile's results.
        group: the group's id (not for the report).
    """
    workspace = Workspace.open(root, profile, out)
    with at_work(workspace.folder):
        return _done(workspace, work, group)


def _done(workspace: Workspace, work: Work, group: str) -> int:
    if work == "report":
        reason = publish(workspace).reason
        sys.stderr.write(f"paper.pdf: {reason}\n" if reason else "")
        return 0
    chosen = next(each for each in workspace.claims.group if each.id == group)
    if work == "page":
        return 3 if _page(workspace, chosen) else 0
    return 3 if _checks(workspace, chosen) else 0


def _checks(workspace: Workspace, group: Group) -> list[str]:
    run = Run.last(workspace) or Run.begin(workspace)
    complaints: list[str] = []
    run_group(workspace, run, group, _silent, _heard(complaints))
    return complaints


def _page(workspace: Workspace, group: Group) -> list[str]:
    complaints: list[str] = []
    if reason := make_page(workspace, group):
        _heard(complaints)(f"{group.id}: {reason}")
    return complaints


def _silent(claim: Claim, record: Record) -> None:
    """The driver watches the records appear."""


def _heard(complaints: list[str]) -> Callable[[str], None]:
    """Return a complaint's hearer: it keeps the line, and writes it to the job's log."""

    def hear(line: str) -> None:
        complaints.append(line)
        sys.stderr.write(f"{line}\n")

    return hear


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job; bad input is one line on stderr and exit code 2."""
    try:
        return tyro.cli(job, args=arguments, config=(tyro.conf.EnumChoicesFromValues,))
    except InputProblem as problem:
        sys.stderr.write(f"ams: {problem}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
