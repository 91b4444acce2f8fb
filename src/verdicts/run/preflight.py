"""What can be refused before anything is submitted to a SLURM cluster, each in one line."""

import importlib.util
import platform
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]

from verdicts.claims.config import Device
from verdicts.errors import UserError, unknown
from verdicts.records.workspace import Workspace
from verdicts.run import slurm

PROFILE = "config/slurm"
"""A Snakemake profile: how jobs run on the user's cluster."""
PLUGIN = "snakemake_executor_plugin_slurm"
SHARED = re.compile(
    r"nfs|lustre|gpfs|beegfs|ceph|gluster|panfs|orangefs|pvfs|afs|cifs|smb|9p|wekafs|virtiofs|daos|quobyte"
)
OF_ONE_MACHINE = frozenset({"tmpfs", "ramfs", "overlay"})
FIRST_LOOK = 40  # seconds until the plugin first asks what has become of a job, if the profile does not say


class Cluster(NamedTuple):
    """The largest memory of a node that jobs may use (MiB), seconds that the file system may lag, more options."""

    memory: int
    latency: int
    options: tuple[str, ...]


def preflight(workspace: Workspace, warn: Callable[[str], None]) -> Cluster:
    """Return what a run needs to know of the cluster; `warn` hears what may be wrong and cannot be known.

    Raises UserError: no SLURM here, no plugin, no such partition, no accelerator where the profile needs one, results
    where no node sees them.
    """
    for name in slurm.COMMANDS:
        if shutil.which(name) is None:
            raise UserError(f"--cluster slurm: no {name} on PATH: run this on a login node of a SLURM cluster")
    if importlib.util.find_spec(PLUGIN) is None:
        raise UserError("--cluster slurm: the plugin is not installed: pip install snakemake-executor-plugin-slurm")
    profile = _profile(workspace.root)
    known = slurm.settings()
    nodes = _partition(slurm.nodes(), profile)
    if workspace.device is Device.CUDA and not any("gpu" in node.gres for node in nodes):
        raise UserError(
            f"the {workspace.profile} profile computes on GPUs, and no node of partition "
            f"{nodes[0].partition} offers any; name another one in {PROFILE}/config.yaml"
        )
    _shared(workspace.folder, {node.host for node in nodes}, warn)
    latency = _seconds(profile, "latency-wait", 5)
    return Cluster(max(node.memory for node in nodes), latency, tuple(_status(known, profile)))


def _profile(root: Path) -> dict[str, Any]:
    """Return the Snakemake profile. Raises UserError."""
    import yaml

    path = root / PROFILE / "config.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{PROFILE}/config.yaml cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UserError(f"{PROFILE}/config.yaml: lines as `retries: 2` are expected")
    return content


def _partition(nodes: Sequence[slurm.Node], profile: dict[str, Any]) -> list[slurm.Node]:
    """Return the nodes of the partition that the profile names, else of the default one. Raises UserError."""
    given = profile.get("default-resources") or {}
    lines = list(given.items()) if isinstance(given, dict) else [str(line).split("=", 1) for line in given]
    if isinstance(given, str) or any(len(line) != 2 for line in lines):
        raise UserError(f"{PROFILE}/config.yaml: default-resources: lines as `- slurm_partition=NAME` are expected")
    name = str(dict(lines).get("slurm_partition", "")).strip("\"' ")
    chosen = [node for node in nodes if (node.partition == name if name else node.default)]
    place = f"{PROFILE}/config.yaml: slurm_partition"
    if name and not chosen:
        raise UserError(f"{place}: {unknown('partition', name, sorted({node.partition for node in nodes}))}")
    if not chosen:
        known = ", ".join(sorted({node.partition for node in nodes})) or "none"
        raise UserError(f"{place}: the cluster has no default partition, so one must be named; known: {known}")
    return chosen


def _status(known: dict[str, str], profile: dict[str, Any]) -> list[str]:
    """Return how the plugin learns what has become of a job: from the queue, where there is no accounting.

    The queue forgets a job MinJobAge seconds after its end: the plugin must look thrice in that time.
    """
    if known.get("AccountingStorageType", "(null)") not in ("(null)", "accounting_storage/none"):
        return []
    age = re.match(r"\d+", known.get("MinJobAge", ""))
    wanted = _seconds(profile, "slurm-init-seconds-before-status-checks", FIRST_LOOK)
    first = min(wanted, int(age[0]) // 3 if age else 1)
    return ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", str(max(first, 1))]


def _seconds(profile: dict[str, Any], name: str, default: int) -> int:
    """Return a number of seconds of the profile. Raises UserError."""
    try:
        return int(profile.get(name, default))
    except (TypeError, ValueError) as error:
        raise UserError(f"{PROFILE}/config.yaml: {name}: a number of seconds is expected: {profile[name]!r}") from error


def _shared(folder: Path, hosts: set[str], warn: Callable[[str], None]) -> None:
    """Refuse results that no node can see, and warn where that cannot be known. Raises UserError."""
    if hosts <= {platform.node(), platform.node().split(".")[0]}:
        return
    kind = file_system(folder)
    if kind in OF_ONE_MACHINE:
        raise UserError(f"{folder} is on {kind}, which the nodes do not see; name a shared folder with --out DIR")
    if not SHARED.search(kind):
        warn(
            f"{folder} is on {kind or 'an unknown file system'}: if the nodes do not share it, every job fails; "
            "--out DIR names another folder"
        )


def file_system(folder: Path) -> str:
    """Return the type of the file system that holds `folder`, empty where it cannot be known."""
    holding = [each for each in psutil.disk_partitions(all=True) if folder.is_relative_to(each.mountpoint)]
    innermost = max(reversed(holding), key=lambda each: len(Path(each.mountpoint).parts), default=None)
    return innermost.fstype if innermost else ""
