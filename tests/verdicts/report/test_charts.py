"""Charts of all claims: how far each is inside what it requires."""

import pytest

from tests.claims import entry
from verdicts.claims.measurement import Measurement
from verdicts.records.record import CheckResult
from verdicts.report.charts import margin
from verdicts.report.views import CheckView


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "measured", "shares"),
    [
        (">=", 2.0, 0.0, (4.0, 1.0, 8.0), (0.5, -0.25, 1.0)),
        ("<=", 2.0, 0.0, (4.0, 3.0, 5.0), (-0.5, -0.75, -0.25)),
        ("<=", 0.0, 0.5, (0.25, 0.0, 0.5), (0.5, 0.0, 1.0)),
        ("=", 1.0, 0.5, (1.25, 0.75, 1.75), (0.5, -0.5, 1.0)),
        ("=", 1.0, 0.5, (2.0, 2.0, 2.0), (-0.5, -0.5, -0.5)),
        ("=", 1.0, 0.5, (1.0, 0.25, 1.25), (1.0, -0.5, 1.0)),
        ("=", 0.0, 0.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        (">=", 0.0, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_a_margin_is_the_share_by_which_a_requirement_is_met(relation, bound, tolerance, measured, shares):
    check = entry(relation, bound, tolerance)
    value, low, high = measured
    result = CheckResult.of(check, Measurement(value=value, low=low, high=high), seconds=0.0, where="")
    assert margin(CheckView(check, result, "", "")) == pytest.approx(shares)
