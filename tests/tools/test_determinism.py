"""Runs that differ are told with their place and size; a toy's study in shares and with threads is the same."""

import csv
import json

import pytest

from tests.verdicts.toy import Toy, set_batches, with_study
from tools import run
from tools.determinism import FIRST, Determinism, compared, difference, run_group
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
        ([], [], 0.0),
    ],
)
def test_a_difference_is_relative_to_the_largest_number_of_its_column(one, other, apart):
    assert difference(one, other) == pytest.approx(apart, rel=1e-9)


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Toy:
    toy = with_study(tmp_path)
    set_batches(toy, 3)
    monkeypatch.chdir(toy.root)
    monkeypatch.setenv("PYTHONPATH", toy.environment()["PYTHONPATH"])
    return toy


def test_a_toy_is_the_same_in_shares_and_with_threads(toy, capsys):
    assert run(Determinism, ["gamma"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        *(f"gamma, {name}: 0 of 6 cells differ, 0: within 0" for name in ("again", "3 shares", "8 shares")),
        "gamma, 2 threads: 0 of 6 cells differ, 0: within 0.0001",
    ]


def test_what_depends_on_the_process_is_told_and_is_exit_code_1(toy, capsys):
    toy.replace_in_module("gamma/study", 'log(f"{sampler} {batch}")', "import os; batch += os.getpid()")
    assert run(Determinism, ["gamma"]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert "6 of 6 cells differ" in first and "NOT within 0" in first


@pytest.fixture
def two(toy) -> list[Workspace]:
    """Return the same run in two folders."""
    opened = [Determinism()._opened(toy.root / name) for name in ("one", "other")]
    for each in opened:
        run_group(each, "gamma", FIRST)
    return opened


def test_a_number_of_a_table_that_differs_is_told_with_its_column(two):
    table = two[1].folder / "studies/gamma.csv"
    rows = list(csv.reader(table.read_text().splitlines()))
    rows[1][-1] = str(float(rows[1][-1]) * (1 + 1e-6))
    table.write_text("\n".join(map(",".join, rows)) + "\n")
    found = compared(*two, "gamma")
    assert found.where.startswith("gamma.csv: ") and 1e-8 < found.difference < 2e-6 and found.others == 0
    assert found.within(1e-5) and not found.within(1e-8) and f"e-07 in {found.where}" in str(found)
    bytes_alone = found._replace(others=1, difference=0.0)
    assert bytes_alone.within(1e-8) and not bytes_alone.within(0.0), "without a tolerance no byte may differ"


def test_another_verdict_and_a_missing_cell_are_told(two):
    record = next(two[1].folder.glob("records/C2.json"))
    content = json.loads(record.read_text())
    content["checks"][0]["verdict"] = "refuted"
    record.write_text(json.dumps(content))
    found = compared(*two, "gamma")
    assert found.difference == float("inf") and found.where.startswith("C2") and not found.within(1.0)
    record.unlink()
    found = compared(*two, "gamma")
    assert found.missing and "one lacks C2" in str(found) and not found.within(1.0)
