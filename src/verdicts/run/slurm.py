"""What a SLURM cluster is asked: does it answer, what does it offer, which jobs of a name are there; and cancelling."""

import subprocess
import time
from contextlib import suppress
from typing import NamedTuple

from verdicts.errors import UserError

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
ANSWER, POLL = 60.0, 0.5


class Node(NamedTuple):
    """A node, as one of its partitions has it: host, partition (the default one?), memory in MiB, generic resources."""

    host: str
    partition: str
    default: bool
    memory: int
    gres: str


class Queued(NamedTuple):
    """A job in the queue: its id, its name, the task that it does (Snakemake's comment has it), and is it at work?"""

    id: str
    name: str
    task: str
    running: bool


def asked(*command: str) -> str:
    """Return what a command of SLURM prints. Raises UserError where it fails, or gives no answer in a minute."""
    try:  # in a session of its own: a signal that ends the driver is not to end what clears up after it
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER, check=False, start_new_session=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"SLURM does not answer: {error}") from error
    if done.returncode:
        words = (done.stderr or done.stdout).split("\n")  # the last line has the cause
        last = next((line.strip() for line in reversed(words) if line.strip()), "it says nothing")
        raise UserError(f"SLURM does not answer: {command[0]} ended with {done.returncode}: {last}")
    return done.stdout


def settings() -> dict[str, str]:
    """Return the cluster's configuration. Raises UserError."""
    pairs = (line.partition("=") for line in asked("scontrol", "show", "config").splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs if value}


def nodes() -> list[Node]:
    """Return the nodes of all partitions. Raises UserError."""
    lines = asked("sinfo", "--Node", "--noheader", "--format=%n|%R|%P|%m|%G").splitlines()
    rows = (line.strip().split("|") for line in lines)
    return [
        Node(host, name, marked.endswith("*"), int(memory.rstrip("+")), gres)
        for host, name, marked, memory, gres in rows
    ]


def queued(prefix: str) -> list[Queued]:
    """Return this user's jobs, queued, running or ending, whose name begins so. Raises UserError."""
    lines = asked("squeue", "--me", "--noheader", "--format=%i|%j|%T|%k").splitlines()
    rows = (line.strip().split("|", 3) for line in lines)
    jobs = (
        Queued(job, name, comment.rpartition("_wildcards_")[2], state == "RUNNING")
        for job, name, state, comment in rows
    )
    return [job for job in jobs if job.name.startswith(prefix)]


def cancel(prefix: str, patience: float, again: bool = False) -> int:
    """Cancel the jobs whose name begins so, wait until they are gone, and return how many there were.

    `again`: look once more after none is left, since one may have been on its way. Raises UserError where SLURM does
    not answer, and for jobs that are not gone in `patience` seconds.
    """
    seen: set[str] = set()
    end = time.monotonic() + patience
    while (left := {job.id for job in queued(prefix)}) or again:
        again = again and bool(left)
        seen |= left
        if left:
            with suppress(UserError):  # of one that has just ended
                asked("scancel", "--quiet", *sorted(left))
        if left and time.monotonic() > end:
            raise UserError(f"SLURM jobs {', '.join(sorted(left))} do not end though they are cancelled")
        time.sleep(POLL)
    return len(seen)
