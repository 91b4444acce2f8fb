"""The jobs of a run on a SLURM cluster: submitted by `sbatch`, known by the name that they share.

That name follows from the results' folder, so that a run that is interrupted cancels its jobs, and
so does the next run where this one was killed. A job that ends well leaves a mark in a folder that
each run begins anew: SLURM forgets its jobs, and may keep no accounts.
"""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from verdicts.claims.loading import Device, load_toml
from verdicts.errors import UserError
from verdicts.records.files import sha256_of
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run.console import Screen, counted
from verdicts.run.plan import NODES, Plan
from verdicts.run.workers import THREADS, PlannedJob, Watch, jobs_of, run_jobs
from verdicts.validation import Frozen

SETTINGS = "config/slurm.toml"
FOLDER = ".cluster"
"""Below a profile's results: there while jobs of a run may be on a cluster."""
ANSWER = 60.0
"""For so many seconds SLURM may think."""
POLL, LOOK = 0.5, 10.0
"""Seconds between two looks at a queue that is to be empty, and at one at work."""
PATIENCE = 120.0
"""For so many seconds a run waits for jobs that are cancelled to end."""


class ClusterSettings(Frozen):
    """How jobs run on the user's cluster; `docs/how-to/run-on-a-cluster.md` says what each line
    does.
    """

    at_once: int = Field(default=100, ge=1)
    retries: int = Field(default=2, ge=0)
    latency: float = Field(default=60.0, ge=0.0)
    options: tuple[str, ...] = ()
    gpu: tuple[str, ...] = ("--gres=gpu:1",)


def asked(*command: str) -> str:
    """Return what a command of SLURM prints.

    Raises UserError where it is not there, fails, or gives no answer in a minute.
    """
    try:  # in a session of its own: a signal that ends the driver is not to end what clears up
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=ANSWER,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        advice = "run this on a login node of a SLURM cluster"
        raise UserError(f"--cluster slurm: no {command[0]} on PATH: {advice}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"SLURM does not answer: {error}") from error
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split()) or "it says nothing"
        raise UserError(f"{command[0]} ended with {done.returncode}: {words}")
    return done.stdout


def name_of(folder: Path) -> str:
    """Return the name of all jobs that write into a profile's results."""
    return f"verdicts-{sha256_of(str(folder))[:12]}"


def queued(name: str) -> dict[str, str]:
    """Return the states of this user's jobs of a name, by their ids. Raises UserError."""
    lines = asked("squeue", "--me", "--noheader", f"--name={name}", "--format=%i %T").splitlines()
    return dict(line.split(maxsplit=1) for line in lines)


def cancel(folder: Path) -> int:
    """Cancel the jobs that write into a profile's results, and return how many there were.

    Raises UserError where SLURM does not answer, and for jobs that do not end.
    """
    name, end = name_of(folder), time.monotonic() + PATIENCE
    seen = set[str]()
    while left := queued(name).keys():
        if time.monotonic() > end:
            jobs = ", ".join(sorted(left))
            raise UserError(f"SLURM jobs {jobs} do not end though they are cancelled")
        seen |= left
        with suppress(UserError):  # of one that has just ended
            asked("scancel", "--quiet", *sorted(left))
        time.sleep(POLL)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    return len(seen)


def clear(folder: Path, say: Callable[[str], None]) -> None:
    """Cancel the jobs of a run on a cluster that was killed; say so. Raises UserError."""
    if not (folder / FOLDER).is_dir():
        return
    try:
        count = cancel(folder)
    except UserError as problem:
        raise UserError(
            f"jobs of an earlier run may still write into {folder}: {problem}"
        ) from problem
    if count:
        say(f"{counted(count, 'job')} of an earlier run, still in the queue: cancelled")


def run_on_cluster(workspace: Workspace, plan: Plan, run: RunRecord, queue: "Queue") -> None:
    """Do what `plan` holds by jobs on the cluster, and show each record of `run` as it appears.

    Raises UserError where SLURM refuses the first job.
    """
    watch, screen = Watch(workspace, plan, run), queue.screen
    jobs = list(jobs_of(workspace, plan, run, queue.nodes))
    queue.place.mkdir(parents=True)
    run_jobs(workspace, jobs, queue, watch, screen)
    ended = {job.job.group for job in jobs if job.job.work == "checks" and queue.mark(job).exists()}
    end = time.monotonic() + queue.settings.latency
    watch.show(screen)
    # A shared file system may lag
    while any(claim.group in ended for claim in watch.unseen) and time.monotonic() < end:
        time.sleep(POLL)
        watch.show(screen)
    queue.stop()


@dataclass
class Submission:
    """A job in the queue: at which attempt, its id, or why SLURM has refused it, and since when it
    is not seen there.
    """

    attempt: int
    id: str = ""
    refusal: str = ""
    unseen: float | None = None


class Queue:
    """SLURM's queue: a job that fails or is cancelled is tried again, with more memory and time."""

    def __init__(self, workspace: Workspace, screen: Screen, at_once: int | None) -> None:
        """Read the settings, and ask for the largest node. Raises UserError."""
        self.workspace, self.screen = workspace, screen
        self.settings = load_toml(workspace.root, SETTINGS, ClusterSettings)
        self.at_once, self.nodes = at_once or self.settings.at_once, at_once or NODES
        memory = asked("sinfo", "--noheader", "--format=%m").split()
        self.largest = max((int(each.rstrip("+")) for each in memory), default=0)
        self.place = workspace.folder / FOLDER
        self.submissions: dict[str, Submission] = {}
        self.states: dict[str, str] = {}
        self.looked = 0.0

    def have_room(self, job: PlannedJob, running: Sequence[PlannedJob]) -> bool:
        """Return whether one more may be in the queue."""
        return len(running) < self.at_once

    def start(self, job: PlannedJob) -> None:
        """Submit a job. Raises UserError where SLURM refuses the first one: so it would all
        others.
        """
        first = not self.submissions
        submission = self._submit(job, 1)
        if first and submission.refusal:
            raise UserError(submission.refusal)

    def outcome(self, job: PlannedJob) -> str | None:
        """Return None until its mark is there, or until it has left the queue too often.

        A job that has left may have ended well: a shared file system may lag.
        """
        self._look()
        if self.mark(job).exists():
            return ""
        submission = self.submissions[job.log]
        if (
            submission.unseen is None
            or time.monotonic() < submission.unseen + self.settings.latency
        ):
            return None
        if submission.attempt <= self.settings.retries:
            self._submit(job, submission.attempt + 1)
            return None
        log = self.workspace.log_path(job.log)
        if submission.refusal:
            return f"the job {job.log} was refused: {submission.refusal}"
        if not log.exists():
            advice = "--out DIR names a folder that they share"
            return f"the job {job.log} left no log: do the nodes see {log.parent}? {advice}"
        return f"the job {job.log} ended badly at every attempt: see {log}"

    def are_at(self, job: PlannedJob) -> bool:
        """Return whether a node works at it."""
        return self.states.get(self.submissions[job.log].id) == "RUNNING"

    def stop(self) -> None:
        """Leave nothing in the queue; what cannot be cancelled is reported, and left to the next
        run.
        """
        try:
            count = cancel(self.workspace.folder)
        except UserError as problem:
            self.screen.complain(
                f"jobs may be left in the queue, the next run cancels them: {problem}"
            )
            return
        if count:
            self.screen.say(f"{counted(count, 'job')} cancelled")

    def mark(self, job: PlannedJob) -> Path:
        """Return the file that a job leaves where it ends well."""
        return self.place / job.log

    def _submit(self, job: PlannedJob, attempt: int) -> Submission:
        """Note a job that is submitted, or refused: with twice the memory at each attempt, and
        more time.
        """
        resources, log = (
            self.workspace.config.resources_of(job.job.group),
            self.workspace.log_path(job.log),
        )
        memory = min(resources.mem_mb * 2 ** (attempt - 1), max(self.largest, resources.mem_mb))
        threads = " ".join(f"{name}={job.threads}" for name in THREADS)
        words = [
            word
            for name, value in vars(job.job).items()
            if name != "work"
            for word in (f"--{name}", str(value))
        ]
        work = shlex.join([sys.executable, "-m", "verdicts.run.job", job.job.work, *words])
        script = f"{threads} {work} && touch {shlex.quote(str(self.mark(job)))}"
        command = [
            "sbatch",
            "--parsable",
            f"--job-name={name_of(self.workspace.folder)}",
            f"--comment={job.log}",
        ]
        command += [f"--chdir={self.workspace.root}", f"--output={str(log).replace('%', '%%')}"]
        command += [
            f"--mem={memory}",
            f"--time={resources.runtime * attempt}",
            f"--cpus-per-task={job.threads}",
        ]
        command += [
            *self.settings.options,
            *(self.settings.gpu if self.workspace.device is Device.CUDA else ()),
        ]
        try:
            number = asked(*command, f"--wrap={script}").strip().partition(";")[0]
        except UserError as problem:
            submission = Submission(attempt, refusal=str(problem), unseen=time.monotonic())
        else:
            submission = Submission(attempt, number)
        self.submissions[job.log] = submission
        return submission

    def _look(self) -> None:
        """Ask SLURM, unless it was asked just now; where it does not answer, nothing is known."""
        now = time.monotonic()
        if now < self.looked + LOOK:
            return
        self.looked = now
        try:
            self.states = queued(name_of(self.workspace.folder))
        except UserError:
            return
        for submission in self.submissions.values():
            if submission.id in self.states:
                submission.unseen = None
            elif submission.unseen is None:
                submission.unseen = now
