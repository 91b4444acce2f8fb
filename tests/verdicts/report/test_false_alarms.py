"""The family-wise false alarm: rates by entry, and their sum."""

import re

import numpy as np
import pytest

from ams.statistics import CONFIDENCE, SUITE_FALSE_ALARM
from tests.claims import claims, entry
from verdicts.claims.check import BUDGET, MISS, Check
from verdicts.claims.schema import Profile
from verdicts.report.false_alarms import family_wise, rates


def drawn(**given: object) -> Check:
    """Return the entry of a check by Monte Carlo, with these fields."""
    return Check.model_validate(entry(">=").model_dump() | {"origin": "Monte Carlo"} | given)


def test_the_engines_rates_are_those_of_the_statistics() -> None:
    assert pytest.approx(1 - CONFIDENCE) == MISS and BUDGET == SUITE_FALSE_ALARM


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ({}, 0.005),
        ({"relation": "="}, 0.01),
        ({"share": 0.1}, 1e-5),
        ({"alarm": 0.015, "share": 0.1}, 0.015),
        ({"origin": "stated margin: 0.1; Student interval over batches"}, 0.005),
        ({"origin": "algebra"}, 0.0),
        ({"origin": "rounding: float32"}, 0.0),
    ],
)
def test_a_rate_follows_from_the_entry(given: dict[str, object], rate: float) -> None:
    assert drawn(**given).false_alarm == pytest.approx(rate)


def test_rates_of_a_profile_add() -> None:
    """The sentence has at most 25 words; its numbers are those of the claims file."""
    for profile in (Profile.QUICK, Profile.CPU, Profile.FULL):
        each = rates(claims(), profile)
        text = family_wise(claims(), profile)
        count, expected = map(float, re.findall(r"[\d.]+\d|\d", text)[:2])
        assert count == len(each) and expected == pytest.approx(sum(each.values()), rel=0.06)
        assert len(text.split()) <= 25
    assert len(rates(claims(), Profile.QUICK)) < len(rates(claims(), Profile.FULL))


def test_intervals_at_their_bounds_alarm_as_often_as_said() -> None:
    """A thousand runs of twenty checks with true values at their bounds: 0.1 alarms a run, to five standard errors."""
    low = np.random.default_rng(0).normal(size=(1000, 20)) - 2.5758
    alarms = (low > 0).sum(1).mean()
    expected = 20 * drawn(relation="<=").false_alarm
    assert abs(alarms - expected) < 5 * np.sqrt(expected / 1000)
