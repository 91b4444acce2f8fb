"""Runs on a SLURM cluster: a real one on loopback, and commands that stand for SLURM's and fail."""

import os
import shutil

import pytest

from tests.verdicts.run.slurm_cluster import PROJECT
from tests.verdicts.run.test_runner_faults import ledger
from tests.verdicts.toy import REPOSITORY, Session, tree, with_study
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.run import cluster
from verdicts.run.driver import check_results, list_claims

CONFIG = """notebooks = false
every_picture = false
[resources]
default = { mem_mb = 200 }
gamma = { mem_mb = 200, shares = 3 }
[groups.gamma]
batches = 3
"""


@pytest.fixture
def session(tmp_path, monkeypatch):
    """Return a session on a toy with a study, three cells of which a sampler has."""
    toy = with_study(tmp_path / "a 'folder' of 100 %")
    shutil.copy(REPOSITORY / "config" / "slurm.toml", toy.root / "config")
    toy.replace("config/slurm.toml", "latency = 60", "latency = 1")
    toy.write("config/cpu.toml", CONFIG)
    return Session(toy, monkeypatch)


def results(toy, out):
    """Return what has to be the same: tables, cells and the ledger but for time fields."""
    folder = toy.root / out
    tables = [tree(folder / "cpu" / name, ".csv") for name in ("studies", "figures")]
    return tables, tree(folder / "cells"), ledger(folder, "cpu")


@pytest.mark.slow
def test_the_cluster_gives_what_one_machine_does(session, slurm, monkeypatch):
    toy = session.toy
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)
    alone, whole = toy.root / "alone", toy.root / "whole"
    assert session.run(profile=Profile.CPU, jobs=2, out=alone) == 0
    assert session.run(profile=Profile.CPU, cluster="slurm", out=whole) == 0, session.said
    assert "6 claims, 0 cached, 6 to run on SLURM" in session.said
    assert "C1    The mean energy" in session.said
    assert results(toy, "whole") == results(toy, "alone")
    name = cluster.name_of(whole / "cpu")
    assert cluster.queued(name) == {} and not (whole / "cpu" / cluster.FOLDER).exists()
    kept = slurm.asked("squeue", "-h", "--states=all", f"--name={name}", "-o", "%k").split()
    assert {"alpha.job", "gamma.study.0of3"} <= set(kept)


@pytest.mark.slow
def test_what_gpus_computed_is_current_on_a_login_node_that_has_none(session, slurm, monkeypatch):
    session.toy.write("config/paper.toml", f'device = "cuda"\n{CONFIG}')
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)
    options = {"profile": Profile.PAPER, "project": PROJECT}
    with pytest.raises(
        UserError, match=r"paper profile computes on a CUDA device, and \S+ has none"
    ):
        session.run(**options)
    assert session.run(cluster="slurm", **options) == 0, session.said
    row = session.rows("paper")["A1"]
    assert row["provenance"]["device"] == "a GPU" and row["computed"] == "computed"
    assert session.run(**options) == 0 and "nothing to compute" in session.said
    assert session.command(check_results, **options) == 0
    session.command(list_claims, **options)
    assert "(holds, current)" in session.said
    assert session.said.count("to do") == session.said.count("only with")


# Does the work at once; of what FAILS names, none is done; of LATE, later
SBATCH = """#!/bin/sh
echo "$@" >> "$STAND_IN/submitted"
for word in "$@"; do
  case $word in
    --wrap=*) work=${word#--wrap=} ;;
    --output=*) log=$(echo "${word#--output=}" | sed s/%%/%/g) ;;
    --comment=*) name=${word#--comment=} ;;
  esac
done
case " $REFUSED " in *" $name "*) echo "no such partition" >&2; exit 1 ;; esac
case " $UNSEEN " in *" $name "*) echo 7; exit ;; esac
case " $FAILS " in *" $name "*) work="echo killed" ;; esac
case " $LATE " in *" $name "*)
  (sleep 1; sh -c "$work" > "$log" 2>&1) < /dev/null > /dev/null 2>&1 &
  work=true ;;
esac
[ "$work" = true ] || sh -c "$work" > "$log" 2>&1
echo "7;cluster"
"""
SQUEUE = """#!/bin/sh
[ -z "$SILENT" ] || { echo "Unable to contact" >&2; exit 1; }
cat "$STAND_IN/queue"
"""
SCANCEL = """#!/bin/sh
echo "$@" >> "$STAND_IN/cancelled"
: > "$STAND_IN/queue"
"""


@pytest.fixture
def stand_in(session, tmp_path, monkeypatch):
    """Put commands on PATH that stand for SLURM's, and return their folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    commands = {
        "sbatch": SBATCH,
        "squeue": SQUEUE,
        "scancel": SCANCEL,
        "sinfo": "#!/bin/sh\necho 300+\n",
    }
    for name, text in commands.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name in ("queue", "submitted", "cancelled"):
        (folder / name).touch()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("STAND_IN", str(folder))
    for name, seconds in (("LOOK", 0.05), ("POLL", 0.01)):
        monkeypatch.setattr(cluster, name, seconds)
    session.toy.replace("config/slurm.toml", "latency = 1", "latency = 0.05")
    session.toy.write("config/cpu.toml", "notebooks = false\n")
    return folder


def run(session, **options):
    return session.run(profile=Profile.CPU, cluster="slurm", **options)


def test_a_run_is_as_on_this_machine(session, stand_in):
    assert run(session) == 0, session.said
    assert "6 to run on SLURM" in session.said and "C1    The mean" in session.said
    assert not (session.toy.folder("cpu") / cluster.FOLDER).exists()
    assert run(session) == 0 and "nothing to compute" in session.said


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("FAILS", "the job beta.job ended badly at every attempt: see {logs}/beta.job.log"),
        ("REFUSED", "the job beta.job was refused: sbatch ended with 1: no such partition"),
        (
            "UNSEEN",
            "the job beta.job left no log: do the nodes see {logs}? --out DIR names a folder",
        ),
    ],
)
def test_a_job_that_ends_badly_is_tried_again_with_more_memory_then_named(
    session, stand_in, monkeypatch, variable, said
):
    monkeypatch.setenv(variable, "beta.job")
    session.toy.write(
        "config/cpu.toml", "notebooks = false\n[resources]\nbeta = { mem_mb = 200 }\n"
    )
    assert run(session, only=("A1", "B1")) == 3
    assert said.format(logs=session.toy.folder("cpu") / "logs") in session.said
    assert session.rows("cpu")["A1"]["verdict"] == "holds"
    tries = [
        line for line in (stand_in / "submitted").read_text().splitlines() if "beta.job " in line
    ]
    assert [
        f"--mem={each} " in line for each, line in zip((200, 300, 300), tries, strict=True)
    ] == [True] * 3


def test_a_job_that_has_left_the_queue_may_have_ended_well_where_files_lag(
    session, stand_in, monkeypatch
):
    monkeypatch.setenv("LATE", "beta.job")
    session.toy.replace("config/slurm.toml", "latency = 0.05", "latency = 60")
    assert run(session, only=("B1",)) == 0
    assert len((stand_in / "submitted").read_text().splitlines()) == 1


def test_what_slurm_refuses_at_first_ends_the_run(session, stand_in, monkeypatch):
    session.toy.replace("config/slurm.toml", "options = []", 'options = ["--partition=mian"]')
    monkeypatch.setenv("REFUSED", "alpha.job beta.job gamma.job")
    with pytest.raises(UserError, match="sbatch ended with 1: no such partition"):
        run(session)
    assert "--partition=mian" in (stand_in / "submitted").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("retries = 2", "retries = -1", r"slurm.toml: retries = -1: .* greater than or equal to 0"),
        ("retries = 2", "retry = 2", "slurm.toml: retry = 2: no such field"),
        ("retries = 2", "retries", "slurm.toml is not valid TOML"),
    ],
)
def test_settings_that_cannot_be_used(session, stand_in, old, new, said):
    session.toy.replace("config/slurm.toml", old, new)
    with pytest.raises(UserError, match=said):
        run(session)


def test_no_slurm(session, monkeypatch):
    monkeypatch.setenv("PATH", str(session.toy.root))
    with pytest.raises(
        UserError, match="--cluster slurm: no sinfo on PATH: run this on a login node"
    ):
        run(session)


def test_an_interrupted_run_leaves_nothing(session, stand_in, monkeypatch):
    def interrupt(*_):
        (stand_in / "queue").write_text("7 RUNNING\n8 PENDING\n")
        raise KeyboardInterrupt

    monkeypatch.setattr("verdicts.run.workers.Watch.show", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(session, only=("B1",))
    assert "2 jobs cancelled" in session.said
    assert (stand_in / "cancelled").read_text() == "--quiet 7 8\n"


def test_jobs_of_a_killed_driver_are_cancelled_by_the_next_run_on_this_machine(session, stand_in):
    (session.toy.folder("cpu") / cluster.FOLDER).mkdir(parents=True)
    (stand_in / "queue").write_text("7 RUNNING\n")
    assert session.run(profile=Profile.CPU, only=("A1",)) == 0
    assert "1 job of an earlier run, still in the queue: cancelled" in session.said
    assert session.run(profile=Profile.CPU, only=("A1",)) == 0
    assert (stand_in / "cancelled").read_text() == "--quiet 7\n"


def test_a_queue_that_does_not_answer_is_told_and_left_to_the_next_run(
    session, stand_in, monkeypatch
):
    monkeypatch.setenv("SILENT", "yes")
    assert run(session, only=("B1",)) == 3
    words = "squeue ended with 1: Unable to contact"
    assert f"jobs may be left in the queue, the next run cancels them: {words}" in session.said
    with pytest.raises(UserError, match=f"jobs of an earlier run may still write into .*: {words}"):
        session.run(profile=Profile.CPU)
