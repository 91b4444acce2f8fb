"""Runs on a SLURM cluster, a real one on loopback: the bytes of one machine, and a queue that is
left empty.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from tests.verdicts.run.slurm_cluster import PROJECT
from tests.verdicts.run.test_runner_faults import ledger
from tests.verdicts.toy import REPOSITORY, Session, tree, with_study
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.run import cluster, driver as driver_module, slurm as slurm_commands
from verdicts.run.driver import check_results, list_claims
from verdicts.run.slurm import Cluster

FAST = {"latency-wait: 60": "latency-wait: 5", "status-checks: 20": "status-checks: 1"}
CONFIG = "notebooks = false\nevery_picture = false\n[resources]\ndefault = { mem_mb = 200 }\n"


@pytest.fixture
def toy(tmp_path):
    """A toy with a study, three cells of which a sampler has."""
    toy = with_study(tmp_path / "a folder")
    shutil.copytree(REPOSITORY / "config" / "slurm", toy.root / "config" / "slurm")
    for old, new in FAST.items():
        toy.replace("config/slurm/config.yaml", old, new)
    share_out(toy, 3)
    return toy


def share_out(toy, shares, profile="cpu", more=""):
    text = (
        f"{more}{CONFIG}gamma = {{ mem_mb = 200, shares = {shares} }}\n[groups.gamma]\nbatches "
        "= 3\n"
    )
    toy.write(f"config/{profile}.toml", text)


def processes(toy, module):
    """Yield the processes that run a module of the engine for a toy."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if module in (words := process.cmdline()) and any(
                word.startswith(str(toy.root)) for word in words
            ):
                yield process


def results(toy, out, profile="cpu"):
    """Return what has to be the same: tables, cells and the ledger but for time fields."""
    folder = toy.root / out
    tables = tree(folder / profile / "studies", ".csv"), tree(folder / profile / "figures", ".csv")
    return tables, tree(folder / "cells"), ledger(folder, profile)


@pytest.mark.slow
def test_the_cluster_gives_what_one_machine_does(toy, slurm):
    words = ("-m", "ams_suite", "reproduce", "--profile", "cpu")
    assert toy.python(*words, "--jobs", "2", "--out", "alone").returncode == 0
    variables = slurm.environment_of(toy.environment())
    done = toy.python(*words, "--cluster", "slurm", "--out", "whole", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "6 claims, 0 cached, 6 to run on SLURM" in done.stdout
        and "C1    The mean energy" in done.stdout
    )
    assert results(toy, "whole") == results(toy, "alone")
    folder = toy.root / "whole" / "cpu"
    assert slurm.queue() == [] and not (folder / cluster.FOLDER).exists()
    named = slurm.asked("squeue", "-h", "--states=all", "-o", "%j").split()
    assert any(name.startswith(cluster.name_of(folder)) for name in named), (
        "by this they are cancelled"
    )


@pytest.mark.slow
def test_what_gpus_computed_is_current_on_a_login_node_that_has_none(toy, slurm, monkeypatch):
    share_out(toy, 1, "paper", 'device = "cuda"\n')
    session = Session(toy, monkeypatch)
    for name, value in slurm.environment_of(toy.environment()).items():
        monkeypatch.setenv(name, value)
    options = {"profile": Profile.PAPER, "project": PROJECT}
    with pytest.raises(
        UserError, match=r"the paper profile computes on a CUDA device, and \S+ has none to use"
    ):
        session.run(**options)
    assert session.run(cluster="slurm", **options) == 0, session.said
    row = session.rows("paper")["A1"]
    assert row["provenance"]["device"] == "a GPU" and row["computed"] == "computed"
    assert session.run(**options) == 0 and "nothing to compute" in session.said
    assert session.command(check_results, **options) == 0
    session.command(list_claims, **options)
    assert "(holds, current)" in session.said and session.said.count("to do") == session.said.count(
        "only with"
    )


# Does what the Snakefile does, each job in a fork; a job whose name is in BROKEN ends badly, one in
# LOST is never begun
STAND_IN = """
import json, os, pathlib, sys
from verdicts.run.job import main
place = pathlib.Path(sys.argv[1])
(place / "done").mkdir()
code = 0
for name, task in json.loads((place / "tasks.json").read_text())["tasks"].items():
    assert task["command"][:3] == [sys.executable, "-m", "verdicts.run.job"]
    done = all((place / "done" / each).exists() for each in task["after"])
    if name in os.environ.get("LOST", "") or not done:
        code = 1
    elif not (child := os.fork()):
        with open(task["log"], "w") as log:
            os.dup2(log.fileno(), 2)
        os._exit(name in os.environ.get("BROKEN", "") or main(task["command"][3:]))
    elif os.waitpid(child, 0)[1] == 0:
        (place / "done" / name).touch()
    else:
        code = 1
sys.exit(code)
"""


class TestWithoutSlurm:
    """The driver, with a stand-in for Snakemake and for the queue."""

    @pytest.fixture
    def session(self, toy, monkeypatch):
        toy.write("config/cpu.toml", CONFIG)
        self.cancelled = []

        def cancel(prefix, patience, again=False):
            self.cancelled.append((prefix, again))
            return self.left

        def begun(workspace, run, place, *more):
            command = [sys.executable, "-c", STAND_IN, str(place)]
            return subprocess.Popen(
                command, env=toy.environment() | dict(os.environ), start_new_session=True
            )

        self.left, self.name = 0, cluster.name_of(toy.folder("cpu"))
        monkeypatch.setattr(slurm_commands, "cancel", cancel)
        monkeypatch.setattr(
            driver_module, "preflight", lambda workspace, warn: Cluster(4000, 1, ())
        )
        monkeypatch.setattr(cluster, "_snakemake", begun)
        return Session(toy, monkeypatch)

    def run(self, session, **options):
        return session.run(profile=Profile.CPU, cluster="slurm", **options)

    def snakemake_is(self, code, monkeypatch):
        """Let Python code stand for Snakemake."""
        command = [sys.executable, "-c", code]
        monkeypatch.setattr(
            cluster, "_snakemake", lambda *_: subprocess.Popen(command, start_new_session=True)
        )

    def test_a_run_is_as_on_this_machine(self, session, toy):
        assert (
            self.run(session) == 0
            and "6 to run on SLURM" in session.said
            and "C1    The mean" in session.said
        )
        assert self.cancelled == [(self.name, False), (self.name, True)]
        assert not (toy.folder("cpu") / cluster.FOLDER).exists()
        assert self.run(session) == 0 and "nothing to compute" in session.said

    def test_a_job_that_ends_badly_or_never_begins_is_named(self, session, toy, monkeypatch):
        monkeypatch.setenv("BROKEN", "alpha.job")
        monkeypatch.setenv("LOST", "beta.job")
        log = toy.write("results/cpu/logs/slurm/rule_task/alpha.job/7.log", "killed")
        assert self.run(session) == 3
        logs = toy.folder("cpu") / "logs"
        assert (
            f"alpha.job ended badly at every attempt: see {logs / 'alpha.job.log'} and {log}"
            in session.said
        )
        assert f"beta.job was not started: see {logs / 'snakemake.log'}" in session.said

    def test_snakemake_that_breaks_is_told_with_its_log(self, toy, session, monkeypatch):
        self.snakemake_is("raise SystemExit(1)", monkeypatch)
        monkeypatch.setattr(cluster, "tasks", lambda workspace, plan, jobs: [])
        assert self.run(session) == 3
        assert (
            f"Snakemake ended with 1: see {toy.folder('cpu') / 'logs' / 'snakemake.log'}"
            in session.said
        )

    def test_snakemake_that_is_killed_blames_no_job(self, toy, session, monkeypatch):
        log = toy.folder("cpu") / "logs" / "gamma.job.log"
        self.snakemake_is(
            f"import os; open({str(log)!r}, 'w'); os.kill(os.getpid(), 9)", monkeypatch
        )
        assert self.run(session) == 3
        assert (
            "Snakemake was killed by signal 9: its jobs are cancelled; run again to go on"
            in session.said
        )
        assert "gamma.job has not ended" in session.said and "ended badly" not in session.said

    def test_a_controller_that_forgets_the_jobs_does_not_keep_the_run_waiting(
        self, toy, session, monkeypatch
    ):
        self.snakemake_is("import time; time.sleep(600)", monkeypatch)
        looks = iter(
            [
                [slurm_commands.Queued("7", self.name, "gamma.job", True)],
                UserError("SLURM does not answer"),
            ]
        )

        def queued(prefix):
            assert prefix == self.name
            if isinstance(look := next(looks, []), UserError):
                raise look
            return look

        monkeypatch.setattr(slurm_commands, "queued", queued)
        monkeypatch.setattr(cluster, "LOOK", 0.1)
        monkeypatch.setattr(cluster, "FORGOTTEN", 1.0)
        shown = set()
        monkeypatch.setattr(
            cluster.Watch,
            "show",
            lambda self, screen, at_work: shown.update(t.log for t in at_work),
        )
        assert self.run(session) == 3
        assert (
            "SLURM has known of no job of this run for" in session.said
            and "ended badly" not in session.said
        )
        assert shown == {"gamma.job"} and self.cancelled[-1] == (self.name, True)

    def test_what_cannot_be_ended_keeps_no_job_in_the_queue(self, toy, session, monkeypatch):
        def unkillable(child):
            child.wait()
            raise OSError("no such right")

        monkeypatch.setattr(cluster, "_end", unkillable)
        self.snakemake_is("pass", monkeypatch)
        with pytest.raises(OSError, match="no such right"):
            self.run(session)
        assert self.cancelled[-1] == (self.name, True)

    def test_an_interrupted_run_leaves_nothing(self, session, toy, monkeypatch):
        def interrupt(*_):
            self.left = 2
            raise KeyboardInterrupt

        monkeypatch.setattr(cluster.Watch, "show", interrupt)
        with pytest.raises(KeyboardInterrupt):
            self.run(session)
        assert "2 jobs cancelled" in session.said and self.cancelled[-1] == (self.name, True)
        assert not list(processes(toy, "verdicts.run.job"))

    def test_a_queue_that_does_not_answer_is_told_and_left_to_the_next_run(
        self, session, toy, monkeypatch
    ):
        def silent(*_, **more):
            raise UserError("SLURM does not answer: squeue")

        (toy.folder("cpu") / cluster.FOLDER).mkdir(parents=True)
        monkeypatch.setattr(slurm_commands, "cancel", silent)
        for options in ({"cluster": "slurm"}, {}):
            with pytest.raises(
                UserError,
                match=r"jobs of an earlier run may still write into .*: SLURM does not answer",
            ):
                session.run(profile=Profile.CPU, **options)
        lines = []
        cluster._cancel(toy.folder("cpu"), SimpleNamespace(complain=lines.append))
        assert lines == [
            (
                "jobs may be left in the queue, the next run cancels them: SLURM does not "
                "answer: squeue"
            )
        ]

    def test_jobs_of_a_killed_driver_are_found_also_by_a_run_on_this_machine(self, session, toy):
        (toy.folder("cpu") / cluster.FOLDER / "killed").mkdir(parents=True)
        self.left = 3
        assert session.run(profile=Profile.CPU, only=("A1",)) == 0
        assert "3 jobs of an earlier run, still in the queue: cancelled" in session.said
        assert self.cancelled == [(self.name, False)]
        assert session.run(profile=Profile.CPU, only=("A1",)) == 0 and len(self.cancelled) == 1
