"""SLURM: what it is asked, by commands that stand for its own; what is refused; Snakemake as the
driver's child.
"""

import platform
import shutil
import signal
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tests.verdicts.run.test_runner_faults import wait_for
from tests.verdicts.toy import REPOSITORY, Toy
from verdicts.errors import UserError
from verdicts.run import slurm
from verdicts.run.slurm import Node, die_with

QUEUE = """#!/bin/sh
cat "$(dirname "$0")/queue"
"""
CANCEL = """#!/bin/sh
queue="$(dirname "$0")/queue"
shift
for job in "$@"; do grep -v "^$job|" "$queue" > "$queue.new"; mv "$queue.new" "$queue"; done
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Return a function that puts a command on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(slurm, "POLL", 0.01)

    def put(name, text):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    return put


def test_what_does_not_answer_is_told_with_its_words(stand_in, monkeypatch):
    stand_in("squeue", "#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact' >&2\nexit 1\n")
    with pytest.raises(
        UserError, match="SLURM does not answer: squeue ended with 1: slurm_load_jobs error: Unable"
    ):
        slurm.queued("verdicts")
    stand_in("squeue", "#!/bin/sh\nsleep 5\n")
    monkeypatch.setattr(slurm, "ANSWER", 0.1)
    with pytest.raises(UserError, match=r"SLURM does not answer: .* timed out"):
        slurm.queued("verdicts")


def test_nodes_and_settings_are_read(stand_in):
    stand_in(
        "sinfo", "#!/bin/sh\necho 'n1|main|main*|4000+|gpu:2'; echo 'n1|long|long|4000|(null)'\n"
    )
    stand_in(
        "scontrol",
        "#!/bin/sh\necho 'Configuration data'; echo 'MinJobAge               = 300 sec'\n",
    )
    assert slurm.nodes() == [
        slurm.Node("n1", "main", True, 4000, "gpu:2"),
        slurm.Node("n1", "long", False, 4000, "(null)"),
    ]
    assert slurm.settings() == {"MinJobAge": "300 sec"}


def test_what_is_queued_tells_its_task(stand_in):
    stand_in("squeue", QUEUE)
    stand_in(
        "queue",
        "1|verdicts-a|RUNNING|rule_task_wildcards_a_b.job\n2|verdicts-a|PENDING|(null)\n3|mine|RUNNING|x|y\n",
    )
    assert slurm.queued("verdicts") == [
        slurm.Queued("1", "verdicts-a", "a_b.job", True),
        slurm.Queued("2", "verdicts-a", "(null)", False),
    ]


@pytest.mark.parametrize("again", [False, True])
def test_jobs_of_a_name_are_cancelled_and_no_others(stand_in, tmp_path, again):
    stand_in("squeue", QUEUE)
    stand_in("scancel", CANCEL)
    stand_in(
        "queue",
        "1|verdicts-a-x|RUNNING|\n2|verdicts-b-x|PENDING|\n3|verdicts-a-y|PENDING|\n4|mine|RUNNING|\n",
    )
    assert slurm.cancel("verdicts-a", 10.0, again) == 2
    assert (tmp_path / "queue").read_text() == "2|verdicts-b-x|PENDING|\n4|mine|RUNNING|\n"
    assert slurm.cancel("verdicts-a", 10.0, again) == 0


def test_a_job_that_was_on_its_way_is_cancelled_too(stand_in, monkeypatch):
    looks = iter([[], [slurm.Queued("7", "verdicts", "a.job", True)]])
    monkeypatch.setattr(slurm, "queued", lambda prefix: next(looks, []))
    stand_in("scancel", "#!/bin/sh\n")
    assert slurm.cancel("verdicts", 10.0, again=True) == 1


def test_jobs_that_do_not_end_are_told(stand_in):
    stand_in("squeue", "#!/bin/sh\necho '9|verdicts-a|RUNNING|'\n")
    stand_in("scancel", "#!/bin/sh\nexit 1\n")
    with pytest.raises(UserError, match="SLURM jobs 9 do not end though they are cancelled"):
        slurm.cancel("verdicts", -1.0)


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
    assert found.options == (
        "--slurm-status-command",
        "squeue",
        "--slurm-init-seconds-before-status-checks",
        "20",
    )
    for age, first in (("30 sec", "10"), ("1", "1"), ("?", "1")):
        monkeypatch.setattr(slurm, "settings", lambda age=age: PLAIN | {"MinJobAge": age})
        assert checked(toy)[0].options[-1] == first
    monkeypatch.setattr(
        slurm, "settings", lambda: {"AccountingStorageType": "accounting_storage/slurmdbd"}
    )
    assert checked(toy)[0].options == ()


@pytest.mark.parametrize("name", slurm.COMMANDS)
def test_no_slurm(toy, monkeypatch, name):
    monkeypatch.setattr(slurm.shutil, "which", lambda asked: None if asked == name else asked)
    with pytest.raises(
        UserError, match=f"--cluster slurm: no {name} on PATH: run this on a login node"
    ):
        checked(toy)


@pytest.mark.parametrize("lacking", [slurm.PACKAGES, slurm.PACKAGES[:1], slurm.PACKAGES[1:]])
def test_the_extra_is_not_installed(toy, monkeypatch, lacking):
    modules = {name.replace("-", "_") for name in lacking}

    def specification(name):
        return None if name in modules else ModuleSpec(name, None)

    monkeypatch.setattr(slurm.importlib.util, "find_spec", specification)
    with pytest.raises(UserError) as refused:
        checked(toy)
    assert (
        str(refused.value)
        == f"--cluster slurm needs {' and '.join(lacking)}: pip install '.[cluster]'"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "config/slurm/config.yaml cannot be read: while parsing"),
        ("nothing", "config/slurm/config.yaml: lines as `retries: 2` are expected"),
        (
            "default-resources: [slurm_partition=mian]",
            "slurm_partition: unknown partition 'mian': did you mean main",
        ),
        (
            "default-resources: [mem_mb]",
            "default-resources: lines as `- slurm_partition=NAME` are expected",
        ),
        (
            "default-resources: mem_mb=3",
            "default-resources: lines as `- slurm_partition=NAME` are expected",
        ),
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
    toy.write(
        "config/slurm/config.yaml",
        "default-resources:\n  - slurm_partition='fast'\n  - slurm_account=a=b\n",
    )
    assert checked(toy)[0].memory == 9000
    monkeypatch.setattr(slurm, "nodes", lambda: NODES[1:])
    toy.write("config/slurm/config.yaml", "retries: 1\n")
    with pytest.raises(
        UserError, match="the cluster has no default partition, so one must be named; known: fast"
    ):
        checked(toy)


def test_gpus_are_where_the_profile_needs_them(toy):
    toy.write("config/paper.toml", 'device = "cuda"\n')
    with pytest.raises(
        UserError,
        match="the paper profile computes on GPUs, and no node of partition main offers any",
    ):
        checked(toy, "paper")
    toy.write("config/slurm/config.yaml", "default-resources: {slurm_partition: fast}\n")
    assert checked(toy, "paper")[0].memory == 9000


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("nfs4", ""), ("ext4", "is on ext4: if"), ("", "is on an unknown"), ("tmpfs", "refused")],
)
def test_results_that_nodes_may_not_see(toy, monkeypatch, kind, outcome):
    monkeypatch.setattr(slurm, "nodes", lambda: [*NODES, Node("elsewhere", "main", True, 4000, "")])
    monkeypatch.setattr(slurm, "file_system", lambda folder: kind)
    if outcome == "refused":
        with pytest.raises(
            UserError,
            match="is on tmpfs, which the nodes do not see; name a shared folder with --out",
        ):
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


CHILD = """
import os, time
from verdicts.run.slurm import die_with

die_with(os.getppid())
print(os.getpid(), flush=True)
time.sleep(60)
"""
DRIVER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


@pytest.mark.skipif(find_spec("snakemake") is None, reason="no snakemake here (the extra cluster)")
def test_the_snakefile_is_not_for_use_by_hand(tmp_path):
    done = Toy.make(tmp_path).python("-m", "snakemake", "--cores", "1")
    assert done.returncode != 0
    assert (
        "not for use by hand: bash reproduce.sh --cluster slurm --profile PROFILE"
        in done.stdout + done.stderr
    )


@pytest.mark.skipif(sys.platform != "linux", reason="another system's kernel does not end children")
def test_the_child_ends_with_its_driver(tmp_path):
    streams = {"stdout": subprocess.PIPE, "text": True, "env": Toy(tmp_path, "").environment()}
    with subprocess.Popen([sys.executable, "-c", DRIVER], **streams) as driver:
        child = psutil.Process(int(driver.stdout.readline()))
        driver.send_signal(signal.SIGKILL)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_child_whose_driver_has_gone_does_not_begin():
    with pytest.raises(SystemExit, match="the driver has ended"):
        die_with(-1)
