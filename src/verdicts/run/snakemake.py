"""Snakemake as the runner of the larger profiles: started here, watched by the records that appear.

Its own idea of what is up to date never decides: stamps of whatever is stale are removed first.
"""

import contextlib
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from verdicts.claims.schema import Claim
from verdicts.records.checksummed import NotCurrent
from verdicts.records.record import Record, current_record
from verdicts.records.run_record import Run
from verdicts.records.workspace import PACKAGE_ROOT, Workspace
from verdicts.run.plan import Plan, plan_of

if TYPE_CHECKING:
    import psutil  # type: ignore[import-untyped]

    from verdicts.run.console import Screen

POLL = 0.1
PATIENCE = 10.0


def stamp_path(workspace: Workspace, work: str, group: str) -> Path:
    """Return the stamp of a group's finished work (`checks` or `pages`), or the folder of its `study`'s."""
    return workspace.folder / "stamps" / work / group


def discard_stale_stamps(workspace: Workspace) -> None:
    """Remove the stamps of all that the last run has still to do, and the report's."""
    run = Run.last(workspace)
    plan = plan_of(workspace, run) if run else Plan((), {}, {}, {})
    for group in plan.busy_groups:
        stamp_path(workspace, "checks", group).unlink(missing_ok=True)
        shutil.rmtree(stamp_path(workspace, "study", group), ignore_errors=True)
    for group in plan.pages:
        stamp_path(workspace, "pages", group).unlink(missing_ok=True)
    (workspace.folder / "stamps" / "report").unlink(missing_ok=True)


def run_snakemake(workspace: Workspace, plan: Plan, run: Run, jobs: int, lock: int, screen: "Screen") -> int:
    """Do what `plan` holds with at most `jobs` cores; `screen` shows each record of `run` as it appears.

    The child inherits the `lock`, so that it outlives a driver that is killed. Returns Snakemake's exit code; its
    words are in `logs/snakemake.log`.
    """
    log = workspace.log_path("snakemake")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        child = subprocess.Popen(
            _command(workspace, plan, jobs),
            cwd=workspace.folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            env=_environment(workspace),
        )
    watch = _Watch(workspace, plan, run)
    try:
        while child.poll() is None:
            watch.show(screen)
            time.sleep(POLL)
    except BaseException:
        _stop(child)
        raise
    watch.show(screen)
    return child.returncode


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End Snakemake and its jobs, which it would let run on; wait no longer than needed."""
    import psutil

    # Looked for twice: a job whose parent has ended is nobody's child, and one may begin in between
    jobs = _below(child.pid)
    child.send_signal(signal.SIGINT)
    for job in jobs | _below(child.pid):
        with contextlib.suppress(psutil.Error):
            job.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


def _below(pid: int) -> "set[psutil.Process]":
    """Return the processes that a process has started, and theirs."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return {*psutil.Process(pid).children(recursive=True)}
    return set()


def _environment(workspace: Workspace) -> dict[str, str]:
    """Return the environment in which jobs find this package and the repository's modules."""
    path = [str(PACKAGE_ROOT), str(workspace.root), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def _command(workspace: Workspace, plan: Plan, jobs: int) -> list[str]:
    targets = [stamp_path(workspace, "checks", group) for group in plan.busy_groups]
    targets += [stamp_path(workspace, "pages", group) for group in plan.pages]
    first = dict.fromkeys(f"stamps/checks/{item.group.id}" for item in plan.pending if item.claim.paper)
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(workspace.root / "Snakefile")),
        *("--directory", str(workspace.folder), "--cores", str(jobs), "--scheduler", "greedy"),
        *(("--prioritize", *map(str, first)) if first else ()),
        *("--nolock", "--rerun-incomplete", "--keep-going", "--rerun-triggers", "mtime"),
        *("--config", _setting("root", workspace.root), _setting("out", workspace.folder.parent)),
        *(f"profile={workspace.profile}", "driven=1", "--"),
        *(target.relative_to(workspace.folder).as_posix() for target in targets),
    ]


def _setting(name: str, path: Path) -> str:
    """Return a setting that Snakemake, which strips quotes and reads YAML, takes for this very path."""
    import yaml

    quoted = yaml.safe_dump(str(path), default_style='"', width=math.inf).strip()
    return f"{name}=!!str {quoted} #"


class _Watch:
    """Sees the records of a run appear, each once."""

    def __init__(self, workspace: Workspace, plan: Plan, run: Run) -> None:
        self.workspace = workspace
        self.run = run
        self.begin = datetime.fromisoformat(run.started).timestamp()
        self.seen = {item.claim: self._stamp(item.claim) for item in plan.pending}

    def show(self, screen: "Screen") -> None:
        """Show the records that have appeared, and which groups are at work: their log is there, a claim is not."""
        for claim, record in self.fresh():
            screen.computed(claim, record)
        groups = dict.fromkeys(claim.group for claim in self.seen)
        screen.work_on([group for group in groups if self._begun(group)])

    def _begun(self, group: str) -> bool:
        logs = self.workspace.log_path(f"{group}.job").parent.glob(f"{group}.*.log")
        return any(log.stat().st_mtime >= self.begin for log in logs)

    def fresh(self) -> Iterator[tuple[Claim, Record]]:
        """Yield the records that have appeared since the last call."""
        for claim, seen in list(self.seen.items()):
            stamp = self._stamp(claim)
            if stamp == seen:
                continue
            self.seen[claim] = stamp
            if record := self._read(claim):
                del self.seen[claim]
                yield claim, record

    def _stamp(self, claim: Claim) -> tuple[int, int] | None:
        try:
            status = self.workspace.record_path(claim).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _read(self, claim: Claim) -> Record | None:
        try:
            record = current_record(claim, self.workspace.record_path(claim), self.workspace.record_parts(claim))
        except NotCurrent:
            return None
        return record if record.provenance.started >= self.run.started else None
