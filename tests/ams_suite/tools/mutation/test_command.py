"""`ams mutate` in a small repository: exit codes, lines, and a record that knows when it is stale."""

from pathlib import Path

import pytest

from ams_suite.__main__ import main
from ams_suite.tools.mutation.faults import load_faults, read_faults
from ams_suite.tools.mutation.results import RESULTS, read_trials, rows
from ams_suite.tools.mutation.trial import Ending
from tests.ams_suite.tools.mutation.toy import THING, entry, repository

CAUGHT = entry("2 * x", "x")
SURVIVES = entry("x / 2", "x / 3", id="thing.half")
BREAKS = entry("2 * x", "gone", id="thing.name")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(*faults: str) -> Path:
        monkeypatch.chdir(repository(tmp_path, *faults))
        return tmp_path

    return make


def state(root: Path) -> dict[str, str]:
    load_faults(root)
    return state_of_table(root)


def state_of_table(root: Path) -> dict[str, str]:
    found = rows(root, root / "results", read_faults(root).fault)
    return {row.fault.id: row.outcome.ending if row.outcome else row.reason for row in found}


def test_all_are_tried_once_and_a_survivor_is_told_each_time(work, capsys) -> None:
    root = work(CAUGHT, SURVIVES)
    assert main(["mutate", "--jobs", "2"]) == 1
    said = capsys.readouterr().out
    assert "thing.double" in said and "caught   by tests/ams/test_thing.py::test_double (AssertionError)" in said
    assert "1 caught" in said and "1 survived" in said
    assert state(root) == {"thing.double": Ending.CAUGHT, "thing.half": Ending.SURVIVED}
    before = read_trials(root / "results")
    assert main(["mutate"]) == 1
    assert "2 faults, 2 current" in (said := capsys.readouterr().out) and "1 caught, 1 survived" in said
    assert read_trials(root / "results") == before
    assert main(["mutate", "--force", "--only", "thing.double"]) == 0
    assert read_trials(root / "results").tried["thing.double"].started > before.tried["thing.double"].started


def test_the_record_keeps_what_was_not_tried_again_and_forgets_what_is_gone(work) -> None:
    root = work(CAUGHT, SURVIVES)
    assert main(["mutate", "--only", "thing.double", "--jobs", "1"]) == 0
    assert main(["mutate", "--only", "thing.half", "--jobs", "1"]) == 1
    assert set(read_trials(root / "results").tried) == {"thing.double", "thing.half"}
    (root / "tests/faults.toml").write_text(CAUGHT, encoding="utf-8")
    assert main(["mutate", "--jobs", "1", "--out", "results", "--force"]) == 0
    assert set(read_trials(root / "results").tried) == {"thing.double"}


def test_what_has_changed_is_stale(work, capsys) -> None:
    root = work(CAUGHT)
    assert state(root) == {"thing.double": "not tried"}
    assert main(["mutate"]) == 0
    (root / "src/ams/thing.py").write_text((root / "src/ams/thing.py").read_text() + "\nTHREE = 3\n")
    assert state(root)["thing.double"].startswith("stale")
    capsys.readouterr()
    assert main(["mutate", "--list"]) == 0
    assert "thing.double" in (said := capsys.readouterr().out) and "somebody might (stale" in said
    (root / "src/ams/thing.py").unlink()
    assert state_of_table(root)["thing.double"].startswith("stale"), "the report shows a table that does not fit"
    (root / "src/ams/thing.py").write_text(THING, encoding="utf-8")
    (root / "results" / RESULTS).write_text("{}")
    assert state(root) == {"thing.double": "not tried"}


def test_a_broken_fault_is_3(work, capsys) -> None:
    work(BREAKS)
    assert main(["mutate"]) == 3
    assert "broken" in capsys.readouterr().out


def test_tests_that_fail_without_a_fault_are_refused(work, capsys) -> None:
    root = work(CAUGHT)
    (root / "tests/ams/test_thing.py").write_text("def test_wrong():\n    assert False\n")
    assert main(["mutate"]) == 2
    assert "without any fault the tests fail: tests/ams/test_thing.py::test_wrong" in capsys.readouterr().err


def test_bad_usage_is_2(work, capsys) -> None:
    work(CAUGHT)
    assert main(["mutate", "--jobs", "0"]) == 2
    assert main(["mutate", "--only", "nothing"]) == 2
    assert "unknown fault 'nothing'" in capsys.readouterr().err
