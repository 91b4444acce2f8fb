"""A run's jobs on this machine, and one alone: records decide what is current, none takes
another with it.
"""

import json
import os
import platform
import signal
import sys
from types import SimpleNamespace

import psutil
import pytest

from ams_suite.__main__ import Interrupt
from ams_suite.project import PROJECT
from tests.verdicts.toy import Toy, do_job, kept_run, reproduce as reproduce_here, with_study
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.expected import expected_path
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run import workers
from verdicts.run.plan import plan_of
from verdicts.run.publish import faults

NOTEBOOK = """# A page with $x^2$

```python
import os

print(os.environ["VERDICTS_PROFILE"])
```
"""


def reproduce(toy, monkeypatch, **options):
    return reproduce_here(toy, monkeypatch, profile=Profile.CPU, jobs=2, **options)


AWKWARD = """a #3: {x} 'q' "é😀" $HOME =b %s"""


def test_verdicts_land_one_by_one_in_a_folder_of_any_name_whatever_variables_are_set(
    tmp_path,
):
    toy = Toy.make(tmp_path / (AWKWARD + os.fsdecode(b"caf\xe9")))
    toy.add_notebook("alpha", text=NOTEBOOK)
    words = ("-m", "ams_suite", "reproduce", "--profile", "cpu", "--jobs", "2", "--out", AWKWARD)
    done = toy.python(*words, MPLBACKEND="gone", SNAKEMAKE_PROFILE="gone")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert sorted(line.split()[1] for line in lines if line[0] in "✓✗") == ["A1", "A2", "B1", "B2"]
    page = (toy.root / AWKWARD / "cpu" / "notebooks" / "alpha.html").read_text()
    assert "cpu" in page and "<math" in page
    assert not list(faults(Workspace.open(toy.root, Profile.CPU, toy.root / AWKWARD, PROJECT)))
    assert [path.name for path in tmp_path.iterdir()] == [toy.root.name] and not (
        toy.root / "results"
    ).exists()


def test_a_job_that_dies_leaves_its_claims_failed_and_the_rest_done(toy, monkeypatch):
    toy.replace_in_module(
        "beta/checks", "return Measurement(value=3)", "import os; os.kill(os.getpid(), 9)"
    )
    code, said = reproduce(toy, monkeypatch)
    assert code == 3
    assert "a job ended with -9: see" in said
    assert "failed: B1, B2" in said
    rows = toy.rows("cpu")
    assert rows["A1"]["verdict"] == "holds"
    assert "logs/beta.*.log" in rows["B1"]["reason"]


def test_a_share_that_dies_keeps_all_that_follow_it_from_starting_and_the_run_ends(
    tmp_path, monkeypatch
):
    toy = with_study(tmp_path)
    toy.add_notebook("gamma", text=NOTEBOOK)
    toy.replace_in_module(
        "gamma/study", "def log(line):\n", "def log(line):\n    import os; os._exit(9)\n"
    )
    toy.write(
        "config/cpu.toml", "[resources]\ngamma = { shares = 2 }\n[groups.gamma]\nbatches = 3\n"
    )
    code, said = reproduce(toy, monkeypatch)
    assert code == 3, said
    assert (
        "a job ended with 9: see" in said
        and not (toy.folder("cpu") / "logs" / "gamma.job.log").exists()
    )
    assert not (toy.folder("cpu") / "logs" / "gamma.page.log").exists()
    rows = toy.rows("cpu")
    assert (
        "logs/gamma.*.log may say why" in rows["C1"]["reason"] and rows["B1"]["verdict"] == "holds"
    )


def test_on_two_cores_the_papers_groups_come_first_then_what_takes_longest(tmp_path):
    toy = with_study(tmp_path)
    toy.replace_in_claims("beta", "evidence = ", 'paper = ["P2"]\nevidence = ')
    kept_run("cpu", studies={"alpha": 20.0, "beta": 1.0, "gamma": 900.0}).write(
        expected_path(toy.root, Profile.CPU)
    )
    workspace = toy.workspace("cpu")
    run = RunRecord.begin(workspace)
    plan = plan_of(workspace, run)
    for jobs, order in (
        (2, ["beta", "gamma", "alpha"]),
        (workers.LAPTOP + 1, ["gamma", "alpha", "beta"]),
    ):
        assert (
            list(
                dict.fromkeys(
                    task.job.group for task in workers.jobs_of(workspace, plan, run, jobs)
                )
            )
            == order
        )


def test_a_job_writes_to_its_log_alone(toy, monkeypatch):
    """Not to the console on which the driver draws a bar: another thread may hold its lock while
    a job is forked.
    """
    words = "import sys; print('said', file=sys.stderr); print('printed')"
    toy.replace_in_module(
        "beta/checks", "return Measurement(value=3)", f"{words}; return Measurement(value=3)"
    )
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, SimpleNamespace(write=pytest.fail, flush=lambda: None))
    code, said = reproduce(toy, monkeypatch)
    assert code == 0, said
    log = (toy.folder("cpu") / "logs" / "beta.job.log").read_text()
    assert log.splitlines() == ["said", "printed"]


def test_a_forced_claim_whose_job_dies_is_exit_code_3_whatever_lies_there(toy, monkeypatch):
    die = "import os; 'DIE' in os.environ and os._exit(9); return Measurement(value=3)"
    toy.replace_in_module("beta/checks", "return Measurement(value=3)", die)
    assert reproduce(toy, monkeypatch)[0] == 0
    monkeypatch.setenv("DIE", "now")
    code, said = reproduce(toy, monkeypatch, force=("beta",))
    assert code == 3 and "a job ended with 9" in said and "✓ B1" not in said
    assert toy.rows("cpu")["B1"]["computed"] == "cached"
    assert reproduce(toy, monkeypatch)[0] == 0


def test_a_page_is_made_again_where_what_it_shows_is_another(toy, monkeypatch):
    value = "import os; return Measurement(value=float(os.environ.get('VALUE', '1')))"
    toy.replace_in_module(
        "alpha/checks", "return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)", value
    )
    toy.add_notebook("alpha", text=NOTEBOOK)

    def made(**options):
        code, said = reproduce(toy, monkeypatch, **options)
        assert code in (0, 1), said
        page = json.loads((toy.folder("cpu") / "notebooks" / "alpha.json").read_bytes())
        return page["provenance"]["run"]

    first = made()
    assert made() == first and made(force=("A1",)) == first
    monkeypatch.setenv("VALUE", "1.5")
    second = made(force=("A1",))
    assert second != first and made() == second
    assert not list(faults(toy.workspace("cpu")))


def test_what_is_computed_while_its_sources_change_is_of_no_known_code(toy, monkeypatch):
    edit = (
        "p = __import__('pathlib').Path(__file__); p.write_text(p.read_text() "
        "+ '# edited' + chr(10)); "
    )
    toy.replace_in_module(
        "beta/checks", "return Measurement(value=3)", f"{edit}return Measurement(value=3)"
    )
    toy.replace_in_module("alpha/figures", "axes.plot([0, ONE])", f"{edit}axes.plot([0, ONE])")
    code, said = reproduce(toy, monkeypatch)
    assert f"figures of alpha: failed: {toy.package}/alpha/figures.py changed while" in said
    row = toy.rows("cpu")["B1"]
    assert (
        code == 3
        and row["failed"]
        and "beta/checks.py changed while this was computed" in row["reason"]
    )


def test_a_run_that_is_refused_leaves_all_as_it_was(toy, monkeypatch):
    assert reproduce(toy, monkeypatch)[0] == 0
    before = (toy.root / "config/cpu.toml").read_text()
    toy.write("config/cpu.toml", f"{before}[groups.alpha]\nstepz = 3\n")
    with pytest.raises(UserError, match="stepz"):
        reproduce(toy, monkeypatch, force=("A1",))
    toy.write("config/cpu.toml", before)
    assert not list(faults(toy.workspace("cpu")))


@pytest.mark.parametrize("one_process", [False, True])
def test_a_notebook_that_breaks_is_exit_code_3_and_named(toy, monkeypatch, one_process):
    toy.add_notebook("alpha", text="```python\n1 / 0\n```\n")
    code, said = reproduce(toy, monkeypatch, only=("alpha",), one_process=one_process)
    assert code == 3 and ("a job ended with 3: see" in said) is not one_process
    assert "ZeroDivisionError" in (toy.folder("cpu") / "logs" / "alpha.notebook.log").read_text()
    assert (
        "notebook page of alpha: failed: NotebookFailed: " in said and "alpha/notebook.md" in said
    )
    assert "ZeroDivisionError" in said


STARTS = """import signal, subprocess
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "60"])
    signal.pause()"""


def test_an_interrupted_run_stops_its_jobs_with_what_they_have_started_even_deaf_ones(
    toy, monkeypatch
):
    """The interrupt is noted by the command line alone: what it raises may be lost, as in a
    fork.
    """
    toy.replace_in_module("beta/checks", "return Measurement(value=3)", STARTS)
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    interrupt, below = Interrupt(), psutil.Process()
    before = signal.signal(signal.SIGTERM, interrupt)

    def note(*_):
        interrupt.asked = "sleep" in {child.name() for child in below.children(recursive=True)}

    monkeypatch.setattr(workers.Watch, "show", note)
    try:
        with pytest.raises(KeyboardInterrupt):
            reproduce(toy, monkeypatch, only=("B1",))
    finally:
        signal.signal(signal.SIGTERM, before)
    alive = [child for child in below.children(recursive=True) if child.status() != "zombie"]
    assert "sleep" not in {child.name() for child in alive}


def test_where_no_fork_may_be_jobs_start_anew(toy, monkeypatch):
    monkeypatch.setattr(workers.sys, "platform", "darwin")
    code, said = reproduce(toy, monkeypatch, only=("alpha",))
    assert code == 0, said
    assert toy.rows("cpu")["A1"]["computed"] == "computed"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_a_job_keeps_the_memory_that_it_frees(toy) -> None:
    """Counted in page faults: of memory that is returned each page is one again."""
    code = """
import resource
from verdicts.run.job import spare_memory_calls

for prepare in (int, spare_memory_calls):
    prepare()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(9):
        bytes(bytearray(2**23))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    returned, kept = map(int, toy.python("-c", code).stdout.split())
    assert kept < returned / 2


class TestJob:
    """In this process."""

    @pytest.fixture
    def toy(self, tmp_path, monkeypatch):
        toy = Toy.make(tmp_path)
        toy.add_notebook("alpha", text=NOTEBOOK)
        monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])
        return toy

    def test_checks_and_page(self, toy, monkeypatch):
        monkeypatch.setenv("MPLBACKEND", "gone")
        assert do_job(toy, "checks", "--group", "alpha") == 0 and "MPLBACKEND" not in os.environ
        assert toy.record("A1", "cpu").exists()
        assert not toy.record("B1", "cpu").exists()
        before = toy.record("A1", "cpu").read_bytes()
        assert (
            do_job(toy, "checks", "--group", "alpha") == 0
            and toy.record("A1", "cpu").read_bytes() == before
        )
        assert do_job(toy, "page", "--group", "alpha") == 0
        assert (toy.folder("cpu") / "notebooks" / "alpha.html").exists()

    @pytest.mark.parametrize(
        ("more", "config", "said"),
        [
            (("--run", "another"), "", "this job is of a run that another one has followed"),
            ((), 'device = "cuda"\n', "the cpu profile computes on a CUDA device, and"),
        ],
    )
    def test_a_job_that_is_not_to_be_done_is_2_and_computes_nothing(
        self, toy, capsys, more, config, said
    ):
        toy.write("config/cpu.toml", config)
        assert do_job(toy, "checks", "--group", "alpha", *more) == 2
        assert said in capsys.readouterr().err
        assert not toy.record("A1", "cpu").exists()

    def test_what_cannot_be_written_is_3(self, toy, capsys):
        toy.write("results/cpu/records", "a file where the folder should be")
        assert do_job(toy, "checks", "--group", "beta") == 3
        assert "B1: no record could be written" in capsys.readouterr().err
