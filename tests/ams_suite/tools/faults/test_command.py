"""`ams faults`: tries, tells, and keeps a table in which each fault has its newest trial."""

from pathlib import Path

import pytest

from ams_suite.__main__ import main
from ams_suite.tools.faults import command, fault, table
from ams_suite.tools.faults.fault import Fault, Try
from tests.verdicts.toy import REPOSITORY
from verdicts.records.section import Section

WELL = [Try("one", 0), Try("two", 3), Try("three", -9)]
ILL = [Try("one", 0), Try("two", 1, ("A1 is shown as ✗, and is ✓", "more")), Try("three", None, skipped="no right")]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    """Let two faults be declared, whose outcomes a test may change."""
    outcomes = {"well": WELL, "ill": ILL}

    def made(name: str) -> Fault:
        return Fault(name, f"It is {name}.", 2, lambda bench, moments, tries: iter(outcomes[name]), costly=False)

    declared = {name: made(name) for name in outcomes}
    for module in (fault, command, table):
        monkeypatch.setattr(module, "FAULTS", declared)
    monkeypatch.chdir(REPOSITORY)
    return outcomes


def kept(out: Path) -> Section:
    return Section.read(out / "sections/faults.json")


def test_what_broke_a_requirement_is_told_and_is_exit_code_1(
    told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["faults", "--out", str(tmp_path), "--seed", "7"]) == 1
    said = capsys.readouterr().out
    assert (
        "  ill, two: A1 is shown as ✗, and is ✓\n" in said and "2 faults; 1 tries broke a requirement; record: " in said
    )
    well, ill = kept(tmp_path).table.rows
    assert well[:7] == ("well", "It is well.", 3, 0, "signal 9 (1), 0 (1), 3 (1)", "", 7)
    remark = "two: A1 is shown as ✗, and is ✓; 1 not tried: no right"
    assert ill[:7] == ("ill", "It is ill.", 2, 1, "0 (1), 1 (1)", remark, 7)


def test_of_fixed_cases_so_many_are_tried_as_are_asked_for(told, tmp_path: Path) -> None:
    assert main(["faults", "ill", "--tries", "1", "--out", str(tmp_path)]) == 0
    assert kept(tmp_path).table.rows[0][2] == 1


def test_a_fault_tried_again_has_its_newest_row_and_the_others_stay(told, tmp_path: Path) -> None:
    assert main(["faults", "--out", str(tmp_path)]) == 1
    told["ill"] = WELL
    assert main(["faults", "ill", "--out", str(tmp_path), "--seed", "9"]) == 0
    assert [(row[0], row[3], row[6]) for row in kept(tmp_path).table.rows] == [("well", 0, 2405), ("ill", 0, 9)]
    assert "2 kinds of faults were injected into runs, 6 tries" in kept(tmp_path).text
    (tmp_path / "sections/faults.json").write_text("damaged")
    assert main(["faults", "ill", "--out", str(tmp_path)]) == 0
    assert [row[0] for row in kept(tmp_path).table.rows] == ["ill"]


def test_rows_of_earlier_code_are_counted(told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not table._is_code_of(REPOSITORY, "0" * 10), "a commit that is not known"
    main(["faults", "--out", str(tmp_path)])
    known = {row[-1] for row in kept(tmp_path).table.rows}
    monkeypatch.setattr(table, "_is_code_of", lambda root, commit: commit not in known)
    main(["faults", "ill", "--out", str(tmp_path)])
    assert "2 kinds were tried with earlier code" in kept(tmp_path).text


def test_the_table_rests_on_the_code_that_is_judged(told, tmp_path: Path) -> None:
    main(["faults", "well", "--out", str(tmp_path)])
    sources = kept(tmp_path).sources
    assert {
        "src/verdicts/records/files.py",
        "src/ams_suite/tools/faults/requirements.py",
        "src/ams/data/files.py",
    } <= set(sources)


def test_the_faults_are_listed(told, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["well", "It", "is", "well."]


@pytest.mark.parametrize(
    ("words", "line"), [("nonsense", "unknown fault 'nonsense'"), ("--tries -1", "--tries -1: expected at least 0")]
)
def test_bad_usage_is_a_line(told, capsys: pytest.CaptureFixture[str], words: str, line: str) -> None:
    assert main(["faults", *words.split()]) == 2
    assert line in capsys.readouterr().err


def test_without_the_tests_there_is_nothing_to_inject_into(told, toy_root: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["faults"]) == 2
    assert "run from inside a clone of the repository" in capsys.readouterr().err


@pytest.fixture
def toy_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper/outline.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path
