"""Trials in a small repository: what is caught, what survives, and what tells nothing."""

import shutil
from pathlib import Path

import pytest

from ams_suite.tools.mutation import trial
from ams_suite.tools.mutation.faults import load_faults
from ams_suite.tools.mutation.trial import Copy, Ending, judged
from tests.ams_suite.tools.mutation.toy import THING, entry, repository
from verdicts.errors import UserError


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(repository(tmp_path / "root"), tmp_path / "work")


def tried(copy: Copy, old: str, new: str, seconds: float = 60.0):
    (copy.root / "tests/faults.toml").write_text(entry(old, new), encoding="utf-8")
    return copy.try_fault(load_faults(copy.root).fault[0], seconds)


def test_a_fault_is_caught_by_the_first_test_that_fails(copy: Copy, tmp_path: Path) -> None:
    outcome = tried(copy, "2 * x", "x")
    assert (outcome.ending, outcome.how) == (Ending.CAUGHT, "AssertionError")
    assert outcome.by == "tests/ams/test_thing.py::test_double" and outcome.seconds > 0
    assert (copy.root / "src/ams/thing.py").read_text() == THING == (tmp_path / "root/src/ams/thing.py").read_text()


@pytest.mark.parametrize(
    ("report", "code", "ending", "how"),
    [
        ('<failure message="TypeError: no"/>', 1, Ending.BROKEN, "TypeError"),
        ('<failure message="assert 1 == 2"/>', 1, Ending.CAUGHT, "AssertionError"),
        ('<failure message="ams.samplers.loop.NonFiniteState: no"/>', 1, Ending.CAUGHT, "NonFiniteState"),
        ('<failure message=""/>', 1, Ending.CAUGHT, "AssertionError"),
        ('<error message="no fixture"/>', 1, Ending.BROKEN, "pytest ended with 1: so it says"),
        ("", 4, Ending.BROKEN, "pytest ended with 4: so it says"),
    ],
)
def test_pytests_report_is_judged(report: str, code: int, ending: Ending, how: str, tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_text(f'<testsuites><testcase classname="tests.test_a" name="test_b">{report}</testcase></testsuites>')
    outcome = judged(code, file, "so it says")
    assert (outcome.ending, outcome.how) == (ending, how)
    assert outcome.by == ("tests/test_a.py::test_b" if "failure" in report else "")


def test_code_that_cannot_be_imported_proves_nothing(copy: Copy) -> None:
    outcome = tried(copy, "def double(x):", "def doubled(x):")
    assert outcome.ending is Ending.BROKEN and outcome.how.startswith("pytest ended with")


def test_a_trial_without_end_is_stopped(copy: Copy) -> None:
    outcome = tried(copy, "return 2 * x", "import time; time.sleep(60)", seconds=2.0)
    assert (outcome.ending, outcome.how) == (Ending.BROKEN, "no end within 2 s")


def test_another_installation_is_refused(copy: Copy) -> None:
    copy.refuse_other_tests()
    shutil.rmtree(copy.root / "src/ams")
    with pytest.raises(UserError, match="tests of a copy would import"):
        copy.refuse_other_tests()


def test_without_pytest_it_says_what_to_do(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"lacks pytest and hypothesis: `bash reproduce.sh test` adds it"):
        copy.refuse_other_tests()
