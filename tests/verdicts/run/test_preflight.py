"""What is refused before anything is submitted: one line each."""

import platform
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.verdicts.toy import REPOSITORY, Toy
from verdicts.errors import UserError
from verdicts.run import slurm
from verdicts.run.slurm import Node

HOST = platform.node()
NODES = [Node(HOST, "main", True, 4000, "(null)"), Node(HOST, "fast", False, 9000, "gpu:a100:2")]
PLAIN = {"AccountingStorageType": "(null)", "MinJobAge": "300 sec"}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A toy on a cluster of one node, which is this machine, with all that is needed."""
    toy = Toy.make(tmp_path)
    shutil.copytree(REPOSITORY / "config" / "slurm", toy.root / "config" / "slurm")
    monkeypatch.setattr(slurm.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(slurm.importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(slurm, "nodes", lambda: NODES)
    monkeypatch.setattr(slurm, "settings", lambda: PLAIN)
    return toy


def checked(toy, profile="cpu"):
    warned = []
    return slurm.preflight(toy.workspace(profile), warned.append), warned


def test_without_accounting_the_queue_is_asked_often_enough(toy, monkeypatch):
    found, warned = checked(toy)
    assert (found.memory, found.latency, warned) == (4000, 60, [])
    assert found.options == ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "20")
    for age, first in (("30 sec", "10"), ("1", "1"), ("?", "1")):
        monkeypatch.setattr(slurm, "settings", lambda age=age: PLAIN | {"MinJobAge": age})
        assert checked(toy)[0].options[-1] == first
    monkeypatch.setattr(slurm, "settings", lambda: {"AccountingStorageType": "accounting_storage/slurmdbd"})
    assert checked(toy)[0].options == ()


@pytest.mark.parametrize("name", slurm.COMMANDS)
def test_no_slurm(toy, monkeypatch, name):
    monkeypatch.setattr(slurm.shutil, "which", lambda asked: None if asked == name else asked)
    with pytest.raises(UserError, match=f"--cluster slurm: no {name} on PATH: run this on a login node"):
        checked(toy)


def test_no_plugin(toy, monkeypatch):
    monkeypatch.setattr(slurm.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="the plugin is not installed: pip install snakemake-executor-plugin-slurm"):
        checked(toy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "config/slurm/config.yaml cannot be read: while parsing"),
        ("nothing", "config/slurm/config.yaml: lines as `retries: 2` are expected"),
        ("default-resources: [slurm_partition=mian]", "slurm_partition: unknown partition 'mian': did you mean main"),
        ("default-resources: [mem_mb]", "default-resources: lines as `- slurm_partition=NAME` are expected"),
        ("default-resources: mem_mb=3", "default-resources: lines as `- slurm_partition=NAME` are expected"),
        ("latency-wait: long", "latency-wait: a number of seconds is expected: 'long'"),
        ("default-resources: {slurm_partition: zzz}", "unknown partition 'zzz': known: fast; main"),
    ],
)
def test_a_profile_that_cannot_be_used(toy, text, said):
    toy.write("config/slurm/config.yaml", text)
    with pytest.raises(UserError) as problem:
        checked(toy)
    assert said in str(problem.value) and "\n" not in str(problem.value)
    (toy.root / "config/slurm/config.yaml").unlink()
    with pytest.raises(UserError, match=r"config/slurm/config.yaml cannot be read: .*No such file"):
        checked(toy)


def test_a_partition_is_named_or_the_default(toy, monkeypatch):
    toy.write("config/slurm/config.yaml", "default-resources:\n  - slurm_partition='fast'\n  - slurm_account=a=b\n")
    assert checked(toy)[0].memory == 9000
    monkeypatch.setattr(slurm, "nodes", lambda: NODES[1:])
    toy.write("config/slurm/config.yaml", "retries: 1\n")
    with pytest.raises(UserError, match="the cluster has no default partition, so one must be named; known: fast"):
        checked(toy)


def test_gpus_are_where_the_profile_needs_them(toy):
    toy.write("config/paper.toml", 'device = "cuda"\n')
    with pytest.raises(UserError, match="the paper profile computes on GPUs, and no node of partition main offers any"):
        checked(toy, "paper")
    toy.write("config/slurm/config.yaml", "default-resources: {slurm_partition: fast}\n")
    assert checked(toy, "paper")[0].memory == 9000


@pytest.mark.parametrize(
    ("kind", "outcome"), [("nfs4", ""), ("ext4", "is on ext4: if"), ("", "is on an unknown"), ("tmpfs", "refused")]
)
def test_results_that_nodes_may_not_see(toy, monkeypatch, kind, outcome):
    monkeypatch.setattr(slurm, "nodes", lambda: [*NODES, Node("elsewhere", "main", True, 4000, "")])
    monkeypatch.setattr(slurm, "file_system", lambda folder: kind)
    if outcome == "refused":
        with pytest.raises(UserError, match="is on tmpfs, which the nodes do not see; name a shared folder with --out"):
            checked(toy)
        return
    (warning,) = checked(toy)[1] or ("",)
    assert outcome in warning and bool(outcome) is bool(warning)


def test_the_file_system_is_that_of_the_innermost_mount(monkeypatch):
    mounts = [("/", "ext4"), ("/home", "nfs4"), ("/home/a b", "tmpfs"), ("/home", "lustre")]
    mounted = [SimpleNamespace(mountpoint=point, fstype=kind) for point, kind in mounts]
    monkeypatch.setattr(slurm.psutil, "disk_partitions", lambda all: mounted)
    places = {"/etc": "ext4", "/home/x": "lustre", "/home/a b/c": "tmpfs", "/homes": "ext4"}
    assert {place: slurm.file_system(Path(place)) for place in places} == places
    mounted.clear()
    assert slurm.file_system(Path("/")) == ""
