"""Arrays pass through JSON bit for bit; anything else is refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from verdicts.studies.cells import decoded, encoded

NUMBERS = st.one_of(arrays.integer_dtypes(), arrays.floating_dtypes(), arrays.complex_number_dtypes())


@settings(deadline=None, max_examples=200)
@given(array=arrays.arrays(dtype=st.one_of(NUMBERS, arrays.boolean_dtypes()), shape=arrays.array_shapes(min_dims=0)))
@example(np.array([math.nan, math.inf, -math.inf, -0.0, 5e-324]))
@example(np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64))  # a NaN with a payload
@example(np.arange(6).reshape(2, 3).T)
@example(np.arange(10)[::-2])
@example(np.zeros((0, 3)))
@example(np.array(["é", "longer"]))
def test_an_array_reads_back_bit_for_bit(array):
    back = decoded(json.loads(json.dumps(encoded(array))))
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert back.flags.writeable and back.flags.c_contiguous


@pytest.mark.parametrize(
    "content",
    [
        None,
        [1, 2],
        {},
        {"dtype": "<f8", "shape": [1], "base64": "AAAA"},
        {"dtype": "<f8", "shape": [3], "base64": encoded(np.zeros(2))["base64"]},
        {"dtype": "no type", "shape": [2], "base64": encoded(np.zeros(2))["base64"]},
        {"dtype": "<f8", "shape": [2], "base64": "not base 64!"},
        {"dtype": "|O", "shape": [1], "base64": "AAAAAAAAAAA="},
    ],
)
def test_what_is_no_array_is_refused(content):
    with pytest.raises(ValueError):
        decoded(content)


def test_python_objects_have_no_bytes_that_count():
    with pytest.raises(ValueError, match="holds Python objects"):
        encoded(np.array([object()]))
