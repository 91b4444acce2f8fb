"""`python -m tools.mutation` in a small repository: exit codes, and a line for each fault."""

from pathlib import Path

import pytest

from tests.tools.mutation.toy import entry, repository
from tools.mutation.__main__ import Mutation
from tools.program import run

CAUGHT = entry("2 * x", "x")
SURVIVES = entry("x / 2", "x / 3", id="thing.half")
BREAKS = entry("2 * x", "gone", id="thing.name")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(*faults: str) -> Path:
        monkeypatch.chdir(repository(tmp_path, *faults))
        return tmp_path

    return make


def test_a_survivor_is_1_and_each_fault_is_told(work, capsys) -> None:
    work(CAUGHT, SURVIVES)
    assert run(Mutation, ["--jobs", "2"]) == 1
    caught, survived, last = capsys.readouterr().out.splitlines()
    assert "thing.double" in caught and "caught by tests/ams/test_thing.py::test_double (AssertionError)" in caught
    assert "thing.half" in survived and survived.endswith("survived") and last == "2 faults: 1 caught, 1 survived"
    assert run(Mutation, ["thing.double"]) == 0


def test_a_broken_fault_is_3(work, capsys) -> None:
    work(BREAKS)
    assert run(Mutation, []) == 3
    assert "1 broken" in capsys.readouterr().out


def test_tests_that_fail_without_a_fault_are_refused(work, capsys) -> None:
    root = work(CAUGHT)
    (root / "tests/ams/test_thing.py").write_text("def test_wrong():\n    assert False\n")
    assert run(Mutation, []) == 2
    assert "without any fault the tests fail: caught by tests/ams/test_thing.py::test_wrong" in capsys.readouterr().err
