"""Expected values: written from current records alone, read back, compared by interval and
tolerance.
"""

import json

import pytest

from tests.verdicts.toy import Toy
from verdicts.claims.measurement import Enclosure
from verdicts.claims.schema import Claims, Verdict
from verdicts.errors import UserError
from verdicts.records.expected import (
    FOLDER,
    Expected,
    Moved,
    against_stored,
    compare,
    expected_of,
    expected_path,
    read_expected,
)
from verdicts.records.ledger import Ledger, collect, exit_code
from verdicts.run.publish import expect


@pytest.fixture
def toy(toy, monkeypatch):
    monkeypatch.chdir(toy.root)
    return toy


def expected(toy):
    said = []
    assert expect(toy.workspace(), said.append) == 0
    return said


def moved(toy):
    workspace = toy.run_all()
    found = read_expected(toy.root, workspace.profile)
    return {each.check: each.moved for each in compare(workspace.claims, collect(workspace), found)}


def test_what_is_written_is_what_the_records_hold(toy):
    toy.run_all()
    assert expected(toy) == ["without a value: B2", f"3 claims: {FOLDER}/quick.json"]
    found = read_expected(toy.root, toy.workspace().profile)
    assert set(found.claims) == {"A1", "A2", "B1"}
    two = found.claims["A2"].checks["A2.two"]
    assert (two.value, two.low, two.high, two.verdict) == (2.0, 1.9, 2.1, "refuted")
    assert found.seconds > sum(claim.seconds for claim in found.claims.values()), (
        "figures take time too"
    )
    assert found.peak_mib > 0
    kinds = {
        "A1.one": Moved.SAME,
        "A2.two": Moved.SAME,
        "B1.three": Moved.SAME,
        "B2.four": Moved.ABSENT,
    }
    assert moved(toy) == kinds, "nothing moves in the same run"


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> tuple[Claims, Ledger, Expected]:
    """Return the claims of a repository, the ledger of its run, and the values of that."""
    workspace = Toy.make(tmp_path_factory.mktemp("usual")).run_all()
    ledger = collect(workspace)
    return workspace.claims, ledger, expected_of(ledger, {}, 0.0, 1.0)


@pytest.mark.parametrize(
    ("check", "tolerance", "measured", "kind"),
    [
        ("A2.two", 0.0, (2.15, 2.05, 2.3, "refuted"), Moved.SAME),  # the intervals meet
        ("A2.two", 0.0, (2.3, 2.2, 2.4, "refuted"), Moved.MOVED),
        # they meet, but the verdict is another
        (
            "A2.two",
            0.0,
            (2.3, 0.5, 2.4, "inconclusive"),
            Moved.MOVED,
        ),
        # within rounding
        (
            "A1.one",
            1e-12,
            (1.0 + 9e-13, 1.0 + 9e-13, 1.0 + 9e-13, "holds"),
            Moved.SAME,
        ),
        ("A1.one", 1e-12, (1.0 + 2e-6, 1.0 + 2e-6, 1.0 + 2e-6, "holds"), Moved.MOVED),
        ("A1.one", 0.01, (1.009, 1.009, 1.009, "holds"), Moved.SAME),
        ("A1.one", 0.01, (1.011, 1.011, 1.011, "holds"), Moved.MOVED),
    ],
)
def test_a_value_moves_with_its_interval_or_its_verdict_or_beyond_its_tolerance(
    usual, check, tolerance, measured, kind
):
    claims, ledger, before = usual
    (claim,) = (each for each in claims.claim if check in {one.id for one in each.check})
    entries = tuple(one.model_copy(update={"tolerance": tolerance}) for one in claim.check)
    claims = claims.model_copy(update={"claim": (claim.model_copy(update={"check": entries}),)})
    values = dict(zip(("value", "low", "high"), measured, strict=False)) | {
        "verdict": Verdict(measured[-1])
    }
    (row,) = (row for row in ledger.claims if row.id == claim.id)
    results = tuple(one.model_copy(update=values) if one.id == check else one for one in row.checks)
    now = ledger.model_copy(update={"claims": (row.model_copy(update={"checks": results}),)})
    assert {each.check: each.moved for each in compare(claims, now, before)}[check] is kind


@pytest.mark.parametrize(
    ("stored", "proof", "disproved"),
    [
        ((1.9, 2.1), (1.99, 2.01), False),
        # a stored value that is not proved may be rounded
        (
            (2.0, 2.0),
            (2.0 + 1e-6, 2.0 + 1e-6),
            False,
        ),
        ((2.0, 2.0), (2.1, 2.2), True),
        ((2.5, 2.6), (1.99, 2.01), True),
        ((2.5, 2.6), None, False),  # it moved, and nothing is proved
    ],
)
def test_a_proof_outside_the_stored_interval_is_a_contradiction(usual, stored, proof, disproved):
    claims, ledger, before = usual
    kept = (
        before.claims["A2"]
        .checks["A2.two"]
        .model_copy(update=dict(zip(("low", "high"), stored, strict=True)))
    )
    claim = before.claims["A2"].model_copy(update={"checks": {"A2.two": kept}})
    before = before.model_copy(update={"claims": before.claims | {"A2": claim}})
    (row,) = (row for row in ledger.claims if row.id == "A2")
    ends = proof or (2.0, 2.0)
    values = {"value": ends[0], "low": ends[0], "high": ends[1]}
    enclosure = Enclosure(low=ends[0], high=ends[1], bits=64) if proof else None
    result = row.checks[0].model_copy(update={**values, "enclosure": enclosure})
    now = ledger.model_copy(update={"claims": (row.model_copy(update={"checks": (result,)}),)})
    summary = against_stored(claims, now, before).summary
    assert summary.disproved == (("A2.two",) if disproved else ())
    assert exit_code(summary, strict=False) == int(disproved)


def test_a_run_tells_what_moved_since_the_last(toy):
    toy.run_all()
    expected(toy)
    toy.replace_in_module("beta/checks", "value=3", "value=4")
    toy.run_all()
    assert "B1.three: 3 before, 4 now" in expected(toy)


def test_a_run_of_few_claims_leaves_the_values_of_the_others(toy):
    toy.run_all()
    expected(toy)
    path = expected_path(toy.root, toy.workspace().profile)
    before = json.loads(path.read_text())
    toy.replace_in_module(
        "beta/checks", "return Measurement(value=3)", 'raise Unavailable("no such file")'
    )
    toy.run_all()
    assert "of an earlier run: B1" in expected(toy)
    after = json.loads(path.read_text())
    assert after["claims"]["B1"] == before["claims"]["B1"], "with what made it"
    assert (
        after["studies"].keys() == before["studies"].keys() and after["beside"] >= before["beside"]
    )
    assert list(after["claims"]) == list(before["claims"])
    toy.replace_in_claims("beta", 'id = "B1.three"', 'id = "B1.other"')
    toy.run_all()
    assert "without a value: B1, B2" in expected(toy), "its checks are others now"


def test_claims_that_came_or_went_are_no_fault(toy):
    toy.run_all()
    expected(toy)
    path = expected_path(toy.root, toy.workspace().profile)
    content = json.loads(path.read_text())
    content["claims"]["Z9"] = content["claims"].pop("A1") | {"checks": {}}
    path.write_text(json.dumps(content))
    assert moved(toy)["A1.one"] is Moved.NEW


def test_without_records_nothing_is_written(toy):
    with pytest.raises(
        UserError, match="no claim has a current record; run `ams reproduce --profile quick` first"
    ):
        expected(toy)
    assert read_expected(toy.root, toy.workspace().profile) is None


@pytest.mark.parametrize(("seconds", "whose"), [(1e-9, 1.0), (1e9, 2.0)])
def test_the_calibration_kept_is_that_of_the_machine_where_most_of_the_times_were_measured(
    usual, seconds, whose
):
    claims, _, values = usual
    slow = {
        name: claim.model_copy(update={"seconds": seconds}) for name, claim in values.claims.items()
    }
    before = values.model_copy(update={"claims": slow, "calibration": 2.0})
    now = values.model_copy(update={"claims": {"A1": values.claims["A1"]}})
    assert now.completed(before, claims).calibration == whose
