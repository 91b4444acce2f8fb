"""The jobs of a run: the plain functions behind a worker's, and one on a cluster."""

import os

import pytest

from tests.verdicts.run.session import do_job, reproduce as reproduce_here
from tests.verdicts.toy import Toy
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.run_record import RunRecord
from verdicts.run import job

NOTEBOOK = """# %% [markdown]
# # A page with $x^2$

# %%
import os

print(os.environ["VERDICTS_PROFILE"])
"""


def reproduce(toy, monkeypatch, **options):
    return reproduce_here(toy, monkeypatch, profile=Profile.CPU, jobs=2, **options)


class TestJob:
    """In this process."""

    @pytest.fixture
    def toy(self, tmp_path, monkeypatch):
        toy = Toy.make(tmp_path)
        toy.add_notebook("alpha", kind="py", text=NOTEBOOK)
        monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])
        return toy

    def test_checks_and_page(self, toy, monkeypatch):
        monkeypatch.setenv("MPLBACKEND", "gone")
        assert do_job(toy, "checks", "--group", "alpha") == 0 and "MPLBACKEND" not in os.environ
        assert toy.record("A1", "cpu").exists()
        assert not toy.record("B1", "cpu").exists()
        before = toy.record("A1", "cpu").read_bytes()
        assert do_job(toy, "checks", "--group", "alpha") == 0 and toy.record("A1", "cpu").read_bytes() == before
        assert do_job(toy, "page", "--group", "alpha") == 0
        assert (toy.folder("cpu") / "notebooks" / "alpha.html").exists()

    def test_a_job_of_a_run_that_another_has_followed_does_nothing(self, toy, capsys):
        run = RunRecord.begin(toy.workspace("cpu"))
        assert do_job(toy, "checks", "--group", "alpha", "--run", "another") == 2
        assert "this job is of a run that another one has followed" in capsys.readouterr().err
        assert not toy.record("A1", "cpu").exists()
        assert do_job(toy, "checks", "--group", "alpha", "--run", run.id) == 0 and toy.record("A1", "cpu").exists()

    def test_a_job_without_the_device_of_its_profile_computes_nothing(self, toy, capsys):
        toy.write("config/cpu.toml", 'device = "cuda"\n')
        assert do_job(toy, "checks", "--group", "alpha") == 2
        assert "the cpu profile computes on a CUDA device, and" in capsys.readouterr().err
        assert not toy.record("A1", "cpu").exists()

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
