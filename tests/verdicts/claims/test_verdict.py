"""The table of verdicts: relation by place of the interval."""

import pytest
from hypothesis import given, settings, strategies as st

from tests.claims import entry
from verdicts import Measurement
from verdicts.claims.measurement import check_verdict, claim_verdict, tightness
from verdicts.claims.schema import Verdict

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
