"""A study: its cells, computed in any number of shares, once and by one release, and their labelled
table.
"""

import csv
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import pytest

from tests.verdicts.studies.test_cells import Range
from tests.verdicts.studies.test_store import busy
from tests.verdicts.toy import ALL, Session, calls, gamma, kept_run, listed, set_batches, with_study
from verdicts.claims.schema import Profile
from verdicts.records.expected import expected_path
from verdicts.records.record import Artefacts
from verdicts.run.checks import Checks
from verdicts.run.plan import shares_here, shares_of
from verdicts.studies import Array, Store, cell
from verdicts.studies.store import Cost, cost_at, file_lock
from verdicts.studies.study import cells_of, compute, labelled_table, store_of


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
        "range.high": "inf",
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
    assert [row[name] for name in ("0.low", "0.high", "1.low", "1.high")] == [
        "0.0",
        "0.5",
        "1.0",
        "1.5",
    ]


def test_cells_without_a_value_are_left_out(tmp_path):
    found, _ = table(tmp_path, broken.cell(0), broken.cell(2))
    assert [row["n"] for row in found] == ["2"]
    assert table(tmp_path, broken.cell(0))[1] == "\n"


@pytest.mark.parametrize(
    ("seconds", "jobs", "shares"),
    [
        ({"a": 60.0, "b": 30.0, "c": 10.0}, 1, {"a": 1, "b": 1, "c": 1}),
        ({"a": 60.0, "b": 30.0, "c": 10.0}, 8, {"a": 10, "b": 5, "c": 2}),
        ({"a": 5.0, "b": 5.0, "c": 5.0, "d": 5.0}, 2, {"a": 1, "b": 1, "c": 1, "d": 1}),
        ({"a": 0.0}, 8, {"a": 1}),
        ({}, 8, {}),
    ],
)
def test_a_study_has_as_many_shares_as_it_costs(seconds, jobs, shares):
    assert shares_of(seconds, jobs) == shares


def test_a_study_whose_time_is_not_kept_has_the_number_of_the_configuration(tmp_path):
    toy = with_study(tmp_path)
    toy.write("config/cpu.toml", "[resources]\ngamma = { shares = 3 }\n")
    assert shares_here(toy.workspace("cpu"), ["gamma", "alpha"], 8) == {"gamma": 3, "alpha": 1}
    kept_run("cpu", studies={"gamma": 3, "alpha": 1}).write(expected_path(toy.root, Profile.CPU))
    assert shares_here(toy.workspace("cpu"), ["gamma", "alpha"], 8) == {"gamma": 3, "alpha": 4}


def ask(folder, ready, made):
    """Compute the one cell of a folder in a process of its own, once `ready` has been passed by
    all.
    """

    @cell
    def slow() -> int:
        made.put(1)
        busy(0.3)
        return 1

    ready.wait()
    Store(folder, lambda function: {}).value(slow.cell())


def test_processes_that_ask_for_one_cell_compute_it_once(tmp_path):
    context = get_context("fork")
    ready, made = context.Barrier(3), context.Queue()
    processes = [context.Process(target=ask, args=(tmp_path, ready, made)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert made.get(timeout=5) == 1 and made.empty() and not list(tmp_path.rglob("*.lock"))


def test_without_locks_a_cell_is_computed_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("verdicts.studies.store.fcntl.lockf", no_locks)
    with file_lock(tmp_path / "a.json"):
        (tmp_path / "a.json").write_text("1")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


class TestRuns:
    """Runs of the toy repository's study."""

    @pytest.fixture
    def session(self, tmp_path, monkeypatch):
        return Session(with_study(tmp_path), monkeypatch)

    def rewrite(self, toy, change, profile="quick"):
        """Change what is said of the costs of all cells."""
        workspace = toy.workspace(profile)
        for each in listed(workspace):
            path = store_of(workspace).path(each).with_suffix(".cost")
            Cost.model_validate(Cost.read(path).model_dump() | change).write(path)

    def test_cells_know_what_computed_them_and_all_models_of_processors_are_named(self, session):
        session.run()
        workspace = session.toy.workspace()
        cost = cost_at(store_of(workspace).path(listed(workspace)[0]))
        assert cost.computed_on.device == workspace.computed_on().device != ""
        self.rewrite(session.toy, {"computed_on": {"device": "Another", "versions": {}}})
        set_batches(session.toy, 4)
        session.run()
        record = Artefacts.read(workspace.study_path(gamma(workspace)))
        assert not record.failed
        assert record.provenance.processor.split("; ") == sorted(
            ["Another", cost.computed_on.device]
        )

    def test_a_study_of_mixed_releases_is_refused_before_it_is_computed(self, session, monkeypatch):
        monkeypatch.setattr(
            "verdicts.records.provenance._versions", lambda packages: {"torch": "2.5"}
        )
        session.run()
        calls(session.toy)
        self.rewrite(session.toy, {"computed_on": {"device": "", "versions": {"torch": "2.4"}}})
        assert session.run() == 0, "what is there is current"
        set_batches(session.toy, 4)
        assert session.run() == 3 and calls(session.toy) == []
        told = (
            "study of gamma: refused: 6 of its cells were computed with torch 2.4, 2 with "
            "torch 2.5, and their "
        )
        told += (
            "numbers may differ; `python -m verdicts reproduce --force gamma` computes all "
            "with one release"
        )
        assert told in session.said
        row = session.rows()["C1"]
        assert row["failed"] and "torch 2.4" in row["reason"] and "torch 2.5" in row["reason"]
        assert session.rows()["A1"]["verdict"] == "holds"
        session.run(force=("gamma",))
        assert (
            len(calls(session.toy)) == len(ALL) + 2
            and not session.rows()["C1"]["failed"]
            and session.check() == 0
        )
