"""Cells are shared out by what they are expected to cost, alike in each process of a run; releases are not mixed."""

from multiprocessing import get_context

import pytest
from hypothesis import given, settings, strategies as st

from tests.verdicts.run.session import Session
from tests.verdicts.studies.test_store import busy
from tests.verdicts.study_toy import ALL, calls, gamma, listed, set_batches, with_study
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.kept_costs import KeptCosts, kept_costs, kept_costs_path, shares_of
from verdicts.records.provenance import ComputedOn
from verdicts.records.record import Artefacts
from verdicts.studies import Store, cell
from verdicts.studies.alone import alone
from verdicts.studies.costs import THERE, Cost, cost_at, mixture, shared_out
from verdicts.studies.study import compute, store_of

COSTS = st.lists(st.floats(0.0, 1e3), max_size=30)
NOTHING = KeptCosts(profile=Profile.QUICK)


def loads(seconds, owners, shares):
    return [sum(cost for cost, owner in zip(seconds, owners, strict=True) if owner == share) for share in range(shares)]


@settings(deadline=None, max_examples=200)
@given(seconds=COSTS, shares=st.integers(1, 9))
def test_the_longest_share_is_near_the_best_possible(seconds, shares):
    """Of any list: no share is above the mean by more than its last piece, Graham's bound follows."""
    owners = shared_out(seconds, shares)
    assert len(owners) == len(seconds) and set(owners) <= set(range(shares))
    longest, least = max(loads(seconds, owners, shares)), max([sum(seconds) / shares, *seconds])
    assert longest <= (2 - 1 / shares) * least * (1 + 1e-12)


def test_a_list_whose_best_is_known_is_within_graham_s_bound():
    """3, 3, 2, 2, 2 on two shares: the best is 6 and 6, longest first gives 7, which is 4/3 - 1/6 of it."""
    seconds = [2, 2, 2, 3, 3]
    assert sorted(loads(seconds, shared_out(seconds, 2), 2)) == [5, 7]
    assert shared_out([1.0] * 5, 3) == [0, 1, 2, 0, 1], "equal pieces go round"
    assert shared_out([1, 1, 1, 9], 2) == [1, 1, 1, 0]


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


def test_a_group_that_is_not_known_costs_what_others_do():
    kept = KeptCosts(profile=Profile.QUICK, groups={"a": 2.0, "b": 4.0})
    assert kept.of_groups(["a", "b", "c"]) == {"a": 2.0, "b": 4.0, "c": 3.0} and NOTHING.of_groups(["c"]) == {"c": 0.0}


@cell
def waiting(seconds: float) -> float:
    busy(seconds)
    return seconds


@pytest.fixture
def open_store(tmp_path):
    def opened(sources="1", **more):
        return Store(tmp_path / "cells", lambda function: {"sources": sources}, **more)

    return opened


CELLS = [waiting.cell(0.1), waiting.cell(0.2)]


def test_what_a_call_cost_before_is_expected_whatever_its_sources_were(open_store):
    compute(CELLS, open_store())
    store = open_store(sources="2", run="second")
    assert store.expected_seconds(CELLS, NOTHING) == pytest.approx([0.1, 0.2], abs=0.08)
    assert store.expected_seconds([waiting.cell(9.0)], NOTHING) == pytest.approx([0.15], abs=0.08), "their mean"
    assert open_store(run="second").expected_seconds(CELLS, NOTHING) == [THERE, THERE]


def test_each_share_has_the_same_in_mind_whenever_it_starts(open_store):
    kept = kept_costs(NOTHING, {}, {}, [("f", "0", 1.0)])
    compute(CELLS[:1], open_store(sources="0"))
    for run, more in (("first", {}), ("second", {"anew": True})):
        first, late = (open_store(run=run, **more) for _ in range(2))
        early = first.expected_seconds(CELLS, kept)
        compute(CELLS, first)
        assert late.expected_seconds(CELLS, kept) == early, "costs of this run are not looked at"


def test_kept_costs_name_calls_that_differ_from_their_function_s_mean():
    calls = [("f", "a" * 64, 9.0), ("f", "b" * 64, 0.5), ("f", "c" * 64, 0.5), ("g", "d" * 64, 2.0)]
    before = KeptCosts(profile=Profile.CPU, groups={"old": 1.0}, functions={"h": 7.0})
    kept = kept_costs(before, {"gamma": 10.0}, {"gamma": 9.5}, calls)
    assert kept.groups == {"old": 1.0, "gamma": 10.0} and kept.alone == {"gamma": 9.5} and kept.profile == Profile.CPU
    assert kept.functions == {"h": 7.0, "f": pytest.approx(10 / 3, abs=1e-4), "g": 2.0} and kept.cells == {
        "a" * 12: 9.0
    }
    assert [kept.of_cell(name, call) for name, call, _ in calls] == [9.0, kept.functions["f"], kept.functions["f"], 2.0]
    assert kept.of_cell("unknown", "a") is None


def test_kept_costs_that_are_damaged_are_refused_in_one_line(tmp_path):
    toy = with_study(tmp_path)
    path = kept_costs_path(toy.root, Profile.QUICK)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"profile": "quick", "groups": {"gamma": "long"}}')
    with pytest.raises(UserError, match=r"paper/expected/quick.costs.json: groups.gamma = 'long': input should be a"):
        toy.workspace()


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


def ask_for_the_other(folder, ready, first, errors):
    """Compute one of two cells that ask for each other, once both are being computed."""
    begun = False

    @cell
    def one() -> int:
        meet()
        return two()

    @cell
    def two() -> int:
        meet()
        return one()

    def meet():
        nonlocal begun
        if not begun:
            begun = True
            ready.wait()

    try:
        Store(folder, lambda function: {}).value((one if first else two).cell())
    except Exception as error:
        errors.put(str(error))


def test_cells_of_two_processes_that_ask_for_each_other_end_with_an_error(tmp_path):
    context = get_context("fork")
    ready, errors = context.Barrier(2), context.Queue()
    processes = [context.Process(target=ask_for_the_other, args=(tmp_path, ready, each, errors)) for each in (0, 1)]
    for process in processes:
        process.start()
    try:
        texts = [errors.get(timeout=60) for _ in processes]
    finally:
        for process in processes:
            process.kill()
            process.join()
    assert all("asks for itself, directly or through others" in text for text in texts)


def test_without_locks_a_cell_is_computed_all_the_same(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("verdicts.studies.alone.fcntl.lockf", no_locks)
    with alone(tmp_path / "a.json"):
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

    def test_cells_know_what_computed_them(self, session):
        assert session.run() == 0
        workspace = session.toy.workspace()
        cost = cost_at(store_of(workspace).path(listed(workspace)[0]))
        assert (
            cost.call == listed(workspace)[0].digest and cost.computed_on.device == workspace.computed_on().device != ""
        )
        record = Artefacts.read(workspace.study_path(gamma(workspace)))
        assert record.provenance.processor == cost.computed_on.device

    def test_models_of_processors_may_differ_and_are_all_named(self, session):
        session.run()
        self.rewrite(session.toy, {"computed_on": {"device": "Another", "versions": {}}})
        set_batches(session.toy, 4)
        session.run()
        workspace = session.toy.workspace()
        record = Artefacts.read(workspace.study_path(gamma(workspace)))
        assert not record.failed and record.provenance.processor.split("; ") == sorted(
            ["Another", workspace.computed_on().device]
        )

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
