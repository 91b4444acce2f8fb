"""The jobs of a run: which there are, in which order, and how they are done on this machine's
cores.

On Linux a job is a fork of the driver, which imports what several jobs need: to import it again
takes longer than many a group. A job on an accelerator, which no fork may use, starts anew, and so
does one on another system. The standard pool of processes (`concurrent.futures`) serves neither: a
worker that is killed takes all others with it, and no signal ends those at work.
"""

import contextlib
import importlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil  # type: ignore[import-untyped]

from verdicts.claims.loading import Device
from verdicts.claims.schema import Claim
from verdicts.errors import code_of
from verdicts.records.expected import read_expected
from verdicts.records.record import Record
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace, project_at
from verdicts.run.console import Screen
from verdicts.run.group import heed_interrupt
from verdicts.run.job import Job
from verdicts.run.plan import Plan, shares_here

POLL = 0.05
PATIENCE = 10.0
LAPTOP = 8
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class PlannedJob(NamedTuple):
    """One job: `log` names it and its words; `after` are those that must have ended well before."""

    job: Job
    log: str
    threads: int
    after: tuple[str, ...]


class Workers(Protocol):
    """Where jobs are done."""

    def have_room(self, job: PlannedJob, running: Sequence[PlannedJob]) -> bool:
        """Return whether a job can begin beside those that are running."""

    def start(self, job: PlannedJob) -> None:
        """Begin a job."""

    def outcome(self, job: PlannedJob) -> str | None:
        """Return None while a job runs, nothing where it has ended well, else what went wrong."""

    def are_at(self, job: PlannedJob) -> bool:
        """Return whether a running job is at work: on a cluster it may still wait for a node."""

    def stop(self) -> None:
        """End all jobs."""


def run_jobs(
    workspace: Workspace,
    jobs: Iterable[PlannedJob],
    workers: Workers,
    watch: "Watch",
    screen: Screen,
) -> None:
    """Do all jobs; `screen` shows each record as it appears.

    A job that ends badly is reported, and keeps those that follow it from starting, no other.
    Whatever ends this early, no job is left at work.
    """
    waiting, running = list(jobs), list[PlannedJob]()
    well, badly = set[str](), set[str]()
    for job in waiting:
        log = workspace.log_path(job.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
    try:
        while waiting or running:
            for job in list(waiting):
                if badly.intersection(job.after):
                    waiting.remove(job)  # what it needs is not there, and has been reported
                    badly.add(job.log)
                elif well.issuperset(job.after) and workers.have_room(job, running):
                    waiting.remove(job)
                    running.append(job)
                    workers.start(job)
            time.sleep(POLL)
            for job in list(running):
                wrong = workers.outcome(job)
                if wrong is None:
                    continue
                running.remove(job)
                (badly if wrong else well).add(job.log)
                if wrong:
                    screen.complain(wrong)
            watch.show(screen, [job for job in running if workers.are_at(job)])
            heed_interrupt()
    except BaseException:
        workers.stop()
        raise


def jobs_of(workspace: Workspace, plan: Plan, run: RunRecord, cores: int) -> Iterator[PlannedJob]:
    """Yield a plan's jobs: of each group its study in shares, if it has several, its checks, its
    page.

    First come the groups with claims that restate the paper's, so that a reader waits for none of
    them, but not where there are more cores than `LAPTOP`. Then what takes longest comes first, so
    that no core works alone at the end.
    """
    shared, order = shares_here(workspace, plan.studies, cores), list(plan.groups)
    if kept := read_expected(workspace.root, workspace.profile):
        first = {item.claim.group for item in plan.pending if item.claim.paper and cores <= LAPTOP}
        alone = {
            name: kept.studies.get(name, 0.0) / shared.get(name, 1)
            + kept.seconds_of(workspace.claims.of_group(name))
            for name in order
        }
        order.sort(key=lambda name: (name not in first, 0.0 if name in first else -alone[name]))
    place = (workspace.root, workspace.profile, workspace.folder.parent, workspace.project.place)
    for group in order:
        job, shares = Job("checks", *place, group, run=run.id), shared.get(group, 1)
        threads = workspace.config.resources_of(group).threads
        before: tuple[str, ...] = ()
        if shares > 1:
            before = tuple(f"{group}.study.{share}of{shares}" for share in range(shares))
            for share, log in enumerate(before):
                study = replace(job, work="study", share=share, shares=shares)
                yield PlannedJob(study, log, threads, ())
        if group in plan.busy_groups:
            yield PlannedJob(job, f"{group}.job", threads, before)
            before = (f"{group}.job",)
        if group in plan.pages:
            yield PlannedJob(replace(job, work="page"), f"{group}.page", threads, before)


def import_ahead(workspace: Workspace, groups: Iterable[str], modules: Sequence[str] = ()) -> None:
    """Import what jobs of these groups need, where they are forks; what cannot be is left to its
    job.
    """
    wanted, names = [*modules], set(groups)
    for group in workspace.claims.group:
        if group.id in names:
            measuring = set[str]().union(
                *(claim.modules for claim in workspace.claims.of_group(group.id))
            )
            wanted += [
                f"{group.module}.{name}" for name in ("study", "figures", *sorted(measuring))
            ]
    for name in wanted if _forks(workspace) else ():
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)


def _forks(workspace: Workspace) -> bool:
    return workspace.config.device is Device.CPU and sys.platform == "linux"


class Cores:
    """At most so many cores of this machine.

    A job holds the lock of the run too, so that no other run begins while one outlives a driver
    that is killed.
    """

    def __init__(self, workspace: Workspace, cores: int) -> None:
        self.workspace, self.cores = workspace, cores
        self.processes: dict[str, BaseProcess] = {}

    def have_room(self, job: PlannedJob, running: Sequence[PlannedJob]) -> bool:
        """Return whether its threads find a core each, or all cores."""
        return not running or sum(other.threads for other in (*running, job)) <= self.cores

    def start(self, job: PlannedJob) -> None:
        """Begin a process."""
        self.processes[job.log] = started(self.workspace, job)

    def outcome(self, job: PlannedJob) -> str | None:
        """Return what its exit code says."""
        process = self.processes[job.log]
        if process.is_alive():
            return None
        log = self.workspace.log_path(job.log)
        return f"a job ended with {process.exitcode}: see {log}" if process.exitcode else ""

    def are_at(self, job: PlannedJob) -> bool:
        """Return that it is at work."""
        return True

    def stop(self) -> None:
        """End jobs and what they have started, deaf ones too; wait no longer than needed."""
        jobs = [psutil.Process(process.pid) for process in active_children()]
        left = [*jobs, *(child for job in jobs for child in job.children(recursive=True))]
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for process in left:
                with contextlib.suppress(psutil.Error):
                    end(process)
            _, left = psutil.wait_procs(left, PATIENCE)


def started(workspace: Workspace, job: PlannedJob) -> BaseProcess:
    """Return the process that does a job, begun."""
    forked = _forks(workspace)
    context = get_context("fork") if forked else get_context("spawn")
    log = str(workspace.log_path(job.log))
    arguments = (job, log, workspace if forked else None)
    process: BaseProcess = context.Process(target=_work, args=arguments, name=job.log)
    process.start()
    return process


def _work(job: PlannedJob, log: str, opened: Workspace | None) -> None:
    """Do a job in this process, its words in its log; the exit code is the job's."""
    with Path(log).open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    # The driver's streams draw its bar, under a lock that a fork may hold
    for number, name in ((1, "stdout"), (2, "stderr")):
        text = open(number, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, text)
    # Read where the numerical libraries are imported, in a process that starts anew
    os.environ.update(dict.fromkeys(THREADS, str(job.threads)))
    project_at(job.job.project).use_threads(job.threads)
    sys.exit(code_of(lambda: job.job.do(opened)))


class Watch:
    """Sees the records of a run appear, each once."""

    def __init__(self, workspace: Workspace, plan: Plan, run: RunRecord) -> None:
        self.run = run
        self.paths = {item.claim: workspace.record_path(item.claim) for item in plan.pending}
        self.stamps: dict[Claim, tuple[int, int] | None] = {}

    def show(self, screen: Screen, running: Iterable[PlannedJob] = ()) -> None:
        """Show the records that have appeared since the last call, and which groups are at work."""
        for claim, path in list(self.paths.items()):
            stamp = _stamp(path)
            if stamp == self.stamps.get(claim):
                continue
            self.stamps[claim] = stamp
            record = Record.read_or_none(path)
            if record and record.provenance.run == self.run.id:
                del self.paths[claim]
                screen.computed(claim, record)
        screen.work_on(list(dict.fromkeys(job.job.group for job in running)))

    @property
    def unseen(self) -> Iterable[Claim]:
        """Return the claims whose records have not appeared."""
        return self.paths.keys()


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes with a file's content: none is written in place."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
