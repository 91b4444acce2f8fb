"""The store gives back what was computed, notices every change of its files, and computes only what
it lacks.
"""

import json
import threading
import time
from typing import Any

import numpy as np
import pytest

from tests.verdicts.toy import calls, gamma, listed, set_batches, with_study
from verdicts.errors import UserError
from verdicts.records.files import canonical_json, sha256_of
from verdicts.records.workspace import Project, Workspace
from verdicts.studies import Array, CellFailed, CellMissing, Kept, Store, cell, using
from verdicts.studies.cells import Memory, active
from verdicts.studies.kept import Archive, KeptCell
from verdicts.studies.store import CellUnavailable
from verdicts.studies.study import compute, store_of


class Absent(Exception):
    """What a library raises for want of a file."""

    not_run = True


made: list[int] = []


@cell
def double(n: int) -> int:
    made.append(n)
    if n < 0:
        raise ValueError(f"no\nroot of {n}")
    if n == 13:
        raise Absent("no such  file")
    if n == 99:
        raise SystemExit(3)
    return 2 * n


@cell
def values(n: int) -> list[float]:
    return [float(n)]


@cell
def matrix(n: int) -> Array:
    return np.full((2, 2), float(n))


@pytest.fixture(autouse=True)
def forget():
    made.clear()


@pytest.fixture
def open_store(tmp_path):
    """Open the store of one folder, as another process would."""

    def opened(**more: Any) -> Store:
        return Store(tmp_path / "cells", lambda function: {"sources": "1"}, **more)

    return opened


def test_what_was_computed_is_read_by_the_next_store(open_store):
    assert (
        open_store().value(double.cell(4)) == 8
        and open_store().value(double.cell(4)) == 8
        and made == [4]
    )
    assert open_store(reading=True).value(double.cell(n=4)) == 8
    assert open_store().has(double.cell(4)) and not open_store().has(double.cell(5))


@cell(kept=Kept("here.root"))
def root(n: int) -> int:
    raise AssertionError("it is kept")


@cell
def above(n: int) -> int:
    made.append(n)
    return root(1) + n


def test_every_cell_names_the_kept_values_that_it_rests_on_and_is_no_more_current_without_them(
    open_store, tmp_path
):
    def archive(value: int) -> Archive:
        about = {
            "data": {},
            "sources": "",
            "commit": None,
            "computed_on": {},
            "seconds": 1.0,
            "started": "",
        }
        one = KeptCell(function="here.root", arguments={"n": 1}, value=value, **about)
        made_here = Archive(tmp_path / str(value), dict)
        made_here.write("here", [one])
        return made_here

    store = open_store(archive=archive(5))
    assert [store.value(above.cell(n)) for n in (1, 2)] == [6, 7] and len(store.kept_read) == 1
    for n in (1, 2):
        again = open_store(archive=archive(5))
        assert again.value(above.cell(n)) == 5 + n and len(again.kept_read) == 1
    assert (
        made == [1, 2]
        and open_store(archive=archive(9)).value(above.cell(2)) == 11
        and made == [1, 2, 2]
    )


def test_whoever_changes_what_was_read_changes_nothing_for_others(open_store):
    store = open_store()
    store.value(values.cell(1)).append(5.0)
    assert store.value(values.cell(1)) == [1.0]
    first = store.value(matrix.cell(1))
    first[:] = 7.0
    assert np.array_equal(store.value(matrix.cell(1)), np.ones((2, 2)))
    with using(Memory()):
        values(2).append(5.0)
        assert values(2) == [2.0]


def forged(content: bytes, **changes: Any) -> bytes:
    """Return the file with fields changed and its digest made anew."""
    fields = json.loads(content) | changes
    del fields["digest"]
    fields["digest"] = sha256_of(canonical_json(fields))
    return (canonical_json(fields, indent=1) + "\n").encode()


SPOILT = [
    lambda content: b"",
    lambda content: content.replace(b'"value": 8', b'"value": 9'),
    lambda content: forged(content, key="0"),
    lambda content: forged(content, arguments={"n": 5}),
    lambda content: forged(content, function="another"),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_file_that_is_not_what_was_written_is_made_again(open_store, spoil):
    store = open_store()
    store.value(double.cell(4))
    path = store.path(double.cell(4))
    sound = path.read_bytes()
    path.write_bytes(spoil(sound))
    assert path.read_bytes() != sound and not open_store().has(double.cell(4))
    with pytest.raises(CellMissing):
        open_store(reading=True).value(double.cell(4))
    assert open_store().value(double.cell(4)) == 8 and made == [4, 4]
    assert path.read_bytes() == sound


def test_a_cell_that_would_end_its_process_has_failed(open_store):
    with pytest.raises(SystemExit):
        open_store().value(double.cell(99))
    with pytest.raises(CellFailed, match=r"double\(n=99\): SystemExit: 3"):
        open_store(reading=True).value(double.cell(99))


def test_what_failed_is_tried_again_once_a_run(open_store, monkeypatch):
    with pytest.raises(ValueError, match="no\nroot"):
        open_store(run="first").value(double.cell(-1))
    store = open_store(run="second")
    with pytest.raises(ValueError, match="no\nroot"):
        store.value(double.cell(-1))
    for again in (store, open_store(run="second")):
        with pytest.raises(CellFailed):
            again.value(double.cell(-1))
    assert made == [-1, -1]


def test_what_fails_anew_has_no_value_left(open_store, monkeypatch):
    open_store().value(double.cell(4))
    monkeypatch.setattr(double, "wrapped", lambda n: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        open_store(run="this", anew=True).value(double.cell(4))
    with pytest.raises(CellFailed, match="ZeroDivisionError"):
        open_store(reading=True).value(double.cell(4))


def test_what_cannot_be_computed_anew_keeps_its_value_for_others(open_store, monkeypatch):
    open_store().value(double.cell(4))

    def absent(n):
        raise Absent("no such file")

    monkeypatch.setattr(double, "wrapped", absent)
    with pytest.raises(Absent):
        open_store(run="this", anew=True).value(double.cell(4))
    with pytest.raises(CellUnavailable, match="no such file"):
        open_store(run="this", anew=True, reading=True).value(double.cell(4))
    assert open_store(reading=True).value(double.cell(4)) == 8


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@cell
def inner(n: int) -> int:
    busy(0.1)
    return n


@cell
def outer(n: int) -> int:
    busy(0.05)
    return inner(0) + inner(n)


def seconds(store: Store, *cells: Any) -> float:
    return sum(cost.seconds for cost in store.costs(cells))


def test_the_cost_of_a_cell_that_others_ask_for_is_counted_once(open_store):
    compute([outer.cell(1), outer.cell(2)], store := open_store())
    assert 0.4 <= (both := seconds(store, outer.cell(1), outer.cell(2))) < 0.55, (
        "three times inner, two times outer"
    )
    assert (
        0.05 <= seconds(store, outer.cell(1)) - seconds(store, inner.cell(0), inner.cell(1)) < 0.08
    )
    again = open_store()
    compute([outer.cell(1), outer.cell(2)], again)
    assert (
        seconds(again, outer.cell(1), outer.cell(2)) == both
        and seconds(store, outer.cell(3)) == 0.0
    )


def test_threads_read_the_store_of_their_process(open_store):
    seen = []
    with using(store := open_store()):
        thread = threading.Thread(target=lambda: seen.append(active()))
        thread.start()
        thread.join()
    assert seen == [store]


class TestWorkspace:
    """The store of a repository: its keys follow the sources that a cell depends on, its device and
    its data.
    """

    @pytest.fixture
    def toy(self, tmp_path):
        toy = with_study(tmp_path)
        self.run(toy)
        calls(toy)
        return toy

    def run(self, toy) -> None:
        workspace = toy.workspace()
        compute(listed(workspace), store_of(workspace))

    def test_more_batches_reuse_those_that_are_there(self, toy):
        set_batches(toy, 5)
        self.run(toy)
        assert calls(toy) == ["one 3", "one 4", "two 3", "two 4"]
        set_batches(toy, 2)
        self.run(toy)
        assert calls(toy) == []

    def test_profiles_share_their_cells(self, toy):
        workspace = toy.workspace("cpu")
        assert all(store_of(workspace, reading=True).has(each) for each in listed(workspace))

    def test_another_device_has_cells_of_its_own(self, toy):
        toy.write("config/paper.toml", 'device = "cuda"\n')
        project = Project(accelerator=lambda: "a GPU")
        workspace = Workspace.open(toy.root, "paper", None, project)
        cells = listed(toy.workspace())
        assert not any(store_of(workspace, reading=True).has(each) for each in cells)

    def test_data_that_a_function_names_are_in_its_key(self, toy):
        data = '@cell(data=("faces",))\ndef outcome'
        toy.replace_in_module("gamma/study", "@cell\ndef outcome", data)
        assert gamma(toy.workspace()).id == "gamma"
        paths = []
        for digest in ("1", "2"):
            workspace = Workspace.open(
                toy.root, "quick", None, Project(lambda digest=digest: {"faces": digest})
            )
            paths.append(store_of(workspace).path(listed(workspace)[0]))
        assert paths[0] != paths[1]
        with pytest.raises(UserError, match=r"outcome: unknown data set 'faces': known: "):
            store_of(toy.workspace()).path(listed(toy.workspace())[0])
