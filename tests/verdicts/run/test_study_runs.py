"""Runs of a group with a study: it is computed once, all else only reads it, and nothing that
breaks is silent.
"""

import csv
import json
import os
import shutil
from contextlib import nullcontext

import pytest

from tests.verdicts.toy import ALL, Session, after_a_run, calls, do_job, listed, tree, with_study
from verdicts.claims.schema import Profile
from verdicts.records.record import Artefacts
from verdicts.run import forecast, publish
from verdicts.run.job import at_work
from verdicts.run.publish import expect
from verdicts.studies.store import file_lock
from verdicts.studies.study import store_of


class StudySession(Session):
    """A session on a toy with a study."""

    def calls(self):
        return calls(self.toy)

    def cell_path(self, number):
        workspace = self.toy.workspace()
        return store_of(workspace).path(listed(workspace)[number])


@pytest.fixture
def session(tmp_path, monkeypatch):
    return StudySession(with_study(tmp_path), monkeypatch)


@pytest.fixture(scope="module")
def after_first_run(tmp_path_factory):
    """Return a toy with a study, and what makes its files again as its first run left them."""
    toy = with_study(tmp_path_factory.mktemp("toy"))
    return toy, after_a_run(toy)


@pytest.fixture
def ran(after_first_run, monkeypatch):
    """Return a session on a toy after its first run."""
    toy, restore = after_first_run
    restore()
    calls(toy)
    return StudySession(toy, monkeypatch)


def test_a_study_is_computed_once_and_all_else_reads_it(session):
    assert session.run() == 0 and session.calls() == ALL
    assert session.rows()["C1"]["checks"][0]["value"] == 1.125
    energies = (session.toy.folder() / "figures/gamma/energies.csv").read_text()
    assert energies == "batch,energy\n0,1.0\n1,1.125\n2,1.25\n"
    assert session.run() == 0 and session.calls() == [] and "nothing to compute" in session.said
    assert session.check() == 0
    rows = list(
        csv.DictReader((session.toy.folder() / "studies/gamma.csv").read_text().splitlines())
    )
    assert [(row["sampler"], row["energy"]) for row in rows[:2]] == [
        ("one", "1.0"),
        ("one", "1.125"),
    ]
    record = Artefacts.read(session.toy.folder() / "studies/gamma.json")
    assert len(record.files) == 7 and record.provenance.seconds >= 0 and not record.failed


def test_a_changed_check_or_figure_computes_no_cell_again(ran):
    both = {"C1", "C2"}
    for module, computed, drawn in (
        ("checks", both, False),
        ("figures", set(), True),
        ("study", both, True),
    ):
        figures = (ran.toy.folder() / "figures/gamma/artefacts.json").read_bytes()
        ran.toy.replace_in_module(f"gamma/{module}", "\n\n\n", "\n\n\n# changed\n\n\n")
        assert ran.check() == 1 and ran.run() == 0
        assert ran.computed() == computed and ran.calls() == (ALL if module == "study" else [])
        assert (
            (ran.toy.folder() / "figures/gamma/artefacts.json").read_bytes() != figures
        ) is drawn
    assert ran.check() == 0


def test_a_part_of_the_group_computes_what_it_asks_for_and_no_study(session):
    assert session.run(only=("C1",)) == 0 and session.calls() == [
        "one 0",
        "one 1",
        "one 2",
        "start one",
    ]
    assert not (session.toy.folder() / "studies").exists() and session.run(only=("gamma",)) == 0
    assert session.calls() == ["start two", "two 0", "two 1", "two 2"] and session.computed() == {
        "C2"
    }


SPOILT = [
    (lambda path: path.unlink(), "is gone"),
    (lambda path: path.write_bytes(path.read_bytes()[:-9]), "was edited"),
]


def test_what_is_damaged_is_named_and_made_again_and_nothing_else(ran):
    path = ran.cell_path(1)
    sound = path.read_bytes()
    for spoil, reason in SPOILT:
        spoil(path)
        assert ran.check() == 1
        assert "study of gamma: ../../cells/" in ran.said and f"{path.name} {reason}" in ran.said
        assert ran.run() == 0 and ran.calls() == ["one 1"] and ran.computed() == set()
        assert path.read_bytes() == sound
    for name in ("gamma.csv", "gamma.json"):
        path = ran.toy.folder() / "studies" / name
        before = path.read_text()
        path.write_text("edited")
        assert ran.check() == 1 and "study of gamma: " in ran.said
        assert ran.run() == 0 and ran.calls() == []
        assert (path.read_text() == before) is (name == "gamma.csv")
    assert ran.check() == 0


BREAKS = (
    'if (sampler, batch) == ("one", 1):\n        raise '
    'ZeroDivisionError("by\\nnothing")\n    log(f"{sampler} {batch}")'
)
LOGS = 'log(f"{sampler} {batch}")'


def test_a_cell_that_breaks_is_a_failed_record_with_its_message(session):
    session.toy.replace_in_module("gamma/study", LOGS, BREAKS)
    assert session.run() == 3
    row = session.rows()["C1"]
    assert row["failed"] is True
    message = (
        f"{session.toy.package}.gamma.study.outcome(sampler='one', batch=1): "
        "ZeroDivisionError: by nothing"
    )
    assert row["reason"] == f"failed: CellFailed: {message}"
    assert "in outcome" in (session.toy.folder() / "logs/C1.log").read_text(), (
        "the traceback of the cell"
    )
    assert session.rows()["C2"]["verdict"] == "holds"
    assert f"study of gamma: 1 of 6 cells failed, first {message}" in session.said
    assert session.calls() == [
        "one 0",
        "one 2",
        "start one",
        "start two",
        "two 0",
        "two 1",
        "two 2",
    ]
    assert session.check() == 1
    session.toy.restore_module("gamma/study")
    assert session.run() == 0 and session.check() == 0


@pytest.mark.parametrize("settled", [False, True])
def test_a_cell_that_is_unavailable_is_not_run(session, settled):
    kind = "NotBuilt" if settled else "Unavailable"
    words = '"no such file here", "a.npz", "put it there"'
    absent = f'log("tried")\n    from verdicts import {kind}\n    raise {kind}({words})'
    session.toy.replace_in_module("gamma/study", LOGS, absent)
    assert session.run() == 0
    row = session.rows()["C1"]
    assert (row["verdict"], row["reason"], row["failed"]) == ("not run", "no such file here", False)
    assert "not run for want of a.npz: C1, C2\nto run them: put it there; then bash" in session.said
    assert session.check() == 0
    assert session.run(strict=True, fetch=True) == 1
    assert session.computed() == (set() if settled else {"C1", "C2"})
    session.calls()
    session.toy.restore_module("gamma/study")
    assert session.run() == 0 and session.rows()["C1"]["verdict"] == "holds"


def test_a_study_that_cannot_be_listed_fails_its_group_alone(session):
    session.toy.replace_in_module(
        "gamma/study", "def cells(settings):", "def cells(settings):\n    1 / 0"
    )
    assert session.run() == 3
    assert "study of gamma: failed: ZeroDivisionError: division by zero" in session.said
    assert "ZeroDivisionError" in (session.toy.folder() / "logs/gamma.study.log").read_text()
    row = session.rows()["C1"]
    assert row["failed"] and "the study does not list it, or was not run" in row["reason"]
    assert session.rows()["A1"]["verdict"] == "holds"
    session.toy.restore_module("gamma/study")
    assert session.run() == 0 and not (session.toy.folder() / "logs/gamma.study.log").exists()


def test_a_check_that_asks_for_what_the_study_does_not_list_fails(session):
    session.toy.replace_in_module("gamma/checks", 'outcome("two", 0)', 'outcome("three", 0)')
    assert session.run() == 3
    assert (
        "outcome(sampler='three', batch=0) (no record): the study does not list it"
        in session.rows()["C2"]["reason"]
    )
    assert "three 0" not in session.calls()


def test_force_computes_anew(ran):
    assert ran.run(force=("gamma",)) == 0 and ran.calls() == ALL
    assert ran.run(only=("C2",), force=("C2",)) == 0 and ran.calls() == ["start two", "two 0"]
    assert ran.check(only=("gamma",)) == 0


@pytest.mark.parametrize("others", [False, True])
def test_what_a_killed_process_left_of_a_cell_is_removed_once_nobody_can_be_writing_it(
    session, others
):
    folder = session.toy.root / "results/cells"
    folder.mkdir(parents=True)
    for name, age in ((".old.json.0.partial", 2e5), (".new.json.0.partial", 0.0)):
        (folder / name).write_text("{")
        stamp = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (stamp, stamp))
    with at_work(folder) if others else nullcontext():
        session.run(only=("B1",))
    assert [path.name for path in folder.glob(".*.partial")] == (
        [".new.json.0.partial"] if others else []
    )


def test_the_plan_tells_what_claims_and_studies_took_before_on_this_machine(session, monkeypatch):
    monkeypatch.setattr(publish, "calibrated", lambda: 1.0)
    monkeypatch.setattr(forecast, "clocked", lambda jobs: 2.0)
    session.run()
    assert expect(session.toy.workspace(), lambda line: None) == 0
    path = session.toy.root / "paper/expected/quick.json"
    content = json.loads(path.read_text())
    assert set(content["studies"]) == {"gamma"}
    content |= {"studies": {"gamma": 500.0}, "beside": 0.0}
    for claim in content["claims"].values():
        claim["seconds"] = 4.0
    path.write_text(json.dumps(content))
    session.run(force=("C1",))
    assert "1 to run on 1 core; about 6 to 12 min\n" in session.said, (
        "4 s, a start, half of the study, twice as slow as there: 8.6 min"
    )
    session.toy.replace_in_module("gamma/study", "\n\n\n", "\n\n\n# changed\n\n\n")
    session.run(verbose=True)
    assert "2 to run on 1 core; about 12 to 24 min\n" in session.said
    assert f"study of gamma: stale: {session.toy.package}/gamma/study.py changed" in session.said


class TestShares:
    """Shares of a study, each a job of its own."""

    @pytest.fixture
    def shared(self, session):
        session.toy.write(
            "config/cpu.toml", "[resources]\ngamma = { mem_mb = 100, runtime = 1, shares = 3 }\n"
        )
        return session

    def test_shares_give_the_bytes_of_one_process(self, shared, tmp_path_factory, monkeypatch):
        assert shared.run(profile=Profile.CPU, jobs=2) == 0
        computed = [line for line in shared.calls() if not line.startswith("start")]
        own = ["one 0", "one 1", "one 2", "two 0", "two 1", "two 2"]
        assert computed == own, "each cell once; two shares may both ask for one that they share"
        logs = (shared.toy.folder("cpu") / "logs").glob("gamma.study.*.log")
        assert sorted(path.name for path in logs) == [
            f"gamma.study.{share}of3.log" for share in range(3)
        ]
        assert shared.check(profile=Profile.CPU) == 0
        by_shares = tree(shared.toy.root / "results/cells")
        shutil.rmtree(shared.toy.root / "results")
        assert shared.run(profile=Profile.CPU, one_process=True) == 0
        assert tree(shared.toy.root / "results/cells") == by_shares and len(by_shares) == 8
        table = (shared.toy.folder("cpu") / "studies/gamma.csv").read_text()
        assert table.count("\n") == 7

    def do(self, toy, *more):
        return do_job(
            toy, "study", "--project", "ams_suite.project:PROJECT", "--group", "gamma", *more
        )

    def test_a_job_computes_its_share_and_then_what_no_other_has_begun(self, shared):
        workspace = shared.toy.workspace("cpu")
        with file_lock(store_of(workspace).path(listed(workspace)[0])):
            assert self.do(shared.toy, "--share", "1", "--shares", "3") == 0
        assert shared.calls() == [line for line in ALL if line != "one 0"]
        assert self.do(shared.toy, "--share", "0", "--shares", "3") == 0
        assert shared.calls() == ["one 0"]
        assert self.do(shared.toy, "--share", "1", "--shares", "3") == 0
        assert shared.calls() == []
