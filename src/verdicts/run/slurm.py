"""SLURM: what it is asked, what is refused before anything is submitted, and Snakemake, which
submits.

Snakemake is a child that ends with its driver, however that dies: `python -m verdicts.run.slurm`.
Left alone, it would go on submitting jobs for a run that nobody watches.
"""

import ctypes
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]

from verdicts.claims.loading import Device
from verdicts.errors import UserError, unknown
from verdicts.records.workspace import Workspace

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
ANSWER, POLL = 60.0, 0.5
PARENT = "VERDICTS_DRIVER"
SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG
PROFILE = "config/slurm"
"""A Snakemake profile: how jobs run on the user's cluster."""
PACKAGES = ("snakemake", "snakemake-executor-plugin-slurm")
"""What submits jobs: the extra `cluster`, which no other run needs."""
SHARED = re.compile(
    r"nfs|lustre|gpfs|beegfs|ceph|gluster|panfs|orangefs|pvfs|afs|cifs|smb|9p|wekafs|virtiofs|daos|quobyte"
)
OF_ONE_MACHINE = frozenset({"tmpfs", "ramfs", "overlay"})
FIRST_LOOK = (
    40  # seconds until the plugin first asks what has become of a job, if the profile does not say
)


class Node(NamedTuple):
    """A node, as one of its partitions has it: host, partition (the default one?), memory in MiB,
    generic resources.
    """

    host: str
    partition: str
    default: bool
    memory: int
    gres: str


class Queued(NamedTuple):
    """A job in the queue: its id, its name, the task that it does (Snakemake's comment has it), and
    is it at work?
    """

    id: str
    name: str
    task: str
    running: bool


def asked(*command: str) -> str:
    """Return what a command of SLURM prints. Raises UserError where it fails, or gives no answer in
    a minute.
    """
    # in a session of its own: a signal that ends the driver is not to end what clears up after it
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=ANSWER,
            check=False,
            start_new_session=True,
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
    """Return this user's jobs, queued, running or ending, whose name begins so. Raises
    UserError.
    """
    lines = asked("squeue", "--me", "--noheader", "--format=%i|%j|%T|%k").splitlines()
    rows = (line.strip().split("|", 3) for line in lines)
    jobs = (
        Queued(job, name, comment.rpartition("_wildcards_")[2], state == "RUNNING")
        for job, name, state, comment in rows
    )
    return [job for job in jobs if job.name.startswith(prefix)]


def cancel(prefix: str, patience: float, again: bool = False) -> int:
    """Cancel the jobs whose name begins so, wait until they are gone, and return how many there
    were.

    `again`: look once more after none is left, since one may have been on its way. Raises UserError
    where SLURM does not answer, and for jobs that are not gone in `patience` seconds.
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
            raise UserError(
                f"SLURM jobs {', '.join(sorted(left))} do not end though they are cancelled"
            )
        time.sleep(POLL)
    return len(seen)


class Cluster(NamedTuple):
    """The largest memory of a node that jobs may use (MiB), seconds that the file system may lag,
    more options.
    """

    memory: int
    latency: int
    options: tuple[str, ...]


def preflight(workspace: Workspace, warn: Callable[[str], None]) -> Cluster:
    """Return what a run needs to know of the cluster; `warn` hears what may be wrong and cannot be
    known.

    Raises UserError: no SLURM here, no Snakemake or plugin, no such partition, no accelerator where
    the profile needs one, results where no node sees them.
    """
    for name in COMMANDS:
        if shutil.which(name) is None:
            raise UserError(
                f"--cluster slurm: no {name} on PATH: run this on a login node of a SLURM cluster"
            )
    missing = [
        name for name in PACKAGES if importlib.util.find_spec(name.replace("-", "_")) is None
    ]
    if missing:
        raise UserError(f"--cluster slurm needs {' and '.join(missing)}: pip install '.[cluster]'")
    profile = _profile(workspace.root)
    known = settings()
    chosen = _partition(nodes(), profile)
    if workspace.device is Device.CUDA and not any("gpu" in node.gres for node in chosen):
        raise UserError(
            f"the {workspace.profile} profile computes on GPUs, and no node of partition "
            f"{chosen[0].partition} offers any; name another one in {PROFILE}/config.yaml"
        )
    _shared(workspace.folder, {node.host for node in chosen}, warn)
    latency = _seconds(profile, "latency-wait", 5)
    return Cluster(max(node.memory for node in chosen), latency, tuple(_status(known, profile)))


def _profile(root: Path) -> dict[str, Any]:
    """Return the Snakemake profile. Raises UserError."""
    import yaml

    path = root / PROFILE / "config.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(
            f"{PROFILE}/config.yaml cannot be read: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{PROFILE}/config.yaml: lines as `retries: 2` are expected")
    return content


def _partition(nodes: Sequence[Node], profile: dict[str, Any]) -> list[Node]:
    """Return the nodes of the partition that the profile names, else of the default one. Raises
    UserError.
    """
    given = profile.get("default-resources") or {}
    lines = (
        list(given.items())
        if isinstance(given, dict)
        else [str(line).split("=", 1) for line in given]
    )
    if isinstance(given, str) or any(len(line) != 2 for line in lines):
        raise UserError(
            f"{PROFILE}/config.yaml: default-resources: lines as `- slurm_partition=NAME` "
            "are expected"
        )
    name = str(dict(lines).get("slurm_partition", "")).strip("\"' ")
    chosen = [node for node in nodes if (node.partition == name if name else node.default)]
    place = f"{PROFILE}/config.yaml: slurm_partition"
    if name and not chosen:
        raise UserError(
            f"{place}: {unknown('partition', name, sorted({node.partition for node in nodes}))}"
        )
    if not chosen:
        known = ", ".join(sorted({node.partition for node in nodes})) or "none"
        raise UserError(
            f"{place}: the cluster has no default partition, so one must be named; known: {known}"
        )
    return chosen


def _status(known: dict[str, str], profile: dict[str, Any]) -> list[str]:
    """Return how the plugin learns what has become of a job: from the queue, where there is no
    accounting.

    The queue forgets a job MinJobAge seconds after its end: the plugin must look thrice in that
    time.
    """
    if known.get("AccountingStorageType", "(null)") not in ("(null)", "accounting_storage/none"):
        return []
    age = re.match(r"\d+", known.get("MinJobAge", ""))
    wanted = _seconds(profile, "slurm-init-seconds-before-status-checks", FIRST_LOOK)
    first = min(wanted, int(age[0]) // 3 if age else 1)
    return [
        "--slurm-status-command",
        "squeue",
        "--slurm-init-seconds-before-status-checks",
        str(max(first, 1)),
    ]


def _seconds(profile: dict[str, Any], name: str, default: int) -> int:
    """Return a number of seconds of the profile. Raises UserError."""
    try:
        return int(profile.get(name, default))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{PROFILE}/config.yaml: {name}: a number of seconds is expected: {profile[name]!r}"
        ) from error


def _shared(folder: Path, hosts: set[str], warn: Callable[[str], None]) -> None:
    """Refuse results that no node can see, and warn where that cannot be known. Raises
    UserError.
    """
    if hosts <= {platform.node(), platform.node().split(".")[0]}:
        return
    kind = file_system(folder)
    if kind in OF_ONE_MACHINE:
        raise UserError(
            f"{folder} is on {kind}, which the nodes do not see; name a shared folder with "
            "--out DIR"
        )
    if not SHARED.search(kind):
        warn(
            f"{folder} is on {kind or 'an unknown file system'}: if the nodes do not share "
            "it, every job fails; "
            "--out DIR names another folder"
        )


def file_system(folder: Path) -> str:
    """Return the type of the file system that holds `folder`, empty where it cannot be known."""
    holding = [
        each for each in psutil.disk_partitions(all=True) if folder.is_relative_to(each.mountpoint)
    ]
    innermost = max(
        reversed(holding), key=lambda each: len(Path(each.mountpoint).parts), default=None
    )
    return innermost.fstype if innermost else ""


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent dies; end it if `parent` is dead already.
    Linux alone has it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the driver has ended")


def main(arguments: Sequence[str]) -> None:
    """Hand the arguments to Snakemake, which exits."""
    die_with(int(os.environ.pop(PARENT)))
    from snakemake.cli import main as snakemake

    snakemake(list(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
