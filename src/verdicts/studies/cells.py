"""A cell: one call of a function, named by the function and its arguments, whose result is stored.

The function must be pure: its result depends on its arguments, on its module's sources and on the
data sets that it names, and on nothing else. Pass it what it uses, never a group's whole settings:
what is passed is its key. Arguments and result are what JSON can hold, with named tuples, data
classes and arrays (`Array`); sets have no order, so they are refused. The result's type must be
annotated: it says how to read the result back.
"""

import base64
import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property, update_wrapper
from types import GenericAlias
from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeVar,
    get_type_hints,
    overload,
)

import numpy as np
from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, TypeAdapter
from pydantic_core import to_json

from verdicts.records.files import canonical_json, sha256_of

P = ParamSpec("P")
R = TypeVar("R")
ENCODED = {"dtype", "shape", "base64"}
"""The names of an encoded array's parts."""


def encoded(array: np.ndarray) -> dict[str, Any]:
    """Return an array's type, shape and bytes (base 64) as JSON has them. Raises ValueError for
    Python objects.
    """
    if array.dtype.hasobject:
        raise ValueError(
            f"an array of type {array.dtype} holds Python objects, whose bytes say nothing"
        )
    whole = np.ascontiguousarray(array)
    return {
        "dtype": whole.dtype.str,
        "shape": array.shape,
        "base64": base64.b64encode(whole.tobytes()).decode(),
    }


def decoded(content: Any) -> np.ndarray:
    """Return the array; one that is an array already stays. Raises ValueError for anything else."""
    if isinstance(content, np.ndarray):
        return content
    try:
        raw = base64.b64decode(content["base64"], validate=True)
        return np.frombuffer(raw, dtype=content["dtype"]).reshape(content["shape"]).copy()
    except (KeyError, TypeError) as error:
        raise ValueError(f"no array: {error}") from error


def plain(value: Any) -> Any:
    """Return what JSON lacks in its terms: a NumPy number as Python's, an array `encoded`. Raises
    ValueError.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return encoded(value)
    raise ValueError(f"{value!r} is nothing that JSON can hold")


Array = Annotated[np.ndarray, PlainSerializer(encoded), PlainValidator(decoded)]
"""The annotation of a field that holds an array of numbers."""


@dataclass(frozen=True)
class Cell(Generic[R]):
    """A call that may be made, or read: its function, and the arguments by name, defaults
    included.
    """

    function: "CellFunction[..., R]"
    arguments: Mapping[str, Any]

    @cached_property
    def labels(self) -> dict[str, Any]:
        """Return the arguments as JSON has them, infinities and NaN as words. Raises TypeError for
        a set, ValueError for what JSON cannot hold.
        """
        _refuse_sets(self.arguments)
        text = to_json(dict(self.arguments), inf_nan_mode="strings", fallback=plain)
        labels: dict[str, Any] = json.loads(text)
        return labels

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the function's name and the arguments."""
        return sha256_of(canonical_json([self.function.name, self.labels]))

    def compute(self) -> R:
        """Call the function."""
        return self.function.wrapped(**self.arguments)

    def __str__(self) -> str:
        """Return the call as it would be written."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.labels.items())
        return f"{self.function.name}({arguments})"


def no_time(**arguments: Any) -> float:
    """Return 0: of a function whose calls take no time worth naming."""
    return 0.0


class Kept(NamedTuple):
    """How a function's cells are published and audited (`verdicts.studies.kept`,
    `verdicts.studies.agreement`).

    `name` is stable, "group.name", whatever the code is called. Computed anew on any processor, a
    number is within `tolerance` of its size, an array within `tolerance` of its Euclidean length.
    Where a number is the difference of larger ones, or was rounded to a whole one, `floor` states
    the scale of that, in its own unit, by its place in the value: ".1.0" is the first part of the
    second part. Where rounding changes discrete outcomes, `changed` is the share of a value's
    entries that it may change. `seconds` of the arguments says about how long a call takes: it
    decides which cells an audit draws, and nothing in a file does.
    """

    name: str
    tolerance: float = 0.0
    floor: Mapping[str, float] = {}
    changed: float | None = None
    seconds: Callable[..., float] = no_time


class CellFunction(Generic[P, R]):
    """A function whose calls are cells: calling it reads the active store, which computes what it
    may and lacks.
    """

    def __init__(
        self, function: Callable[P, R], data: tuple[str, ...] = (), kept: Kept | None = None
    ) -> None:
        self.wrapped: Callable[..., R] = function
        self.data, self.kept = data, kept
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._signature = inspect.signature(function)
        if self._signature.return_annotation is inspect.Signature.empty:
            raise TypeError(f"{self.name}: the type of a cell's result must be annotated")
        update_wrapper(self, function)
        if kept:
            KEPT[kept.name] = self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of the call, from the active store."""
        return active().value(self.cell(*args, **kwargs))

    def cell(self, *args: P.args, **kwargs: P.kwargs) -> Cell[R]:
        """Name the call without making it. Raises TypeError where the arguments do not fit."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return Cell(self, bound.arguments)

    def cell_of(self, labels: Mapping[str, Any]) -> Cell[R]:
        """Name the call whose arguments JSON holds. Raises ValueError where they do not fit the
        present function.
        """
        hints = get_type_hints(self.wrapped, include_extras=True)
        if labels.keys() != self._signature.parameters.keys():
            raise ValueError(
                f"{self.name} has other arguments now: {', '.join(self._signature.parameters)}"
            )
        named = Cell(
            self, {name: TypeAdapter(hints[name]).validate_python(labels[name]) for name in labels}
        )
        if named.labels != labels:
            raise ValueError(f"{self.name} reads {named.labels} for {labels}")
        return named

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        """Return what reads and writes a tuple of one result: the result itself may have a
        configuration of its own.
        """
        wrapped: Any = GenericAlias(
            tuple, (get_type_hints(self.wrapped, include_extras=True)["return"],)
        )
        return TypeAdapter(
            wrapped, config=ConfigDict(ser_json_inf_nan="strings", arbitrary_types_allowed=True)
        )

    def encode(self, value: R) -> Any:
        """Return a result as JSON has it. Raises TypeError for a set, ValueError for what is not of
        the annotated type.

        ValueError too for an infinity or a NaN whose type is not annotated: it would be read back
        as a text.
        """
        _refuse_sets(value)
        content = json.loads(self._adapter.dump_json(self._adapter.validate_python((value,))))[0]
        if (count := _non_finite(value)) and _non_finite(self.decode(content)) < count:
            raise ValueError(
                f"{self.name}: an infinity or a NaN where the annotated type is Any: "
                "annotate it as float"
            )
        return content

    def decode(self, content: Any) -> R:
        """Return the result that JSON holds. Raises ValueError where it is not of the annotated
        type.
        """
        value: R = self._adapter.validate_python((content,))[0]
        return value


KEPT: dict[str, CellFunction[..., Any]] = {}
"""Every function imported so far whose cells are published, by its stable name."""


@overload
def cell(function: Callable[P, R], /) -> CellFunction[P, R]: ...
@overload
def cell(
    *, data: tuple[str, ...] = (), kept: Kept | None = None
) -> Callable[[Callable[P, R]], CellFunction[P, R]]: ...
def cell(
    function: Callable[P, R] | None = None,
    /,
    *,
    data: tuple[str, ...] = (),
    kept: Kept | None = None,
) -> Any:
    """Make a function's calls cells; `data` names registered data sets that it reads, `kept` how it
    is published.
    """
    if function is None:
        return lambda wrapped: CellFunction(wrapped, data, kept)
    return CellFunction(function)


class Keeper(Protocol):
    """Anything that gives a cell its value."""

    def value(self, cell: Cell[R]) -> R:
        """Return the value, computed or read."""
        ...


class Memory:
    """Keeps values while the process lives: for tests, and for a notebook outside of a run."""

    def __init__(self) -> None:
        self._contents: dict[str, Any] = {}

    def value(self, cell: Cell[R]) -> R:
        """Return the value, computed at its first call. Raises what the computation raises."""
        if cell.digest not in self._contents:
            with using(self):
                self._contents[cell.digest] = cell.function.encode(cell.compute())
        return cell.function.decode(self._contents[cell.digest])


_ACTIVE: list[Keeper] = [Memory()]  # the last one counts, in every thread of the process


def active() -> Keeper:
    """Return the store that cells are read from; outside of `using`, this process's memory."""
    return _ACTIVE[-1]


@contextmanager
def using(keeper: Keeper) -> Iterator[None]:
    """Let cells within be read from, and stored in, this store."""
    _ACTIVE.append(keeper)
    try:
        yield
    finally:
        _ACTIVE.pop()


def _refuse_sets(value: Any) -> None:
    """Raise TypeError for a set anywhere inside: its order differs from process to process."""
    for part in _parts(value):
        if isinstance(part, set | frozenset):
            raise TypeError(f"{part!r}: a set has no order; give a sorted tuple")


def _non_finite(value: Any) -> int:
    """Count the infinities and NaNs inside, those of arrays apart."""
    return sum(isinstance(part, float) and not math.isfinite(part) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    """Yield the value and all that it holds, at any depth."""
    yield value
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = value.values()
    elif is_dataclass(value) and not isinstance(value, type):
        inner = (getattr(value, field.name) for field in fields(value))
    elif isinstance(value, BaseModel):
        inner = (item for _, item in value)
    elif isinstance(value, list | tuple):
        inner = value
    for item in inner:
        yield from _parts(item)
