"""Runs on a SLURM cluster, a real one on loopback: the bytes of one machine, whatever is killed or cancelled."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.verdicts.run.gpu_node import PROJECT
from tests.verdicts.run.session import Session
from tests.verdicts.run.test_runner_faults import ledger, wait_for
from tests.verdicts.study_toy import tree, with_study
from tests.verdicts.toy import REPOSITORY
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.run import cluster
from verdicts.run.driver import check_results, list_claims

FAST = {"latency-wait: 60": "latency-wait: 5", "status-checks: 20": "status-checks: 1"}
CONFIG = "notebooks = false\nevery_picture = false\n[resources]\ndefault = { mem_mb = 200 }\n"


@pytest.fixture
def toy(tmp_path):
    """A toy with a study, three cells of which a sampler has; each takes as long as TOY_SLEEP says."""
    toy = with_study(tmp_path / "a folder")
    shutil.copytree(REPOSITORY / "config" / "slurm", toy.root / "config" / "slurm")
    for old, new in FAST.items():
        toy.replace("config/slurm/config.yaml", old, new)
    naps = "def log(line):\n    import os, time\n    time.sleep(float(os.environ.get('TOY_SLEEP', 0)))\n"
    toy.replace_in_module("gamma/study", "def log(line):\n", naps)
    share_out(toy, 3)
    return toy


def share_out(toy, shares, profile="cpu", more=""):
    text = f"{more}{CONFIG}gamma = {{ mem_mb = 200, shares = {shares} }}\n[groups.gamma]\nbatches = 3\n"
    toy.write(f"config/{profile}.toml", text)


@contextlib.contextmanager
def driver(toy, slurm, *arguments, sleep=0.0):
    """Run the command line on the cluster, as the leader of a process group of its own."""
    command = [sys.executable, "-m", "ams_suite", "reproduce", "--cluster", "slurm", "--profile", "cpu", *arguments]
    environment = toy.environment() | slurm.environment | {"TOY_SLEEP": str(sleep)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=toy.root, env=environment, start_new_session=True, **streams) as run:
        try:
            yield run
        finally:
            run.kill()


def processes(toy, module):
    """Yield the processes that run a module of the engine for a toy, and their command lines."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if module in (words := process.cmdline()) and any(word.startswith(str(toy.root)) for word in words):
                yield process, words


def shares_at_work(toy):
    """Return of each share that is being computed its number, process and SLURM job."""
    found = {}
    for process, words in processes(toy, "verdicts.run.job"):
        with contextlib.suppress(psutil.Error, KeyError):
            if "study" in words:
                found[words[words.index("--share") + 1]] = (process, process.environ()["SLURM_JOB_ID"])
    return found


def at_work(toy, apart_from=()):
    """Wait until three shares are being computed, by other jobs than those named, and return them."""

    def found():
        shares = shares_at_work(toy)
        return len(shares) == 3 and not any(each in apart_from for _, each in shares.values())

    wait_for(found, 120)
    return shares_at_work(toy)


def results(toy, out, profile="cpu"):
    """Return what has to be the same: tables, cells and the ledger but for time fields."""
    folder = toy.root / out
    tables = tree(folder / profile / "studies", ".csv"), tree(folder / profile / "figures", ".csv")
    return tables, tree(folder / "cells"), ledger(folder, profile)


def undisturbed(toy):
    """Return the results of a run on this machine alone."""
    assert toy.ams("reproduce", "--profile", "cpu", "--jobs", "2", "--out", "alone").returncode == 0
    return results(toy, "alone")


@pytest.mark.slow
def test_any_number_of_shares_gives_what_one_machine_does(toy, slurm):
    alone = undisturbed(toy)
    for shares in (1, 3, 8):
        share_out(toy, shares)
        with driver(toy, slurm, "--out", f"of{shares}") as run:
            said, _ = run.communicate(timeout=300)
        assert run.returncode == 0, said
        assert "6 claims, 0 cached, 6 to run on SLURM" in said and "C1    The mean energy" in said
        assert results(toy, f"of{shares}") == alone
        assert slurm.queue() == [] and not (toy.root / f"of{shares}" / "cpu" / cluster.FOLDER).exists()
        assert shares != 3 or (toy.root / "of3/cpu/logs/gamma.study.2of3.log").exists()
    assert toy.ams("check", "--profile", "cpu", "--out", "of8").returncode == 0


@pytest.mark.slow
def test_a_killed_driver_a_killed_share_and_a_cancelled_job_cost_nothing(toy, slurm):
    alone = undisturbed(toy)
    with driver(toy, slurm, sleep=60) as run:
        first = at_work(toy)
        run.kill()
        run.wait()
    assert slurm.queue() != []
    wait_for(lambda: not list(processes(toy, "verdicts.run.snakemake")))
    with driver(toy, slurm, sleep=8) as run:
        shares = at_work(toy, apart_from=[each for _, each in first.values()])
        shares["1"][0].kill()
        slurm.asked("scancel", shares["2"][1])
        said, _ = run.communicate(timeout=300)
    assert run.returncode == 0, said
    assert "of an earlier run, still in the queue: cancelled" in said
    assert slurm.queue() == [] and results(toy, "results") == alone
    ended = slurm.asked("squeue", "-h", "--states=all", "-o", "%i %T")
    assert f"{shares['1'][1]} FAILED" in ended and f"{shares['2'][1]} CANCELLED" in ended


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_all_jobs(toy, slurm, sent):
    with driver(toy, slurm, sleep=60) as run:
        at_work(toy)
        os.killpg(run.pid, sent)
        said, _ = run.communicate(timeout=120)
    assert run.returncode == 130 and "cancelled" in said and "interrupted" in said
    assert slurm.queue() == [] and not shares_at_work(toy)
    assert not (toy.folder("cpu") / cluster.FOLDER).exists()


@pytest.mark.slow
def test_a_share_that_ends_badly_again_and_again_is_told_with_its_logs(toy, slurm):
    end = "def log(line):\n    print('about to go', flush=True)\n    __import__('os')._exit(9)\n"
    toy.replace_in_module("gamma/study", "def log(line):\n", end)
    toy.replace("config/slurm/config.yaml", "retries: 2", "retries: 1")
    share_out(toy, 2)
    with driver(toy, slurm) as run:
        said, _ = run.communicate(timeout=300)
    assert run.returncode == 3
    told = [line for line in said.splitlines() if "ended badly" in line]
    assert len(told) == 2 and "the job gamma.study.0of2 ended badly at every attempt" in told[0]
    for name in told[0].partition(": see ")[2].split(" and "):
        assert Path(name).exists(), name
    assert "about to go" in (toy.folder("cpu") / "logs" / "gamma.study.0of2.log").read_text()
    assert slurm.queue() == [] and toy.rows("cpu")["A1"]["verdict"] == "holds"


@pytest.mark.slow
def test_what_gpus_computed_is_current_on_a_login_node_that_has_none(toy, slurm, monkeypatch):
    share_out(toy, 1, "gpu", 'device = "cuda"\n')
    session = Session(toy, monkeypatch)
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)
    options = {"profile": Profile.GPU, "project": PROJECT}
    with pytest.raises(UserError, match=r"the gpu profile computes on a CUDA device, and \S+ has none to use"):
        session.run(**options)
    assert session.run(cluster="slurm", **options) == 0, session.said
    row = session.rows("gpu")["A1"]
    assert row["provenance"]["device"] == "a GPU" and row["computed"] == "computed"
    assert session.run(**options) == 0 and "nothing to compute" in session.said
    assert session.command(check_results, **options) == 0
    session.command(list_claims, **options)
    assert "(holds, current)" in session.said and session.said.count("to do") == session.said.count("only with")


@pytest.mark.slow
def test_an_unknown_partition_is_refused_with_the_nearest(toy, slurm):
    toy.replace("config/slurm/config.yaml", "  - nodes=1", "  - slurm_partition=spair")
    with driver(toy, slurm) as run:
        said, _ = run.communicate(timeout=100)
    assert run.returncode == 2 and "slurm_partition: unknown partition 'spair': did you mean spare?" in said
