"""The jobs of a run on this machine, at most so many at a time, watched by the records that appear.

On Linux a job is a fork of the driver, which imports what several jobs need: to import it again
takes longer than many a group. A job on an accelerator, which no fork may use, starts anew, and so
does one on another system. A cluster's jobs are the same (`cluster.py`); both call `job.Job.do`.
"""

import contextlib
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from verdicts.claims.loading import Device
from verdicts.claims.schema import Claim
from verdicts.errors import code_of
from verdicts.records.expected import read_expected
from verdicts.records.files import NotCurrent
from verdicts.records.record import Record, current_record
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace, project_at
from verdicts.run.console import Screen
from verdicts.run.job import Job
from verdicts.run.plan import Plan, shares_here

POLL = 0.05
PATIENCE = 10.0
LAPTOP = 8
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What asks a run to end."""
HANDLERS: dict[int, Any] = {}
"""The handlers of the signals that wait, to be put back."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class PlannedJob(NamedTuple):
    """One job: `log` has its words, `after` are the logs of those that must have ended well before
    it begins.
    """

    job: Job
    log: str
    threads: int
    after: tuple[str, ...]


def run_jobs(workspace: Workspace, plan: Plan, run: RunRecord, cores: int, screen: Screen) -> None:
    """Do what `plan` holds on at most `cores` cores; `screen` shows each record of `run` as it
    appears.

    A job that ends badly is reported, and keeps those that follow it from starting, no other. The
    lock of the run is held by each job too, so that no other run begins while one outlives a driver
    that is killed.
    """
    waiting, running = (
        list(tasks(workspace, plan, cores)),
        dict[str, tuple[PlannedJob, BaseProcess]](),
    )
    ended, watch = dict[str, bool](), Watch(workspace, plan, run)
    if len(plan.busy_groups) + len(plan.pages) > 1:
        import_ahead(workspace, plan.groups, ("verdicts.report.notebooks",) if plan.pages else ())
    try:
        while waiting or running:
            for task in list(waiting):
                if not all(ended.get(name, True) for name in task.after):
                    waiting.remove(task)  # what it needs is not there, and has been reported
                    ended[task.log] = False
                elif all(name in ended for name in task.after) and _room(task, running, cores):
                    waiting.remove(task)
                    with held_back():
                        running[task.log] = (task, _started(workspace, task))
            time.sleep(POLL)
            for name, (_, process) in list(running.items()):
                if not process.is_alive():
                    del running[name]
                    ended[name] = process.exitcode == 0
                    if process.exitcode:
                        screen.complain(
                            f"a job ended with {process.exitcode}: see {workspace.log_path(name)}"
                        )
            watch.show(screen, [task for task, _ in running.values()])
    except BaseException:
        _stop([process for _, process in running.values()])
        raise


def tasks(workspace: Workspace, plan: Plan, jobs: int) -> Iterator[PlannedJob]:
    """Yield the jobs of a plan: of each group its study in shares, if it has several, its checks,
    its notebook page.

    First come the groups with claims that restate the paper's, so that a reader waits for none of
    them, but not where there are more jobs than `LAPTOP`. Then what takes longest comes first, so
    that no core works alone at the end.
    """
    shared, order = shares_here(workspace, plan.studies, jobs), list(plan.groups)
    if kept := read_expected(workspace.root, workspace.profile):
        first = {item.claim.group for item in plan.pending if item.claim.paper and jobs <= LAPTOP}
        checks = {name: kept.seconds_of(workspace.claims.of_group(name)) for name in order}
        alone = {
            name: kept.studies.get(name, 0.0) / shared.get(name, 1) + checks[name] for name in order
        }
        order.sort(key=lambda name: (name not in first, 0.0 if name in first else -alone[name]))
    for group in order:
        resources, shares = workspace.config.resources_of(group), shared.get(group, 1)
        before: tuple[str, ...] = ()
        place = (
            workspace.root,
            workspace.profile,
            workspace.folder.parent,
            workspace.project.place,
            group,
        )
        if shares > 1:
            before = tuple(f"{group}.study.{share}of{shares}" for share in range(shares))
            for share, log in enumerate(before):
                yield PlannedJob(
                    Job("study", *place, share=share, shares=shares), log, resources.threads, ()
                )
        if group in plan.busy_groups:
            yield PlannedJob(Job("checks", *place), f"{group}.job", resources.threads, before)
            before = (f"{group}.job",)
        if group in plan.pages:
            yield PlannedJob(Job("page", *place), f"{group}.page", resources.threads, before)


def import_ahead(workspace: Workspace, groups: Iterable[str], modules: Sequence[str] = ()) -> None:
    """Import what jobs of these groups need, where they are forks; what cannot be imported is left
    to its own job.
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


def _room(task: PlannedJob, running: dict[str, tuple[PlannedJob, BaseProcess]], cores: int) -> bool:
    return (
        not running or sum(other.threads for other, _ in running.values()) + task.threads <= cores
    )


def in_subprocess(workspace: Workspace, task: PlannedJob) -> int | None:
    """Do one job in a process of its own, and return its exit code."""
    with held_back():
        process = _started(workspace, task)
    process.join()
    return process.exitcode


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Let signals wait: what one raises within a fork Python drops, and a job that is not yet noted
    nobody stops.

    By handlers, not by a mask: a signal may reach another thread, and its handler still runs in
    this one.
    """
    noted: list[int] = []
    for sent in SIGNALS if threading.current_thread() is threading.main_thread() else ():
        if (handler := signal.getsignal(sent)) is not None:
            HANDLERS[sent] = handler
            signal.signal(sent, lambda number, frame: noted.append(number))
    try:
        yield
    finally:
        _restore_handlers()
    for number in noted:
        signal.raise_signal(number)


def _restore_handlers() -> None:
    while HANDLERS:
        signal.signal(*HANDLERS.popitem())


def _started(workspace: Workspace, task: PlannedJob) -> BaseProcess:
    path = workspace.log_path(task.log)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(
        dict.fromkeys(THREADS, str(task.threads))
    )  # read where the numerical libraries are imported
    try:
        forked = _forks(workspace)
        context = get_context("fork") if forked else get_context("spawn")
        work = (task, str(path), workspace if forked else None)
        process: BaseProcess = context.Process(target=_work, args=work, name=task.log)
        process.start()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return process


def _work(task: PlannedJob, log: str, opened: Workspace | None) -> None:
    """Do a job in this process, its words in its log; the exit code is the job's."""
    _restore_handlers()
    with Path(log).open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    # The driver's own streams draw its bar, under a lock that a fork may hold.
    how: dict[str, Any] = {"buffering": 1, "encoding": "utf-8", "errors": "backslashreplace"}
    sys.stdout = open(1, "w", closefd=False, **how)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, **how)  # noqa: SIM115
    project_at(task.job.project).use_threads(task.threads)
    sys.exit(code_of(lambda: task.job.do(opened)))


def _stop(processes: list[BaseProcess]) -> None:
    """End jobs, and what they have started; wait no longer than needed."""
    import psutil  # type: ignore[import-untyped]

    began: list[psutil.Process] = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            began += (job := psutil.Process(process.pid), *job.children(recursive=True))
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for each in began:
            with contextlib.suppress(psutil.Error):
                end(each)
        _, began = psutil.wait_procs(began, PATIENCE)


class Watch:
    """Sees the records of a run appear, each once."""

    def __init__(self, workspace: Workspace, plan: Plan, run: RunRecord) -> None:
        self.workspace = workspace
        self.run = run
        self.seen = {item.claim: self._stamp(item.claim) for item in plan.pending}

    def show(self, screen: Screen, running: Iterable[PlannedJob]) -> None:
        """Show the records that have appeared since the last call, and which groups are at work."""
        for claim, seen in list(self.seen.items()):
            stamp = self._stamp(claim)
            if stamp == seen:
                continue
            self.seen[claim] = stamp
            if record := self._read(claim):
                del self.seen[claim]
                screen.computed(claim, record)
        screen.work_on(list(dict.fromkeys(task.job.group for task in running)))

    def _stamp(self, claim: Claim) -> tuple[int, int] | None:
        try:
            status = self.workspace.record_path(claim).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _read(self, claim: Claim) -> Record | None:
        try:
            record = current_record(
                claim, self.workspace.record_path(claim), self.workspace.record_parts(claim)
            )
        except NotCurrent:
            return None
        return record if record.provenance.run == self.run.id else None
