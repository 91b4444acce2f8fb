"""A study: the cells of a group's settings, computed in any number of shares, and their labelled table."""

import csv
from typing import NamedTuple

import numpy as np
import pytest

from tests.verdicts.studies.test_cells import Range
from tests.verdicts.study_toy import listed, with_study
from verdicts.run.checks import Checks
from verdicts.studies import Array, Store, cell
from verdicts.studies.study import cells_of, compute, labelled_table


@pytest.fixture
def toy(tmp_path):
    return with_study(tmp_path)


def test_a_cell_that_is_listed_twice_is_one(toy):
    toy.replace_in_module("gamma/study", '("one", "two")', '("one", "two", "one")')
    assert len(listed(toy.workspace())) == 6


def test_a_group_without_a_study_has_no_cells(toy):
    workspace = toy.workspace()
    alpha = workspace.claims.group[0]
    assert cells_of(alpha, Checks.load(workspace, alpha).settings) == []


class Outcome(NamedTuple):
    energy: float
    range: Range
    samples: Array
    counts: list[int]
    name: str | None = None


@cell
def outcome(sampler: str, name: str, levels: tuple[float, ...] = (1.0, 0.1)) -> Outcome:
    return Outcome(1 / 3, Range(0.0, float("inf")), np.zeros((2, 3)), [1, 2], None)


@cell
def distance(sampler: str, within: Range = Range(0.0, 1.0)) -> float:  # noqa: B008 (never changed)
    return 0.1 + 0.2


@cell
def rows(n: int) -> list[Range]:
    return [Range(float(k), k + 0.5) for k in range(n)]


@cell
def broken(n: int) -> float:
    return 1 / n


def table(tmp_path, *cells):
    compute(cells, Store(tmp_path, lambda function: {}))
    text = labelled_table(cells, Store(tmp_path, lambda function: {}, reading=True))
    return list(csv.DictReader(text.splitlines())), text


def test_the_table_names_arguments_and_results(tmp_path):
    (first, second), _ = table(tmp_path, outcome.cell("a", "b"), distance.cell("c"))
    assert first == {
        "cell": f"{__name__}.outcome",
        "sampler": "a",
        "name": "b",
        "levels": "1.0 0.1",
        "energy": repr(1 / 3),
        "range.low": "0.0",
        "range.high": "Infinity",
        "samples": "2x3",
        "counts": "1 2",
        "result.name": "",
        "within.low": "",
        "within.high": "",
        "value": "",
    }
    assert (second["sampler"], second["value"], second["energy"]) == ("c", repr(0.1 + 0.2), "")
    assert (second["within.low"], second["within.high"]) == ("0.0", "1.0")


def test_the_table_numbers_the_entries_of_a_list(tmp_path):
    ((row,)), _ = table(tmp_path, rows.cell(2))
    assert [row[name] for name in ("0.low", "0.high", "1.low", "1.high")] == ["0.0", "0.5", "1.0", "1.5"]


def test_cells_without_a_value_are_left_out(tmp_path):
    found, _ = table(tmp_path, broken.cell(0), broken.cell(2))
    assert [row["n"] for row in found] == ["2"]
    assert table(tmp_path, broken.cell(0))[1] == "\n"
