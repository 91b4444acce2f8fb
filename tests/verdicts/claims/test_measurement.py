"""What a measurement accepts."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from verdicts import Measurement


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
    ],
)
def test_what_is_no_measurement_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Measurement(**fields)
