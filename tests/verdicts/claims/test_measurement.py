"""What a measurement accepts, and how functions are found by the ids they are bound to."""

import math
import types

import numpy as np
import pytest
from pydantic import ValidationError

from verdicts import Measurement, check
from verdicts.claims.measurement import bound_checks


def test_an_exact_measurement_is_its_own_interval():
    assert Measurement(value=0.5).interval == (0.5, 0.5)


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


def test_bound_functions_are_those_that_the_module_itself_defines():
    module = types.ModuleType("made_up")

    @check("X.one")
    def one(settings): ...

    @check("X.foreign")
    def foreign(settings): ...

    one.__module__, foreign.__module__ = "made_up", "made_up.part"
    module.one, module.alias, module.foreign, module.other = one, one, foreign, 3
    assert bound_checks(module) == {"X.one": one}
