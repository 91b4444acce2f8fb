"""Where cells are kept: one sealed file each, with what it cost beside it; or this process's memory.

A file is read only if its bytes are those that were written and its key is the present one: the sources of the modules
that the function's module imports, the data sets that it names, the class of device. The file holds values alone, so
the same cells give the same bytes whatever computed them, in whatever order and however many processes.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from verdicts.records.checksummed import Checksummed, NotCurrent
from verdicts.records.files import canonical_json, sha256_of, write_whole
from verdicts.records.provenance import now
from verdicts.studies.cells import Cell, CellFunction

R = TypeVar("R")
Parts = Mapping[str, JsonValue]
"""What a function's cells depend on beside their arguments, as digests by name."""


class CellMissing(LookupError):
    """A reader asked for a cell that the study has not computed."""


class CellFailed(RuntimeError):
    """A reader asked for a cell whose computation broke; the text says how."""


class CellUnavailable(Exception):
    """A reader asked for a cell that could not be computed for want of a file, a device or data."""

    not_run: ClassVar[bool] = True

    def __init__(self, reason: str, settled: bool) -> None:
        super().__init__(reason)
        self.settled = settled


class CellFile(Checksummed):
    """A cell as it lies on disk."""

    function: str
    arguments: dict[str, JsonValue]
    key: str
    value: JsonValue


class Failure(BaseModel):
    """Why a cell has no value: its computation broke, or could not be made (`not_run`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    not_run: bool
    settled: bool
    trace: str


class Cost(BaseModel):
    """What a cell cost: processor seconds of its own, without the cells that it asked for, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    started: str


class Keeper(Protocol):
    """Anything that gives a cell its value."""

    def value(self, cell: Cell[R]) -> R:
        """Return the value, computed or read."""
        ...


class Memory:
    """Keeps values while the process lives: for tests, and for a notebook outside of a run."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def value(self, cell: Cell[R]) -> R:
        """Return the value, computed at its first call."""
        if cell.digest not in self._values:
            self._values[cell.digest] = cell.compute()
        value: R = self._values[cell.digest]
        return value


class Store:
    """Keeps values as files below `folder`; `parts` gives what a function's cells depend on.

    `reading`: nothing is computed, and what is missing raises.
    """

    def __init__(self, folder: Path, parts: Callable[[CellFunction[..., Any]], Parts], reading: bool = False) -> None:
        self.folder = folder
        self.reading = reading
        self._parts = parts
        self._keys: dict[str, str] = {}
        self._values: dict[Path, Any] = {}
        self._nested = 0.0

    def value(self, cell: Cell[R]) -> R:
        """Return a cell's value: read, else computed and kept.

        Raises what the computation raises; when `reading`, CellMissing, CellFailed or CellUnavailable.
        """
        path = self.path(cell)
        if path not in self._values:
            try:
                self._values[path] = self._read(cell, path)
            except NotCurrent as absence:
                if self.reading:
                    raise self._absence(cell, path, str(absence)) from None
                self._values[path] = self._computed(cell, path)
        value: R = self._values[path]
        return value

    def has(self, cell: Cell[Any]) -> bool:
        """Tell whether a cell lies there whole."""
        try:
            self._read(cell, self.path(cell))
        except NotCurrent:
            return False
        return True

    def known(self, cell: Cell[Any]) -> bool:
        """Tell whether a cell was tried: it has a value, or the reason why it has none."""
        path = self.path(cell)
        return path.is_file() or _beside(path, ".failed").is_file()

    def path(self, cell: Cell[Any]) -> Path:
        """Return the place of a cell's file."""
        key = sha256_of(self._key(cell.function) + cell.digest)
        return self.folder.joinpath(*cell.function.name.split("."), f"{key[:24]}.json")

    def cost(self, cell: Cell[Any]) -> Cost | None:
        """Return what a cell cost, None where that is not known."""
        try:
            return Cost.model_validate_json(_beside(self.path(cell), ".cost").read_bytes())
        except (OSError, ValueError):
            return None

    def _key(self, function: CellFunction[..., Any]) -> str:
        if function.name not in self._keys:
            self._keys[function.name] = sha256_of(canonical_json(self._parts(function)))
        return self._keys[function.name]

    def _read(self, cell: Cell[R], path: Path) -> R:
        file = CellFile.read(path)
        if file.key != self._key(cell.function) or file.arguments != cell.labels:
            raise NotCurrent("edited: it is not the file of this cell")
        try:
            return cell.function.decode(file.value)
        except ValueError as error:
            raise NotCurrent("edited: its value is not of the cell's type") from error

    def _computed(self, cell: Cell[R], path: Path) -> R:
        started, begin, outer = now(), time.process_time(), self._nested
        self._nested = 0.0
        try:
            value = cell.compute()
        except Exception as error:
            write_whole(_beside(path, ".failed"), _failure(error).model_dump_json())
            raise
        finally:
            spent = time.process_time() - begin
            own, self._nested = spent - self._nested, outer + spent
        content = cell.function.encode(value)
        CellFile(function=cell.function.name, arguments=cell.labels, key=self._key(cell.function), value=content).write(
            path
        )
        write_whole(_beside(path, ".cost"), Cost(seconds=round(own, 4), started=started).model_dump_json())
        _beside(path, ".failed").unlink(missing_ok=True)
        return cell.function.decode(content)

    def _absence(self, cell: Cell[Any], path: Path, why: str) -> Exception:
        try:
            failure = Failure.model_validate_json(_beside(path, ".failed").read_bytes())
        except (OSError, ValueError):
            return CellMissing(f"{cell}: {why}; run the group as a whole, whose study computes it")
        if failure.not_run:
            return CellUnavailable(failure.reason, failure.settled)
        return CellFailed(f"{cell}: {failure.reason}\n{failure.trace}")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_suffix(suffix)


def _failure(error: Exception) -> Failure:
    return Failure(
        reason=" ".join(str(error).split()) or type(error).__name__,
        not_run=bool(getattr(error, "not_run", False)),
        settled=bool(getattr(error, "settled", False)),
        trace="".join(traceback.format_exception(error)),
    )


_ACTIVE: ContextVar[Keeper] = ContextVar("store", default=Memory())  # noqa: B039 (one for the process, by intention)


def active() -> Keeper:
    """Return the store that cells are read from; outside of `using`, this process's memory."""
    return _ACTIVE.get()


@contextmanager
def using(keeper: Keeper) -> Iterator[None]:
    """Let cells within be read from, and kept in, this store."""
    token = _ACTIVE.set(keeper)
    try:
        yield
    finally:
        _ACTIVE.reset(token)
