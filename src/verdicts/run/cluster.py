"""The jobs of a run on a SLURM cluster: the plan's, submitted by Snakemake, watched by the records
that appear.

What is to be done and in which order is the plan's affair; Snakemake gets it as a list, in a folder
of the run's own, so that nothing that it finds there is out of date. Every job's name begins with
`name_of` the results' folder: a run that is interrupted cancels its jobs by that name, and so does
the next run where this one was killed.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from verdicts.errors import UserError
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run import slurm
from verdicts.run.console import Screen, counted
from verdicts.run.job import Job
from verdicts.run.plan import NODES, Plan
from verdicts.run.slurm import PARENT, PROFILE, Cluster
from verdicts.run.workers import PlannedJob, Watch, held_back, tasks

FOLDER = ".cluster"
"""Below a profile's results: there while jobs of a run may be on a cluster."""
POLL, LOOK = 0.5, 10.0
"""Seconds between two looks at the files, and between two at SLURM's queue."""
FORGOTTEN = 900.0
"""After so many seconds without a job of the run in the queue it gives up."""
PATIENCE = 120.0
"""For so many seconds it waits for jobs that are cancelled to end."""


def name_of(folder: Path) -> str:
    """Return what the names of all jobs that write into a profile's results begin with."""
    return f"verdicts-{sha256_of(str(folder))[:12]}"


def clear(folder: Path, say: Callable[[str], None]) -> None:
    """Cancel what a run that was killed has left in the queue, and say so. Raises UserError where
    that fails.
    """
    try:
        count = slurm.cancel(name_of(folder), PATIENCE)
    except UserError as problem:
        raise UserError(
            f"jobs of an earlier run may still write into {folder}: {problem}"
        ) from problem
    if count:
        say(f"{counted(count, 'job')} of an earlier run, still in the queue: cancelled")
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def clear_if_used(folder: Path, say: Callable[[str], None]) -> None:
    """Cancel the jobs of the last run where it was on a cluster and was killed; say so. Raises
    UserError.
    """
    if (folder / FOLDER).is_dir():
        clear(folder, say)


def run_on_cluster(
    workspace: Workspace,
    plan: Plan,
    run: RunRecord,
    screen: Screen,
    cluster: Cluster,
    at_once: int | None,
) -> None:
    """Do what `plan` holds by jobs on the cluster; `screen` shows each record of `run` as it
    appears.

    A job that ends badly is tried again as often as the cluster's profile says, then reported; it
    keeps those that follow it from starting, no other. Whatever ends this run early, its jobs are
    cancelled.
    """
    work, watch = list(tasks(workspace, plan, at_once or NODES)), Watch(workspace, plan, run)
    place = workspace.folder / FOLDER / run.id
    for task in work:
        path = workspace.log_path(task.log)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    write_whole(place / "tasks.json", json.dumps(_described(workspace, work, run, cluster)))
    child = None
    try:
        child = _snakemake(workspace, run, place, cluster, at_once)
        queue = _Queue(name_of(workspace.folder))
        while child.poll() is None and not queue.forgotten:
            time.sleep(POLL)
            queue.look()
            watch.show(
                screen,
                [task for task in work if task.log in queue.running and not _done(place, task)],
            )
        ended = {
            task.job.group for task in work if task.job.work == "checks" and _done(place, task)
        }
        _await(watch, screen, ended, cluster)
        _report_failures(workspace, work, place, child.returncode, screen)
    finally:
        with held_back():  # no signal ends what clears up
            try:
                if child:
                    _end(child)
            finally:
                _cancel(workspace.folder, screen)


class _Queue:
    """What SLURM's queue has of a run, looked at from time to time.

    `running` are the logs of the tasks at work. It is `forgotten` where SLURM answers, and has
    known of no job of the run for long: a controller that has lost its state does not tell, and
    Snakemake would wait for ever.
    """

    def __init__(self, prefix: str) -> None:
        self.running: set[str] = set()
        self._prefix, self._looked, self._alive = prefix, time.monotonic(), time.monotonic()

    @property
    def forgotten(self) -> bool:
        return self._looked - self._alive > FORGOTTEN

    def look(self) -> None:
        """Ask SLURM, unless it was asked just now; where it does not answer, nothing is known."""
        if time.monotonic() < self._looked + LOOK:
            return
        try:
            jobs = slurm.queued(self._prefix)
        except UserError:
            jobs = None
        self._looked = time.monotonic()
        if jobs is None or jobs:
            self._alive = self._looked
        self.running = {job.task for job in jobs or () if job.running}


def _described(
    workspace: Workspace, work: Sequence[PlannedJob], run: RunRecord, cluster: Cluster
) -> dict[str, Any]:
    """Return the jobs as the Snakefile reads them."""
    described = {}
    for task in work:
        resources = workspace.config.resources_of(task.job.group)
        described[task.log] = {
            "command": [sys.executable, "-m", "verdicts.run.job", *_arguments(task.job, run)],
            "after": task.after,
            "log": str(workspace.log_path(task.log)),
            "threads": task.threads,
            "mem_mb": resources.mem_mb,
            "runtime": resources.runtime,
        }
    return {"tasks": described, "largest": cluster.memory, "device": workspace.device}


def _arguments(job: Job, run: RunRecord) -> Iterator[str]:
    yield job.work
    for name in ("root", "profile", "out", "project", "group", "share", "shares"):
        yield from (f"--{name}", str(getattr(job, name)))
    yield from ("--run", run.id)


def _snakemake(
    workspace: Workspace, run: RunRecord, place: Path, cluster: Cluster, at_once: int | None
) -> "subprocess.Popen[bytes]":
    """Start Snakemake in a session of its own, its words in a log: no signal reaches it but from
    here.
    """
    command = [
        sys.executable,
        "-m",
        "verdicts.run.slurm",
        "--snakefile",
        str(workspace.root / "Snakefile"),
    ]
    command += [
        "--profile",
        str(workspace.root / PROFILE),
        "--workflow-profile",
        "none",
        "--directory",
        str(place),
    ]
    command += [
        "--configfile",
        str(place / "tasks.json"),
        "--nolock",
        "--rerun-incomplete",
        "--keep-going",
    ]
    command += ["--slurm-jobname-prefix", f"{name_of(workspace.folder)}-{run.id}", *cluster.options]
    command += ["--slurm-logdir", str(workspace.folder / "logs" / "slurm")]
    command += ["--jobs", str(at_once)] if at_once else []
    environment = os.environ | {PARENT: str(os.getpid())}
    with workspace.log_path("snakemake").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )


def _done(place: Path, task: PlannedJob) -> bool:
    return (place / "done" / task.log).exists()


def _await(watch: Watch, screen: Screen, ended: set[str], cluster: Cluster) -> None:
    """Wait until the records of groups that have ended well are seen here too: a shared file system
    may lag.
    """
    end = time.monotonic() + cluster.latency
    watch.show(screen, [])
    while any(claim.group in ended for claim in watch.seen) and time.monotonic() < end:
        time.sleep(POLL)
        watch.show(screen, [])


def _report_failures(
    workspace: Workspace, work: Sequence[PlannedJob], place: Path, code: int | None, screen: Screen
) -> None:
    """Say which jobs ended badly, or were never begun though nothing kept them, and which logs say
    why.

    `code` is Snakemake's, None where it waits in vain. Where it has not ended of itself, the jobs
    that it had begun are cancelled: whether they failed cannot be known.
    """
    blamed = broken = code is None or code < 0
    if code is None:
        minutes = f"{FORGOTTEN / 60:.0f} minutes"
        screen.complain(f"SLURM has known of no job of this run for {minutes}: run again to go on")
    elif code < 0:
        screen.complain(
            f"Snakemake was killed by signal {-code}: its jobs are cancelled; run again to go on"
        )
    for task in work:
        if _done(place, task) or not all((place / "done" / name).exists() for name in task.after):
            continue
        blamed = True
        log = workspace.log_path(task.log)
        started = log.exists()
        logs = [log if started else workspace.log_path("snakemake")]
        logs += sorted(
            (workspace.folder / "logs" / "slurm").glob(f"*/{task.log}/*.log"), key=os.path.getmtime
        )[-1:]
        ended = "has not ended" if broken else "ended badly at every attempt"
        happened = ended if started else "was not started"
        screen.complain(f"the job {task.log} {happened}: see {' and '.join(map(str, logs))}")
    if code and not blamed:
        screen.complain(f"Snakemake ended with {code}: see {workspace.log_path('snakemake')}")


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End Snakemake with all that it has started here: it submits nothing more."""
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # of one that has ended, the number is another's
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _cancel(folder: Path, screen: Screen) -> None:
    """Leave nothing in the queue; what cannot be cancelled is reported, and left to the next
    run.
    """
    try:
        count = slurm.cancel(name_of(folder), PATIENCE, again=True)
    except UserError as problem:
        screen.complain(f"jobs may be left in the queue, the next run cancels them: {problem}")
        return
    if count:
        screen.say(f"{counted(count, 'job')} cancelled")
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
