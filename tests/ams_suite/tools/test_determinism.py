"""Runs that differ are told with their place and size; a toy's study in shares and with threads is the same."""

import csv
import json

import pytest

from ams_suite.tools import determinism
from ams_suite.tools.determinism import Determinism, main
from ams_suite.tools.differences import Compared, _apart, compared
from tests.verdicts.study_toy import set_batches, with_study
from verdicts.errors import UserError
from verdicts.records.section import Section
from verdicts.records.workspace import Workspace


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (["1.0", "4.0"], ["1.0", "4.0"], 0.0),
        (["1.0", "4.0"], ["1.0", "4.5"], 0.5 / 4.5),
        (["1e-17", "2.0"], ["3e-17", "2.0"], 1e-17),
        (["nan", "x", ""], ["nan", "x", ""], 0.0),
        (["nan"], ["1.0"], float("inf")),
        (["a"], ["b"], float("inf")),
        (["1.0"], ["1.0", "2.0"], float("inf")),
        (["0.0"], ["-0.0"], 0.0),
        (["1.0 2.0", "a"], ["1.0 2.5", "a"], 0.2),
        (["1.0 2.0"], ["1.0"], float("inf")),
        ([], [], 0.0),
    ],
)
def test_a_difference_is_relative_to_the_largest_number_of_its_column(one, other, apart):
    assert _apart(one, other) == pytest.approx(apart, rel=1e-9)


@pytest.mark.parametrize(
    ("found", "exact", "near"),
    [
        (Compared(8, 0, 0, 0.0, "", ()), True, True),
        (Compared(8, 1, 0, 0.0, "", ()), False, True),
        (Compared(8, 1, 0, 1e-6, "a", ()), False, True),
        (Compared(8, 1, 0, 1e-3, "a", ()), False, False),
        (Compared(8, 0, 0, 0.0, "", ("C1",)), False, False),
        (Compared(0, 0, 5, 0.0, "", ()), False, False),
    ],
)
def test_without_a_tolerance_no_byte_may_differ(found, exact, near):
    assert (found.within(0.0), found.within(1e-4)) == (exact, near)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    toy = with_study(tmp_path)
    set_batches(toy, 3)
    monkeypatch.chdir(toy.root)
    monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])
    return toy


def test_a_toy_is_the_same_in_shares_and_with_threads(toy):
    said = []
    assert Determinism(groups=("gamma",)).do(said.append) == 0
    assert [line.split(":")[0] for line in said[:4]] == [
        f"gamma, {name}" for name in ("again", "3 shares", "8 shares", "2 threads")
    ]
    assert all("0 of 6 cells differ, 0: within" in line for line in said[:4])
    section = Section.read(toy.root / "results/quick/sections/determinism.json")
    assert (
        [row[:4] for row in section.table.rows] == [("gamma", way.name, 6, 0) for way in determinism.VARIATIONS]
        and "tolerances: yes" in section.text
        and section.sources
    )


def test_what_depends_on_the_process_is_told_and_is_exit_code_1(toy):
    toy.replace_in_module("gamma/study", 'log(f"{sampler} {batch}")', "import os; batch += os.getpid()")
    said = []
    assert Determinism(groups=("gamma",)).do(said.append) == 1
    assert "6 of 6 cells differ" in said[0] and "NOT within 0" in said[0]


def test_two_folders_are_compared_within_the_given_tolerance(toy, capsys):
    for name in ("one", "other"):
        determinism._run(Determinism()._opened(toy.root / name), "gamma", determinism.FIRST)
    table = toy.root / "other/quick/studies/gamma.csv"
    rows = list(csv.reader(table.read_text().splitlines()))
    rows[1][-1] = str(float(rows[1][-1]) * (1 + 1e-6))
    table.write_text("\n".join(map(",".join, rows)) + "\n")
    record = toy.root / "other/quick/records/C2.json"
    words = ("gamma", "--between", "one", "other")
    assert main(words) == 0 and "0 of 6 cells differ" in capsys.readouterr().out
    assert main((*words, "--tolerance", "1e-8")) == 1 and "e-07 in gamma.csv: " in capsys.readouterr().out
    content = json.loads(record.read_text())
    content["checks"][0]["verdict"] = "refuted"
    record.write_text(json.dumps(content))
    assert main(words) == 1 and "other verdicts: C2" in capsys.readouterr().out


def test_an_unknown_group_is_refused(toy, capsys):
    assert main(("nowhere",)) == 2 and "'nowhere'" in capsys.readouterr().err
    with pytest.raises(UserError):
        Determinism(groups=("nowhere",)).do(print)


def test_where_one_of_two_folders_holds_no_run_nothing_is_compared(toy, capsys):
    determinism._run(Determinism()._opened(toy.root / "one"), "gamma", determinism.FIRST)
    assert main(("gamma", "--between", "one", "another")) == 2
    assert "another/quick has no results of the group gamma" in capsys.readouterr().err


def test_a_run_that_is_not_there_has_nothing_to_compare(toy):
    nothing = [Workspace.open(toy.root, Determinism().profile, toy.root / name) for name in ("a", "b")]
    assert compared(*nothing, "gamma") == Compared(0, 0, 0, 0.0, "", ())
