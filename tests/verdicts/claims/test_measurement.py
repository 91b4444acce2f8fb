"""What a measurement accepts, and the table of verdicts: relation by place of the interval."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from tests.claims import entry
from verdicts import Enclosure, Measurement
from verdicts.claims.measurement import check_verdict, claim_verdict, tightness
from verdicts.claims.schema import Verdict
from verdicts.records.record import CheckResult
from verdicts.report.words import spread

PROOF = Enclosure(low=0.5, high=0.75, bits=128)


@pytest.mark.parametrize(("given", "value"), [(True, 1.0), (np.bool_(False), 0.0), (np.float32(1.5), 1.5), (3, 3.0)])
def test_booleans_and_numpy_numbers_count(given, value):
    assert Measurement(value=given).value == value


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"value": math.nan}, "finite"),
        ({"value": 1.0, "low": -math.inf, "high": 2.0}, "finite"),
        ({"value": 1.0, "detail": {"a": [math.nan]}}, "finite"),
        ({"value": 1.0, "low": 0.0}, "half an interval"),
        ({"value": 1.0, "low": 2.0, "high": 3.0}, "does not hold the value"),
        ({"value": 1.0, "low": 1.5, "high": 0.5}, "does not hold the value"),
        ({"value": 1.0, "unitt": "m"}, "Extra"),
        ({"value": 1.0, "low": 0.0, "high": 2.0, "enclosure": PROOF}, "not about the value"),
        ({"value": 0.75, "enclosure": PROOF}, "not about the value"),
    ],
)
def test_what_is_no_measurement_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Measurement(**fields)


def proof(value, low, high):
    return Measurement(value=value, low=low, high=high, enclosure=Enclosure(low=low, high=high, bits=128))


def test_a_proof_takes_the_place_of_the_number_and_keeps_the_rest():
    plain = Measurement(value=0.5 + 1e-9, n=3, seeds=(1,), unit="m", detail={"a": 1})
    proved = plain.proved_by(proof(0.5, 0.49999999, 0.50000001), seconds=0.25)
    assert proved.interval == (0.49999999, 0.50000001)
    assert (proved.value, proved.n, proved.seeds, proved.unit, proved.detail) == (0.5, 3, (1,), "m", {"a": 1})
    assert proved.enclosure == Enclosure(low=0.49999999, high=0.50000001, bits=128, seconds=0.25)


@pytest.mark.parametrize("other", [proof(0.6, 0.6, 0.6), Measurement(value=0.5)])
def test_a_proof_of_another_number_or_without_an_enclosure_is_refused(other):
    with pytest.raises(ValueError, match="not that of its proof"):
        Measurement(value=0.5).proved_by(other, seconds=0.0)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.499079217642531, 0.4990792176425311, "0.4990792176 ± 5e−11, proved"),
        (60.0, 60.0, "60, proved"),
        (-1.0, 3.0, "1 ± 2, proved"),
        (0.25, 0.5, "0.375 ± 0.2, proved"),
    ],
)
def test_a_proved_number_is_shown_with_what_it_may_be_off(low, high, shown):
    fields = {"value": (low + high) / 2, "low": low, "high": high, "verdict": "holds"}
    result = CheckResult(id="X", **fields, enclosure=Enclosure(low=low, high=high, bits=128))
    assert spread(result) == shown
    wider = result.model_copy(update={"low": low - 1.0, "high": high + 1.0})
    assert spread(wider).startswith(f"{shown} [")


HOLDS, REFUTED, OPEN, NOT_RUN = Verdict.HOLDS, Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("low", "high", "equal", "at_most", "at_least"),
    [
        (0.0, 0.4, REFUTED, HOLDS, REFUTED),
        (0.0, 0.5, OPEN, HOLDS, OPEN),
        (0.5, 1.5, HOLDS, HOLDS, HOLDS),
        (0.4, 1.6, OPEN, OPEN, OPEN),
        (1.4, 1.6, OPEN, OPEN, HOLDS),
        (1.6, 2.0, REFUTED, REFUTED, HOLDS),
        (1.0, 1.0, HOLDS, HOLDS, HOLDS),
    ],
)
def test_check_verdicts(low, high, equal, at_most, at_least):
    measured = Measurement(value=low, low=low, high=high)
    found = tuple(check_verdict(entry(relation), measured) for relation in ("=", "<=", ">="))
    assert found == (equal, at_most, at_least)


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [([HOLDS, HOLDS], HOLDS), ([HOLDS, OPEN], OPEN), ([OPEN, NOT_RUN], NOT_RUN), ([NOT_RUN, REFUTED, HOLDS], REFUTED)],
)
def test_claim_verdicts(checks, verdict):
    assert claim_verdict(checks) is verdict


@settings(deadline=None, max_examples=50)
@given(value=st.floats(-10, 10), spread=st.floats(0, 5), relation=st.sampled_from(["=", "<=", ">="]))
def test_more_certainty_never_turns_a_verdict_around(value, spread, relation):
    wide = check_verdict(entry(relation), Measurement(value=value, low=value - spread, high=value + spread))
    assert wide in (OPEN, check_verdict(entry(relation), Measurement(value=value)))


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "value", "found"),
    [
        ("<=", 4.0, 0.0, 1.0, 0.25),
        ("<=", 3.0, 1.0, 1.0, 0.25),
        ("<=", 0.0, 1e-10, 2e-11, 0.2),
        ("<=", 0.0, 0.0, 1.0, None),
        (">=", 3.0, 1.0, 4.0, 2.0),
        (">=", 0.0, 0.0, 4.0, None),
        ("=", 3.0, 0.5, 2.75, 0.5),
        ("=", 3.0, 0.0, 3.0, None),
        ("<=", 1e-308, 0.0, 1e308, None),
    ],
)
def test_tightness_is_measured_over_allowed(relation, bound, tolerance, value, found):
    told = tightness(entry(relation, bound=bound, tolerance=tolerance), Measurement(value=value))
    assert told == (found if found is None else pytest.approx(found, rel=1e-15))
