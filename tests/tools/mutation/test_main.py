"""`python -m tools.mutation` in a small repository: exit codes, and a line for each fault."""

from pathlib import Path

import pytest

from tests.tools.mutation.toy import THING, entry, repository
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


def test_a_survivor_is_1_a_broken_fault_3_and_each_is_told(work, capsys) -> None:
    root = work(CAUGHT, SURVIVES, BREAKS)
    assert run(Mutation, ["--jobs", "2"]) == 1
    caught, survived, broken, last = capsys.readouterr().out.splitlines()
    assert "thing.double" in caught and "caught by tests/ams/test_thing.py::test_double (AssertionError)" in caught
    assert "thing.half" in survived and survived.endswith("survived")
    assert "thing.name" in broken and last == "3 faults: 1 caught, 1 survived, 1 broken"
    assert [run(Mutation, [name]) for name in ("thing.double", "thing.name")] == [0, 3]
    assert (root / "src/ams/thing.py").read_text() == THING, "the working tree is never touched"


def test_tests_that_fail_without_a_fault_are_refused(work, capsys) -> None:
    root = work(CAUGHT)
    (root / "tests/ams/test_thing.py").write_text("def test_wrong():\n    assert False\n")
    assert run(Mutation, []) == 2
    assert "without any fault the tests fail: caught by tests/ams/test_thing.py::test_wrong" in capsys.readouterr().err
