"""Faults are tried as they say: a few as plain tests, one case of each other as slow ones."""

from itertools import islice
from pathlib import Path
from random import Random

import pytest

from ams_suite.tools.faults import fault as declared, setup
from ams_suite.tools.faults.command import FAULTS
from ams_suite.tools.faults.fault import Bench, Try, bench_of, select
from ams_suite.tools.faults.suite import Start
from tests.verdicts.toy import REPOSITORY
from verdicts.errors import UserError

SEED = 2405
QUICK = ("failing-rename", "failing-folder-fsync", "damaged-file", "swapped-files", "file-size-limit", "jumping-clock")
BY_TESTS = ("index-without-package", "broken-conda", "broken-python", "unfinished-environment", "odd-checkout")
OTHERS = sorted(name for name, each in FAULTS.items() if not each.costly and name not in (*QUICK, *BY_TESTS))


@pytest.fixture(scope="module")
def bench():
    with bench_of(REPOSITORY) as made:
        yield made


def tried(bench: Bench, name: str, tries: int) -> list[Try]:
    chosen = FAULTS[name]
    return list(islice(chosen.function(bench, Random(f"{SEED} {name}"), tries), tries))


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_breaks_no_requirement(bench: Bench, name: str) -> None:
    (one,) = tried(bench, name, 1)
    assert one.broken == (), one


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_no_other_fault_breaks_a_requirement(bench: Bench, name: str) -> None:
    assert [one for one in tried(bench, name, 1) if one.broken] == []


TESTS = """
import pytest

def test_conda_well(): ...
def test_conda_ill(): assert 1 == 2
def test_conda_missed(): pytest.skip("no right to mount")
def test_another(): ...
"""


def test_tests_of_the_shell_are_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests/shell").mkdir(parents=True)
    (tmp_path / "tests/shell/test_it.py").write_text(TESTS)
    well, ill, missed = FAULTS["broken-conda"].function(Bench(tmp_path, tmp_path), Random(), 0)
    assert well == Try("test_conda_well", None) and missed.skipped == "no right to mount"
    assert ill.case == "test_conda_ill" and "1 == 2" in ill.broken[0]
    (tmp_path / "tests/shell/test_it.py").unlink()
    (one,) = FAULTS["broken-python"].function(Bench(tmp_path, tmp_path), Random(), 0)
    assert one.broken[0].startswith("pytest ended with 5: ")
    monkeypatch.setattr(setup, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pytest is not installed"):
        list(FAULTS["broken-python"].function(Bench(tmp_path, tmp_path), Random(), 0))


def test_a_run_that_shows_what_is_wrong_breaks_a_requirement(bench: Bench) -> None:
    """The falsifier of the whole: a suite that computes something else is noticed."""
    reference, out = bench.quick, bench.quick.place()
    module = next(reference.suite.root.glob("*/common.py"))
    whole = module.read_text()
    module.write_text("ONE = 3.0\n")
    done = reference.suite.run(out)
    module.write_text(whole)
    broken = list(reference.after(out, done, {0, 1}))
    assert "A1 is shown as ✗, and is ✓" in broken and "the ledger has A1 as refuted, and it is holds" in broken
    assert "quick/records/A1.json is not as it should be" in broken


def test_a_run_sees_its_surroundings_in_a_fork_and_in_a_fresh_process(bench: Bench) -> None:
    suite = bench.quick.suite
    for fresh in (False, True):
        done = suite.run(
            None, Start(variables={"COLUMNS": None, "HOME": "/nowhere"}, umask=0o77, fresh=fresh), ["schema"]
        )
        assert done.code == 0 and '"Ledger"' in done.out and done.err == ""
    assert suite.run(None, Start(streams=">/dev/full"), ["schema"]).code == 3
    assert suite.run(None, Start(before=("env", "-i", "false")), ["schema"]).code == 1


def test_a_name_chooses_a_fault_and_none_those_that_take_seconds() -> None:
    assert [each.name for each in select(("kill-quick",))] == ["kill-quick"] and len(FAULTS) > 30
    assert not any(each.costly for each in select(()))
    with pytest.raises(UserError, match="did you mean kill-group"):
        select(("kill-grup",))


def test_a_fault_is_named_as_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "FAULTS", {})

    @declared.fault("Nothing is done.", 3)
    def no_fault(bench, moments, tries):
        yield Try("")

    assert declared.FAULTS["no-fault"].tries == 3


def test_all_faults_say_what_is_done_in_a_sentence() -> None:
    for each in FAULTS.values():
        assert each.what[0].isupper() and each.what.endswith(".") and len(each.what) < 160, each.name


def test_a_bench_is_cleared(tmp_path: Path) -> None:
    bench = Bench(REPOSITORY, tmp_path)
    for name in ("results-1", "said-2", "suite"):
        (tmp_path / name).mkdir()
    bench.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["suite"]
