"""`python -m tools.faults`: tries, tells, and keeps a table in which each fault has its newest trial."""

from pathlib import Path

import pytest

from tools.faults import fault, table
from tools.faults.__main__ import Faults
from tools.faults.fault import Attempt, Fault
from tools.program import run
from verdicts.report.report_texts import Section

WELL = [Attempt("one", 0), Attempt("two", 3), Attempt("three", -9)]
ILL = [
    Attempt("one", 0),
    Attempt("two", 1, ("A1 is shown as ✗, and is ✓", "more")),
    Attempt("three", skipped="no right"),
]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """Let two faults be declared, whose outcomes a test may change."""
    outcomes = {"well": WELL, "ill": ILL}

    def made(name: str) -> Fault:
        return Fault(name, f"It is {name}.", 2, lambda suite, moments, tries: iter(outcomes[name]))

    declared = {name: made(name) for name in outcomes}
    for module in (fault, table):
        monkeypatch.setattr(module, "FAULTS", declared)
    return outcomes


def kept(out: Path) -> Section:
    return Section.read(out / "sections/faults.json")


def test_what_broke_a_requirement_is_told_and_is_exit_code_1(
    told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Faults, ["--out", str(tmp_path), "--seed", "7"]) == 1
    said = capsys.readouterr().out
    assert "  ill, two: A1 is shown as ✗, and is ✓\n" in said and "\n1 tries broke a requirement; record: " in said
    assert "2 tries in 0 s, 1 broke a requirement, exit codes 0 (1), 1 (1)  two: A1 is shown as" in said
    well, ill = kept(tmp_path).table.rows
    assert well[:7] == ("well", "It is well.", 3, 0, "0 (1), 3 (1), signal 9 (1)", "", 7)
    remark = "two: A1 is shown as ✗, and is ✓; not tried: no right"
    assert ill[:7] == ("ill", "It is ill.", 2, 1, "0 (1), 1 (1)", remark, 7)


def test_a_fault_tried_again_has_its_newest_row_and_the_others_stay(told, tmp_path: Path) -> None:
    assert run(Faults, ["--out", str(tmp_path)]) == 1
    told["ill"] = WELL
    assert run(Faults, ["ill", "--out", str(tmp_path), "--seed", "9"]) == 0
    assert [(row[0], row[3], row[6]) for row in kept(tmp_path).table.rows] == [("well", 0, 2405), ("ill", 0, 9)]
    assert "2 kinds of faults were injected into runs, 6 tries" in kept(tmp_path).text
    (tmp_path / "sections/faults.json").write_text("damaged")
    assert run(Faults, ["ill", "--out", str(tmp_path)]) == 0
    assert [row[0] for row in kept(tmp_path).table.rows] == ["ill"]


@pytest.mark.parametrize(
    ("words", "line"), [("nonsense", "unknown fault 'nonsense'"), ("--tries=-1", "--tries -1: expected at least 0")]
)
def test_bad_usage_is_a_line(told, capsys: pytest.CaptureFixture[str], words: str, line: str) -> None:
    assert run(Faults, words.split()) == 2
    assert line in capsys.readouterr().err
