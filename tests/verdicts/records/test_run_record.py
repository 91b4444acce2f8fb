"""A run's options, and which results are its own: told by its id, whatever the clocks say."""

from datetime import UTC, datetime, timedelta

import pytest

from verdicts.records import provenance
from verdicts.records.record import Record
from verdicts.records.run_record import RunRecord
from verdicts.run.plan import plan_of


def at(**shift):
    return (datetime.now(UTC) + timedelta(**shift)).isoformat(timespec="microseconds")


def test_each_run_has_an_id_and_times_around_its_start(toy):
    first, second = RunRecord.begin(toy.workspace()), RunRecord.begin(toy.workspace())
    assert first.id != second.id and RunRecord.last(toy.workspace()) == second
    assert second.yesterday < second.started < second.soon


@pytest.mark.parametrize("shift", [{"minutes": -50}, {"minutes": 50}, {"days": -3}])
def test_what_a_node_with_another_clock_has_made_is_of_this_run(toy, monkeypatch, shift):
    with monkeypatch.context() as node:
        node.setattr(provenance, "now", lambda: at(**shift))
        workspace = toy.run_all()
    run = RunRecord.last(workspace)
    assert plan_of(workspace, run).pending == () and plan_of(workspace, RunRecord.begin(workspace)).pending == ()
    assert Record.read(toy.record("A1")).provenance.run == run.id


def test_a_forced_claim_is_made_once_a_run_whatever_the_clock(session, monkeypatch):
    session.run()
    monkeypatch.setattr(provenance, "now", lambda: at(minutes=-30))
    assert session.run(force=("A1",)) == 0 and session.computed() == {"A1"}
    assert session.run() == 0 and session.computed() == set()
