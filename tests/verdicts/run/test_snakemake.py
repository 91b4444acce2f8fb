"""The larger profiles: Snakemake runs the jobs, the records decide what is current."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.verdicts.run.session import do_job, reproduce as reproduce_here
from tests.verdicts.toy import Toy
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.run_record import Run
from verdicts.run import job, snakemake
from verdicts.run.plan import plan_of
from verdicts.run.publish import faults
from verdicts.run.snakemake import discard_stale_stamps, stamp_path

NOTEBOOK = """# %% [markdown]
# # A page with $x^2$

# %%
import os

print(os.environ["VERDICTS_PROFILE"])
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A toy after a complete run of its cpu profile."""
    toy = Toy.make(tmp_path_factory.mktemp("toy"))
    toy.add_notebook("alpha", kind="py", text=NOTEBOOK)
    done = toy.ams("reproduce", "--profile", "cpu", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    return toy, done


def test_verdicts_land_one_by_one_and_pages_are_made(finished):
    toy, done = finished
    lines = done.stdout.splitlines()
    assert sorted(line.split()[1] for line in lines if line[0] in "✓✗") == ["A1", "A2", "B1", "B2"]
    page = (toy.folder("cpu") / "notebooks" / "alpha.html").read_text()
    assert "cpu" in page and "<math" in page
    assert not list(faults(toy.workspace("cpu")))


def test_a_second_run_does_nothing(finished):
    toy, _ = finished
    before = toy.record("A1", "cpu").read_bytes()
    again = toy.ams("reproduce", "--profile", "cpu")
    assert again.returncode == 0
    assert "nothing to compute" in again.stdout
    assert toy.record("A1", "cpu").read_bytes() == before


def test_what_is_up_to_date_for_snakemake_is_made_again_when_it_is_not_current(finished):
    toy, _ = finished
    toy.record("B1", "cpu").write_text("{}")
    (toy.folder("cpu") / "notebooks" / "alpha.html").unlink()
    assert stamp_path(toy.workspace("cpu"), "checks", "beta").exists()
    again = toy.ams("reproduce", "--profile", "cpu")
    assert again.returncode == 0, again.stdout + again.stderr
    rows = toy.rows("cpu")
    assert [name for name, row in rows.items() if row["computed"] == "computed"] == ["B1"]
    assert not list(faults(toy.workspace("cpu")))


def test_snakemake_by_hand_does_the_same(finished):
    toy, _ = finished
    toy.record("A2", "cpu").unlink()
    by_hand = toy.python("-m", "snakemake", "--cores", "2", "--quiet", "all")
    assert by_hand.returncode == 0, by_hand.stderr
    assert toy.record("A2", "cpu").exists()
    assert not list(faults(toy.workspace("cpu")))


AWKWARD = """a #3: {x} 'q' "é😀" $HOME =b %s"""


@pytest.mark.parametrize("name", ["o #3", "p: 2", "{x}", "'q'", '"é😀"', "$HOME =b", "z ", "-", "1", "\udcff", AWKWARD])
def test_snakemake_is_told_the_very_path(name):
    from snakemake.cli import parse_config

    path = Path("/somewhere") / name
    assert parse_config([snakemake._setting("out", path)]) == {"out": str(path)}


def test_a_folder_of_any_name_will_do(tmp_path):
    toy = Toy.make(tmp_path / AWKWARD)
    done = toy.ams("reproduce", "--profile", "cpu", "--only", "A1", "--out", AWKWARD)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (toy.root / AWKWARD / "cpu" / "records" / "A1.json").exists()
    assert {path.name for path in tmp_path.iterdir()} == {AWKWARD}
    assert not (toy.root / "results").exists()


def reproduce(toy, monkeypatch, **options):
    return reproduce_here(toy, monkeypatch, profile=Profile.CPU, jobs=2, **options)


def test_a_job_that_dies_leaves_its_claims_failed_and_the_rest_done(tmp_path, monkeypatch):
    toy = Toy.make(tmp_path)
    toy.replace_in_module("beta/checks", "return Measurement(value=3)", "import os; os._exit(9)")
    code, said = reproduce(toy, monkeypatch)
    assert code == 3
    assert "Snakemake ended with 1: see" in said
    assert "failed: B1, B2" in said
    rows = toy.rows("cpu")
    assert rows["A1"]["verdict"] == "holds"
    assert "logs/beta.job.log" in rows["B1"]["reason"]


@pytest.mark.parametrize("one_process", [False, True])
def test_a_notebook_that_breaks_is_exit_code_3_and_named(tmp_path, monkeypatch, one_process):
    toy = Toy.make(tmp_path)
    toy.add_notebook("alpha", kind="py", text="# %%\n1 / 0\n")
    code, said = reproduce(toy, monkeypatch, only=("alpha",), one_process=one_process)
    assert code == 3
    assert f"notebook page of alpha: failed: {toy.package}/alpha/notebook.py" in said
    assert "ZeroDivisionError" in said


def test_a_snakemake_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(snakemake, "PATIENCE", 0.2)
    deaf = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    child.stdout.readline()
    snakemake._stop(child)
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()


def test_a_job_whose_parent_ends_first_is_stopped_too():
    family = "import os, signal, subprocess, sys; signal.signal(signal.SIGINT, lambda *_: os._exit(0)); "
    family += "job = subprocess.Popen(['sleep', '60']); print(job.pid, flush=True); signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", family], stdout=subprocess.PIPE)
    job = psutil.Process(int(child.stdout.readline()))
    send, child.send_signal = child.send_signal, lambda sent: (send(sent), child.wait(10))
    snakemake._stop(child)
    gone, _ = psutil.wait_procs([job], timeout=10)
    assert gone
    child.stdout.close()


class TestJob:
    """The plain functions behind the rules, in this process."""

    @pytest.fixture
    def toy(self, tmp_path, monkeypatch):
        toy = Toy.make(tmp_path)
        toy.add_notebook("alpha", kind="py", text=NOTEBOOK)
        monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])
        return toy

    def test_checks_page_and_report(self, toy):
        assert do_job(toy, "checks", "--group", "alpha") == 0
        assert toy.record("A1", "cpu").exists()
        assert not toy.record("B1", "cpu").exists()
        before = toy.record("A1", "cpu").read_bytes()
        assert do_job(toy, "checks", "--group", "alpha") == 0
        assert toy.record("A1", "cpu").read_bytes() == before
        assert do_job(toy, "page", "--group", "alpha") == 0
        assert (toy.folder("cpu") / "notebooks" / "alpha.html").exists()
        assert do_job(toy, "report") == 0
        assert (toy.folder("cpu") / "report.html").exists()

    def test_a_job_whose_run_died_keeps_the_next_run_out(self, toy, monkeypatch):
        refused = []

        def meanwhile(*_):
            with pytest.raises(UserError, match="jobs of a run that died are still at work in") as problem:
                reproduce(toy, monkeypatch)
            refused.append(problem)

        monkeypatch.setattr(job, "run_group", meanwhile)
        assert do_job(toy, "checks", "--group", "alpha") == 0 and refused
        assert reproduce(toy, monkeypatch, only=("A1",), one_process=True)[0] == 0

    def test_a_broken_page_is_3_and_its_record_says_why(self, toy, capsys):
        toy.add_notebook("alpha", "# %%\n1 / 0\n", kind="py")
        assert do_job(toy, "page", "--group", "alpha") == 3
        assert "ZeroDivisionError" in capsys.readouterr().err
        assert "ZeroDivisionError" in (toy.folder("cpu") / "logs" / "alpha.notebook.log").read_text()

    def test_what_cannot_be_written_is_3(self, toy, capsys):
        toy.write("results/cpu/records", "a file where the folder should be")
        assert do_job(toy, "checks", "--group", "beta") == 3
        assert "B1: no record could be written" in capsys.readouterr().err

    def test_bad_settings_are_2(self, toy, capsys):
        toy.write("config/cpu.toml", "groups.alpha.steps = 'x'")
        assert do_job(toy, "checks", "--group", "alpha") == 2
        assert capsys.readouterr().err.startswith("config/cpu.toml: groups.alpha.steps = 'x'")


def test_only_stamps_of_stale_work_are_discarded(tmp_path):
    toy = Toy.make(tmp_path)
    workspace = toy.workspace("cpu")
    for work, group in (("checks", "alpha"), ("checks", "beta")):
        path = stamp_path(workspace, work, group)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    discard_stale_stamps(workspace)
    assert stamp_path(workspace, "checks", "alpha").exists()
    run = Run.begin(workspace, only=("alpha",))
    assert set(plan_of(workspace, run).busy_groups) == {"alpha"}
    discard_stale_stamps(workspace)
    assert not stamp_path(workspace, "checks", "alpha").exists()
    assert stamp_path(workspace, "checks", "beta").exists()
    assert workspace.profile is Profile.CPU
