"""The table of how a finished run would scale, as its command gives them."""

from pathlib import Path

import pytest

from tests.verdicts.toy import Session, with_study
from tools import run
from tools.scaling import Scaling

ROWS = ("| 1 |", "| 64 |", "| 1024 |")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Return a toy repository with a study, in its folder."""
    return Session(with_study(tmp_path), monkeypatch)


def test_a_finished_run_has_a_table(session: Session, capsys) -> None:
    session.run()
    assert run(Scaling, ["--profile", "quick", "--start", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split("|") for line in lines if line.startswith(ROWS)]
    seconds, times, busy = zip(*((float(row[2]), float(row[3]), row[4].strip()) for row in rows), strict=True)
    assert seconds[0] >= seconds[1] >= seconds[2] and times[0] == 1.0 and times[2] >= times[1] >= 1.0
    assert busy[0] == "100%", "without a start one node is at work all the time"
    assert [line.split(":")[0] for line in lines[-2:]] == ["longest cell", "longest study"]


def test_without_a_run_it_says_what_to_run(session: Session, capsys) -> None:
    assert run(Scaling, ["--profile", "quick"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no study; run `ams reproduce --profile quick` first" in line
