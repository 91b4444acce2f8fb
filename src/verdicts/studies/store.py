"""Where the results of cells are stored: a checksummed file for each, its cost beside it.

A file is read only if its bytes are those that were written and its key is the present one: the
sources of the modules that the function's module imports, the data sets that it names, the class of
device. The file holds the result alone, so the same cells give the same bytes whatever computed
them, in whatever order and in however many processes. Whoever reads gets an object of its own: to
change it changes nothing for other readers. One process at a time makes a file: the others wait,
and read what it wrote.
"""

import fcntl
import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import JsonValue

from verdicts.claims.measurement import Unavailable
from verdicts.errors import in_utf8
from verdicts.records.files import Checksummed, NotCurrent, canonical_json, sha256_of, write_whole
from verdicts.records.provenance import ComputedOn, now
from verdicts.records.record import absence_of
from verdicts.studies.cells import Cell, CellFunction, using
from verdicts.studies.kept import Archive, KeptCell, Refused
from verdicts.validation import Frozen

R = TypeVar("R")
Parts = Mapping[str, JsonValue]
"""What a function's cells depend on beside their arguments, as digests by name."""


def lock_of(path: Path) -> Path:
    """Return the place of the lock of a file: it is there while a process makes that, and after one
    that was killed.
    """
    return path.with_suffix(".lock")


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a kernel lock (POSIX) that is named after the file `path`; it ends with the process that
    holds it.

    It saves work and protects nothing: files are written whole, and equal. So where a file system
    has no such locks, or locks within a node alone, two processes may compute the same; so do two
    that would wait for each other, which the kernel notices.
    """
    held = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(lock_of(path), os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.lockf(held, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if held is not None:
            lock_of(path).unlink(missing_ok=True)
            with suppress(OSError):
                fcntl.lockf(held, fcntl.LOCK_UN)
            os.close(held)


class Cost(Checksummed):
    """What a cell cost: processor seconds without those of the cells that it `asked` for (their
    files), when, and in the run of which id.
    """

    seconds: float
    started: str
    run: str = ""
    asked: tuple[str, ...] = ()
    computed_on: ComputedOn = ComputedOn()


def cost_at(path: Path) -> Cost | None:
    """Return what the cell of a file cost, None where that is not known."""
    return Cost.read_or_none(path.with_suffix(".cost"))


def costs_below(folder: Path, paths: Iterable[Path], run: str = "") -> dict[Path, Cost]:
    """Return the costs of the cells that lie there, and of all that they asked for, by file: all,
    or of one run.
    """
    waiting, costs = list(paths), dict[Path, Cost]()
    while waiting:
        path = waiting.pop()
        if path not in costs and path.is_file() and (cost := cost_at(path)):
            costs[path] = cost
            waiting += [folder / name for name in cost.asked]
    return {path: cost for path, cost in costs.items() if run in ("", cost.run)}


class CellMissing(LookupError):
    """A reader asked for a cell that the study has not computed."""


class CellFailed(RuntimeError):
    """A reader asked for a cell whose computation broke; the text says how, a note holds the
    traceback.
    """


class CellUnavailable(Unavailable):
    """A reader asked for a cell that could not be computed for want of a file, a device or data."""

    def __init__(self, reason: str, settled: bool, missing: str, remedy: str) -> None:
        super().__init__(reason, missing, remedy)
        self.settled = settled


class CellFile(Checksummed):
    """A cell as it lies on disk; `kept` has the digest of each kept value that it rests on, by
    identity.
    """

    function: str
    arguments: dict[str, JsonValue]
    key: str
    value: JsonValue
    kept: dict[str, str] = {}  # noqa: RUF012 (a pydantic field)


class Failure(Frozen):
    """Why a cell has no value: its computation broke or could not be made (`not_run`).

    `run`: the id of the run that tried it. `settled`, `missing`, `remedy`: what the error says of
    itself (`record.absence_of`).
    """

    reason: str
    not_run: bool
    settled: bool = False
    missing: str = ""
    remedy: str = ""
    trace: str
    run: str = ""

    @classmethod
    def of(cls, error: BaseException, run: str) -> Self:
        """Describe what a computation raised."""
        message = in_utf8(" ".join(str(error).split()))
        not_run = bool(getattr(error, "not_run", False))
        absence: dict[str, Any] = absence_of(error)
        return cls(
            reason=message
            if not_run and message
            else f"{type(error).__name__}: {message}".removesuffix(": "),
            not_run=not_run,
            **absence,
            trace=in_utf8("".join(traceback.format_exception(error))),
            run=run,
        )

    def raised(self, cell: Cell[Any]) -> Exception:
        """Return the exception that tells a reader of `cell` of it."""
        if self.not_run:
            return CellUnavailable(self.reason, self.settled, self.missing, self.remedy)
        error = CellFailed(f"{cell}: {self.reason}")
        error.add_note(self.trace)
        return error


class Store:
    """Keeps values as files below `folder`; `parts` gives what a function's cells depend on.

    `reading`: nothing is computed, and what is missing raises. `run` is the id of the run: a cell
    that failed in it is not tried again; with `anew`, one that another run has computed is computed
    again. `computed_on` is what computes in this process. A cell that is not there, and that
    `archive` has, is read from it, not computed (with `anew` it is computed); `kept_read` has what
    was.
    """

    def __init__(
        self,
        folder: Path,
        parts: Callable[[CellFunction[..., Any]], Parts],
        reading: bool = False,
        run: str = "",
        anew: bool = False,
        computed_on: ComputedOn | None = None,
        archive: Archive | None = None,
    ) -> None:
        self.folder, self.reading, self.computed_on = folder, reading, computed_on or ComputedOn()
        self.archive, self.kept_read = None if anew else archive, dict[str, str]()
        self._parts, self._run, self._anew = parts, run, anew
        self._keys: dict[str, str] = {}
        self._contents: dict[Path, Any] = {}
        self._rests_on: dict[Path, dict[str, str]] = {}
        self._nested = 0.0
        self._asked: set[str] = set()

    def value(self, cell: Cell[R]) -> R:
        """Return a cell's value: read, else computed and stored.

        Raises what the computation raises, OSError where the value cannot be written; CellFailed or
        CellUnavailable for a cell that this run has tried in vain; when `reading`, these or
        CellMissing.
        """
        path = self.path(cell)
        self._asked.add(path.relative_to(self.folder).as_posix())
        if path not in self._contents:
            self._contents[path] = self._content(cell, path)
        self.kept_read |= self._rests_on[path]
        return cell.function.decode(self._contents[path])

    def ensure(self, cell: Cell[Any]) -> None:
        """Compute a cell that is not there, without holding its value. Raises as `value` does."""
        self._content(cell, self.path(cell))

    def has(self, cell: Cell[Any]) -> bool:
        """Return whether a cell lies there whole, or is kept."""
        with suppress(NotCurrent):
            self._read(cell, self.path(cell))
            return True
        return self.kept(cell) is not None

    def taken(self, cell: Cell[Any]) -> bool:
        """Return whether a cell is there or being computed, as far as names of files tell, or
        kept.
        """
        path = self.path(cell)
        return (
            lock_of(path).exists()
            or (path.is_file() and not self._anew)
            or self.kept(cell) is not None
        )

    def kept(self, cell: Cell[Any]) -> KeptCell | None:
        """Return a cell as it is kept, where this store would read it from there."""
        with suppress(Refused):
            return self.archive.find(cell) if self.archive else None
        return None

    def rests_on(self, cell: Cell[Any]) -> dict[str, str]:
        """Return the digests of the kept values that a cell rests on that was read or computed
        here, by identity.
        """
        return self._rests_on.get(self.path(cell), {})

    def path(self, cell: Cell[Any]) -> Path:
        """Return the place of a cell's file."""
        key = sha256_of(self._key(cell.function) + cell.digest)
        return self.folder.joinpath(*cell.function.name.split("."), f"{key[:24]}.json")

    def failure(self, cell: Cell[Any]) -> Failure | None:
        """Return why a cell has no value, None where it was not tried or has one."""
        try:
            return Failure.model_validate_json(self.path(cell).with_suffix(".failed").read_bytes())
        except (OSError, ValueError):
            return None

    def costs(self, cells: Iterable[Cell[Any]]) -> list[Cost]:
        """Return what is known of the costs of cells and of all that they asked for, each once.

        With `anew`, those alone of what was computed since the run began.
        """
        paths = [self.path(cell) for cell in cells]
        return [*costs_below(self.folder, paths, self._run if self._anew else "").values()]

    def _key(self, function: CellFunction[..., Any]) -> str:
        if function.name not in self._keys:
            self._keys[function.name] = sha256_of(canonical_json(self._parts(function)))
        return self._keys[function.name]

    def _content(self, cell: Cell[Any], path: Path) -> Any:
        """Return a cell's value as JSON has it."""
        try:
            return self._read(cell, path)
        except NotCurrent as absence:
            if self.archive and (kept := self.archive.find(cell)):
                self._rests_on[path] = {kept.identity: kept.content}
                return kept.value
            if self.reading:
                if failure := self.failure(cell):
                    raise failure.raised(cell) from None
                raise CellMissing(
                    f"{cell} ({absence}): the study does not list it, or was not run"
                ) from None
        with file_lock(path):
            return self._unless_made(cell, path)

    def _unless_made(self, cell: Cell[Any], path: Path) -> Any:
        """Return a cell's value, computed unless another process has done so, or has tried in vain,
        meanwhile.
        """
        with suppress(NotCurrent):
            return self._read(cell, path)
        failure = self.failure(cell)
        if failure and failure.run == self._run != "":
            raise failure.raised(cell)
        return self._computed(cell, path)

    def _read(self, cell: Cell[Any], path: Path) -> Any:
        file = CellFile.read(path)
        if (file.function, file.key, file.arguments) != (
            cell.function.name,
            self._key(cell.function),
            cell.labels,
        ):
            raise NotCurrent("edited: it is not the file of this cell")
        if any(
            self.archive is None or self.archive.content(name) != digest
            for name, digest in file.kept.items()
        ):
            raise NotCurrent("it rests on a kept cell that is another now")
        if self._anew and ((cost := cost_at(path)) is None or cost.run != self._run):
            raise NotCurrent("forced")
        self._rests_on[path] = file.kept
        return file.value

    def _computed(self, cell: Cell[Any], path: Path) -> Any:
        failed = path.with_suffix(".failed")
        failed.unlink(missing_ok=True)
        nested, asked, started, begin = self._nested, self._asked, now(), time.process_time()
        outer, self.kept_read = self.kept_read, {}
        self._nested, self._asked = 0.0, set()
        try:
            with using(self):  # the cells that it asks for are of this store too
                content = cell.function.encode(cell.compute())
        except (Exception, SystemExit) as error:
            if not getattr(error, "not_run", False):  # else an earlier value is as good as it was
                path.unlink(missing_ok=True)
            write_whole(failed, Failure.of(error, self._run).model_dump_json())
            raise
        finally:
            spent = time.process_time() - begin
            own, inner = round(spent - self._nested, 4), tuple(sorted(self._asked))
            self._nested, self._asked = nested + spent, asked
            self._rests_on[path], self.kept_read = self.kept_read, outer
        cost = Cost(
            seconds=own, started=started, asked=inner, run=self._run, computed_on=self.computed_on
        )
        cost.write(path.with_suffix(".cost"))
        key, name = self._key(cell.function), cell.function.name
        CellFile(
            function=name, arguments=cell.labels, key=key, value=content, kept=self._rests_on[path]
        ).write(path)
        return content
