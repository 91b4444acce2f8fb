"""The Snakefile by hand, as a cluster would drive it, and the jobs behind its rules."""

import os

import pytest

from tests.verdicts.run.session import do_job, reproduce as reproduce_here
from tests.verdicts.toy import Toy
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.run_record import Run
from verdicts.run import job
from verdicts.run.lock import one_run_at_a_time
from verdicts.run.plan import plan_of
from verdicts.run.publish import faults
from verdicts.run.snakemake import discard_stale_stamps, stamp_path

NOTEBOOK = """# %% [markdown]
# # A page with $x^2$

# %%
import os

print(os.environ["VERDICTS_PROFILE"])
"""


@pytest.mark.slow
def test_snakemake_by_hand_makes_what_is_stale(tmp_path):
    toy = Toy.make(tmp_path)
    toy.add_notebook("alpha", kind="py", text=NOTEBOOK)
    by_hand = ("-m", "snakemake", "--cores", "2")
    toy.folder("cpu").mkdir(parents=True)
    with one_run_at_a_time(toy.folder("cpu") / ".lock"):
        refused = toy.python(*by_hand)
    assert refused.returncode == 1 and "another run is in progress" in refused.stderr
    for _ in range(2):
        done = toy.python(*by_hand)
        assert done.returncode == 0, done.stderr
        assert not list(faults(toy.workspace("cpu")))
        assert stamp_path(toy.workspace("cpu"), "checks", "alpha").exists()
        toy.record("A2", "cpu").unlink()


def reproduce(toy, monkeypatch, **options):
    return reproduce_here(toy, monkeypatch, profile=Profile.CPU, jobs=2, **options)


class TestJob:
    """The plain functions behind the rules, in this process."""

    @pytest.fixture
    def toy(self, tmp_path, monkeypatch):
        toy = Toy.make(tmp_path)
        toy.add_notebook("alpha", kind="py", text=NOTEBOOK)
        monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])
        return toy

    def test_checks_page_and_report(self, toy, monkeypatch):
        monkeypatch.setenv("MPLBACKEND", "gone")
        assert do_job(toy, "checks", "--group", "alpha") == 0 and "MPLBACKEND" not in os.environ
        assert toy.record("A1", "cpu").exists()
        assert not toy.record("B1", "cpu").exists()
        before = toy.record("A1", "cpu").read_bytes()
        assert do_job(toy, "checks", "--group", "alpha") == 0 and toy.record("A1", "cpu").read_bytes() == before
        assert do_job(toy, "page", "--group", "alpha") == 0
        assert (toy.folder("cpu") / "notebooks" / "alpha.html").exists()
        assert do_job(toy, "report") == 3  # as long as beta has no records
        assert do_job(toy, "checks", "--group", "beta") == do_job(toy, "report") == 0
        assert (toy.folder("cpu") / "report.html").exists()

    def test_the_report_fails_on_a_contradiction(self, toy, capsys):
        toy.replace_in_claims("alpha", 'expected = "holds"', 'expected = "refuted"')
        assert do_job(toy, "checks", "--group", "alpha") == do_job(toy, "checks", "--group", "beta") == 0
        assert do_job(toy, "report") == 1
        assert "against expectation: A1" in capsys.readouterr().err

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
    assert not stamp_path(workspace, "checks", "alpha").exists() and stamp_path(workspace, "checks", "beta").exists()
    assert workspace.profile is Profile.CPU
