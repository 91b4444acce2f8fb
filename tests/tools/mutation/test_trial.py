"""Trials in a small repository: what is caught, what survives, and what tells nothing."""

from pathlib import Path

import pytest

from tests.tools.mutation.toy import entry, repository
from tools.mutation.table import load_faults
from tools.mutation.trial import Ending, judged, outcome_of


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


def test_a_trial_without_end_is_stopped(tmp_path: Path) -> None:
    repository(tmp_path, entry("return 2 * x", "import time; time.sleep(60)"))
    outcome = outcome_of(tmp_path, load_faults(tmp_path).fault[0], 2.0)
    assert (outcome.ending, outcome.how) == (Ending.BROKEN, "no end within 2 s")
