"""A cell is named by its function and its arguments, however written; results and arrays read back
as they were.
"""

import json
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from tests.verdicts.toy import REPOSITORY, Toy
from verdicts.studies import Array, cell
from verdicts.studies.cells import Memory, decoded, encoded, using


class Range(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    slope: float
    interval: Range
    residuals: dict[str, list[float]]


class Outcome(NamedTuple):
    energy: float
    range: Range
    samples: Array
    name: str | None = None


@cell
def energy(sampler: str, budget: int, batch: int = 0, *, scale: float = 1.0) -> float:
    """Return a number that tells the arguments."""
    return scale * (budget + batch) + len(sampler)


@cell
def anything(value: Any) -> None:
    return None


def test_one_call_has_one_name_however_it_is_written():
    cells = [
        energy.cell("a", 10),
        energy.cell("a", budget=10),
        energy.cell(budget=10, sampler="a"),
        energy.cell("a", 10, 0),
        energy.cell("a", 10, batch=0, scale=1.0),
        energy.cell("a", np.int64(10), scale=np.float64(1.0)),
    ]
    assert len({each.digest for each in cells}) == 1
    assert cells[0].labels == {"sampler": "a", "budget": 10, "batch": 0, "scale": 1.0}
    assert str(cells[0]) == f"{__name__}.energy(sampler='a', budget=10, batch=0, scale=1.0)"


DIFFERENT: list[Any] = [
    *(0, 0.0, -0.0, 1, True, "1", None, "", math.inf, -math.inf, math.nan),
    *((), (1,), ((1,),), {}, {"a": 1}, {"a": 2}, {"b": 1}),
    *(Range(1.0, 2.0), Range(1.0, math.inf), Range(1.0, Range(2.0, 3.0))),
    *(np.arange(3), np.arange(3.0), np.arange(4)[:3].reshape(1, 3), np.array([math.nan])),
]


def test_different_arguments_have_different_names():
    assert len({anything.cell(value).digest for value in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), [1, 2]),
        (Range(1.0, 2.0), (1.0, 2.0)),
        ({"a": 1, "b": 2}, OrderedDict(b=2, a=1)),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (float("nan"), -float("nan")),
        (Fit(1.0, Range(0.0, 1.0), {}), Fit(1.0, Range(0.0, 1.0), {})),
    ],
)
def test_equal_arguments_have_equal_names(one, other):
    assert anything.cell(one).digest == anything.cell(other).digest


def test_the_name_holds_the_function():
    @cell
    def other(value: Any) -> None:
        return None

    assert anything.cell(1).digest != other.cell(1).digest


NAMING = """
from verdicts.studies import cell

@cell
def anything(value: object) -> None: ...

print(anything.cell({"b": ("x", 1.5), "a": {"d": None, "c": float("inf")}}).digest)
"""


def test_names_are_the_same_in_every_process():
    """No hash that Python salts enters them."""
    said = [
        Toy(REPOSITORY, "").python("-c", NAMING, PYTHONHASHSEED=seed).stdout for seed in ("1", "2")
    ]
    assert said[0] == said[1] and len(said[0].strip()) == 64


@dataclass(frozen=True)
class Held:
    content: object


@pytest.mark.parametrize(
    "value", [{1, 2}, frozenset("ab"), ({1},), {"a": [{1}]}, Held({1}), [Held((Held({1}),))]]
)
def test_a_set_is_refused_since_it_has_no_order(value):
    with pytest.raises(TypeError, match="a set has no order"):
        _ = anything.cell(value).digest


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="is nothing that JSON can hold"):
        _ = anything.cell(object()).digest


def test_arguments_that_do_not_fit_are_refused_when_the_cell_is_named():
    with pytest.raises(TypeError, match="budget"):
        energy.cell("a")
    with pytest.raises(TypeError, match="colour"):
        energy.cell("a", 1, colour="red")


def test_a_result_must_be_annotated():
    with pytest.raises(TypeError, match="the type of a cell's result must be annotated"):

        @cell
        def untyped(value):
            return value


@cell
def fitted(slope: float) -> Fit:
    return Fit(slope, Range(-math.inf, math.inf), {"all": [math.nan, -0.0, 5e-324], "none": []})


@cell
def outcome(seed: int) -> tuple[Outcome, ...]:
    samples = np.random.default_rng(seed).normal(size=(2, 3))
    samples[0, 0] = math.nan
    return (
        Outcome(0.1 + 0.2, Range(-math.inf, 1.0), samples),
        Outcome(1 / 3, Range(0, 1), samples.T, "turned"),
    )


def test_a_result_reads_back_with_its_types_and_to_the_last_bit():
    (first, second) = outcome.decode(
        json.loads(json.dumps(outcome.encode(outcome.cell(7).compute())))
    )
    assert isinstance(first, Outcome) and isinstance(first.range, Range)
    assert (first.energy, first.range, first.name) == (0.1 + 0.2, Range(-math.inf, 1.0), None)
    assert second.name == "turned" and second.samples.tobytes() == first.samples.T.tobytes()
    fit = fitted.decode(json.loads(json.dumps(fitted.encode(fitted.cell(2.0).compute()))))
    assert isinstance(fit, Fit) and fit.interval == Range(-math.inf, math.inf)
    nan, zero, tiny = fit.residuals["all"]
    assert math.isnan(nan) and math.copysign(1.0, zero) == -1.0 and tiny == 5e-324


@pytest.mark.parametrize("value", [math.inf, math.nan, {"deep": [1.0, (-math.inf,)]}])
def test_a_number_that_would_come_back_as_a_text_is_refused(value):
    @cell
    def unknown() -> Any: ...

    with pytest.raises(ValueError, match="an infinity or a NaN where the annotated type is Any"):
        unknown.encode(value)
    assert unknown.decode(unknown.encode(1.5)) == 1.5


@pytest.mark.parametrize("value", ["many", None, (1.0, 2.0)])
def test_a_result_of_another_type_is_refused(value):
    with pytest.raises(ValueError, match="validation error"):
        energy.encode(value)
    with pytest.raises(ValueError, match="validation error"):
        energy.decode(value)


def test_a_set_is_no_result():
    @cell
    def found() -> Any:
        return {"a", "b"}

    with pytest.raises(TypeError, match="a set has no order"):
        found.encode(found.cell().compute())


def test_a_call_reads_the_active_store_and_keeps_the_function_s_name():
    calls = []

    @cell
    def counted(n: int) -> list[int]:
        """Count the calls."""
        calls.append(n)
        return [n]

    with using(Memory()):
        one, two = counted(1), counted(n=1)
    assert one == two == [1] and one is not two and calls == [1]
    assert counted.__doc__ == "Count the calls." and counted.__name__ == "counted"
    with using(Memory()):
        assert counted(1) == [1] and calls == [1, 1]


NUMBERS = st.one_of(
    arrays.integer_dtypes(), arrays.floating_dtypes(), arrays.complex_number_dtypes()
)


@settings(deadline=None, max_examples=200)
@given(
    array=arrays.arrays(
        dtype=st.one_of(NUMBERS, arrays.boolean_dtypes()), shape=arrays.array_shapes(min_dims=0)
    )
)
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
        [1, 2],
        {},
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
