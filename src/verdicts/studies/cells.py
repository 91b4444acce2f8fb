"""A cell: one call of a function, named by the function and its arguments, whose result is kept.

The function must be pure: its result depends on its arguments, on its module's sources and on the data sets that it
names, and on nothing else. Pass it what it uses, never a group's whole settings: what is passed is its key. Arguments
and result are what JSON can hold, with named tuples, data classes and `Array`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints, overload

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import to_json

from verdicts.records.files import canonical_json, sha256_of
from verdicts.studies.arrays import encoded

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Cell(Generic[R]):
    """A call that may be made, or read: its function, and the arguments by name, defaults included."""

    function: CellFunction[..., R]
    arguments: Mapping[str, Any]

    @property
    def labels(self) -> dict[str, Any]:
        """Return the arguments as JSON has them."""
        labels: dict[str, Any] = json.loads(to_json(dict(self.arguments), inf_nan_mode="strings"))
        return labels

    @property
    def digest(self) -> str:
        """Return the sha256 of the function's name and the arguments."""
        return sha256_of(canonical_json([self.function.name, self.labels]))

    def compute(self) -> R:
        """Call the function."""
        return self.function.wrapped(**self.arguments)

    def __str__(self) -> str:
        """Return the call as it would be written."""
        return f"{self.function.name}({', '.join(f'{name}={value!r}' for name, value in self.labels.items())})"


class CellFunction(Generic[P, R]):
    """A function whose calls are cells: calling it reads the active store, which computes what it may and lacks."""

    def __init__(self, function: Callable[P, R], data: tuple[str, ...] = ()) -> None:
        self.wrapped: Callable[..., R] = function
        self.data = data
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._signature = inspect.signature(function)
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of the call, from the active store."""
        from verdicts.studies.store import active

        return active().value(self.cell(*args, **kwargs))

    def cell(self, *args: P.args, **kwargs: P.kwargs) -> Cell[R]:
        """Name the call without making it."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return Cell(self, bound.arguments)

    @cached_property
    def _adapter(self) -> TypeAdapter[tuple[R]]:
        kept = ConfigDict(ser_json_inf_nan="strings", arbitrary_types_allowed=True)
        return TypeAdapter(tuple[get_type_hints(self.wrapped, include_extras=True)["return"]], config=kept)  # type: ignore[misc]

    def encode(self, value: R) -> Any:
        """Return a result as JSON has it."""
        return json.loads(self._adapter.dump_json((value,)))[0]

    def named(self, value: R) -> Any:
        """Return a result as JSON has it, named tuples as objects with their fields' names."""
        return json.loads(to_json(_with_names(value), inf_nan_mode="strings", fallback=encoded))

    def decode(self, content: Any) -> R:
        """Return the result that JSON holds. Raises ValueError where it is not of the annotated type."""
        return self._adapter.validate_python((content,))[0]


@overload
def cell(function: Callable[P, R], /) -> CellFunction[P, R]: ...
@overload
def cell(*, data: tuple[str, ...]) -> Callable[[Callable[P, R]], CellFunction[P, R]]: ...
def cell(function: Callable[P, R] | None = None, /, *, data: tuple[str, ...] = ()) -> Any:
    """Make a function's calls cells; `data` names the registered data sets that it reads."""
    if function is None:
        return lambda wrapped: CellFunction(wrapped, data)
    return CellFunction(function)


def _with_names(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _with_names(each) for name, each in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_with_names(each) for each in value]
    return {name: _with_names(each) for name, each in value.items()} if isinstance(value, dict) else value
