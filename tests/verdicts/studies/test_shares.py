"""A study has as many shares as it costs; two processes compute a cell once; releases are not mixed."""

from multiprocessing import get_context

import pytest

from tests.verdicts.run.session import Session
from tests.verdicts.studies.test_store import busy
from tests.verdicts.study_toy import ALL, calls, gamma, listed, set_batches, with_study
from tests.verdicts.toy import kept_run
from verdicts.claims.schema import Profile
from verdicts.records.expected import expected_path
from verdicts.records.provenance import ComputedOn
from verdicts.records.record import Artefacts
from verdicts.run.plan import shares_here, shares_of
from verdicts.run.study import mixture
from verdicts.studies import Store, cell
from verdicts.studies.store import Cost, cost_at, file_lock
from verdicts.studies.study import store_of


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
    """Compute the one cell of a folder in a process of its own, once `ready` has been passed by all."""

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


def made_by(*releases):
    return [Cost(seconds=1.0, started="", computed_on=ComputedOn(versions={"torch": release})) for release in releases]


@pytest.mark.parametrize(
    ("costs", "here", "told"),
    [
        (made_by("2.4", "2.4"), None, ""),
        (made_by("2.4"), ComputedOn(versions={"torch": "2.4"}), ""),
        ([*made_by("2.4"), Cost(seconds=1.0, started="")], None, ""),
        ([], ComputedOn(versions={"torch": "2.4"}), ""),
        (
            made_by("2.4", "2.5", "2.4"),
            None,
            "2 of its cells were computed with torch 2.4, 1 with torch 2.5",
        ),
        (
            made_by("2.4"),
            ComputedOn(versions={"torch": "2.5"}),
            "1 of its cells were computed with torch 2.4, the others would be with torch 2.5",
        ),
    ],
)
def test_a_mixture_is_told_with_its_releases(costs, here, told):
    assert mixture(costs, here) == told


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
        assert record.provenance.processor.split("; ") == sorted(["Another", cost.computed_on.device])

    def test_a_study_of_mixed_releases_is_refused_before_it_is_computed(self, session, monkeypatch):
        monkeypatch.setattr("verdicts.records.provenance._versions", lambda packages: {"torch": "2.5"})
        session.run()
        calls(session.toy)
        self.rewrite(session.toy, {"computed_on": {"device": "", "versions": {"torch": "2.4"}}})
        assert session.run() == 0, "what is there is current"
        set_batches(session.toy, 4)
        assert session.run() == 3 and calls(session.toy) == []
        told = "study of gamma: refused: 6 of its cells were computed with torch 2.4, 2 with torch 2.5, and their "
        told += "numbers may differ; `python -m verdicts reproduce --force gamma` computes all with one release"
        assert told in session.said
        row = session.rows()["C1"]
        assert row["failed"] and "torch 2.4" in row["reason"] and "torch 2.5" in row["reason"]
        assert session.rows()["A1"]["verdict"] == "holds"
        session.run(force=("gamma",))
        assert len(calls(session.toy)) == len(ALL) + 2 and not session.rows()["C1"]["failed"] and session.check() == 0
