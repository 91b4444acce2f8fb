"""Kept cells: results that took hours, published with the project for everyone to read and to
audit.

A kept cell is found by a name that its function was given by hand, by its arguments and by its data
sets. How it was computed is provenance and decides nothing: whether the present sources give the
same value, each run's audit tells (`verdicts.run.audit`). A kept cell rests on no other: what
follows from kept cells is computed in each run. The cells of a group are a file in
`paper/kept/<group>`, a line of JSON a cell, compressed. It is named after its content's sha256: one
that was edited or cut short is named, and counts as absent.
"""

import lzma
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from verdicts.errors import UserError, unknown
from verdicts.records.files import canonical_json, sha256_of, write_whole
from verdicts.records.provenance import ComputedOn
from verdicts.records.workspace import SUFFIX
from verdicts.studies.cells import KEPT, Cell, CellFunction
from verdicts.validation import Frozen

SPARED = 900.0
"""Processor seconds up to which the refused cells of a function are computed anew; beyond, they are
not available.
"""


class KeptCell(Frozen):
    """A kept value: its function's stable name, arguments and data sets, and how it was computed.

    `sources` is the digest of the function's sources then.
    """

    function: str
    arguments: dict[str, JsonValue]
    data: dict[str, str]
    value: JsonValue
    sources: str
    commit: str | None
    computed_on: ComputedOn
    seconds: float
    started: str

    @cached_property
    def identity(self) -> str:
        """Return the digest by which the cell is found."""
        return identity_of(self.function, self.arguments, self.data)

    @cached_property
    def content(self) -> str:
        """Return the digest of the value."""
        return sha256_of(canonical_json(self.value))

    def __str__(self) -> str:
        """Return the call as it would be written, with the stable name."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.function}({arguments})"


class Refused(Exception):
    """A kept cell may not be shown, and takes too long to be computed."""

    not_run, missing, remedy = True, "kept cells that an audit does not refuse", "--force"


def identity_of(name: str, arguments: Mapping[str, Any], data: Mapping[str, str]) -> str:
    """Return the group of a function's stable name, and the digest of the name, the arguments and
    the data sets.
    """
    return f"{group_of(name)}/{sha256_of(canonical_json([name, arguments, data]))}"


class Archive:
    """The kept cells below `folder`.

    `registered` gives the digests of data sets. `refused(group)` gives for identities why an audit
    does not let them be shown.
    """

    def __init__(
        self,
        folder: Path,
        registered: Callable[[], Mapping[str, str]],
        refused: Callable[[str], Mapping[str, str]] = lambda group: {},
    ) -> None:
        self.folder, self._registered, self._refusals = folder, registered, refused
        self._groups: dict[str, dict[str, KeptCell]] = {}
        self._dear: dict[str, float] = {}
        self.damaged: list[str] = []

    def of_group(self, group: str) -> dict[str, KeptCell]:
        """Return a group's kept cells by identity; files that are damaged are noted in
        `damaged`.
        """
        if group not in self._groups:
            files = [
                _read(path, path.stat().st_mtime_ns)
                for path in sorted(self.folder.glob(f"{group}/*{SUFFIX}"))
            ]
            self.damaged += [reason for _, reason in files if reason]
            self._groups[group] = {cell.identity: cell for cells, _ in files for cell in cells}
        return self._groups[group]

    def find(self, cell: Cell[Any]) -> KeptCell | None:
        """Return a cell as it is kept, None where it is not or is to be computed.

        Raises Refused for one that an audit refused, if those of its function take more than
        `SPARED` seconds.
        """
        kept = self.kept(cell)
        if kept is None:
            return None
        group = group_of(kept.function)
        refused = self._refusals(group)
        if not (reason := refused.get(kept.identity)):
            return kept
        if kept.function not in self._dear:
            cells = [
                each for each in self.of_group(group).values() if each.function == kept.function
            ]
            self._dear[kept.function] = sum(
                seconds_of(each) for each in cells if each.identity in refused
            )
        if self._dear[kept.function] > SPARED:
            hours = self._dear[kept.function] / 3600
            raise Refused(
                f"{kept.function} is kept, but refused: {reason}; --force computes it, "
                f"{hours:.1f} core-hours"
            )
        return None

    def kept(self, cell: Cell[Any]) -> KeptCell | None:
        """Return a cell as it is kept, whether or not an audit refused it."""
        if (how := cell.function.kept) is None:
            return None
        cells = self.of_group(group_of(how.name))
        return (
            cells.get(identity_of(how.name, cell.labels, self.data_of(cell.function)))
            if cells
            else None
        )

    def content(self, identity: str) -> str:
        """Return the digest of the value of a kept cell; empty for one that is not to be shown."""
        group = group_of(identity, "/")
        kept = None if identity in self._refusals(group) else self.of_group(group).get(identity)
        return kept.content if kept else ""

    def data_of(self, function: CellFunction[..., Any]) -> dict[str, str]:
        """Return the digests of a function's data sets. Raises UserError for one that is not
        registered.
        """
        registered = self._registered() if function.data else {}
        for name in function.data:
            if name not in registered:
                raise UserError(f"{function.name}: {unknown('data set', name, registered)}")
        return {name: registered[name] for name in function.data}

    def write(self, group: str, cells: Iterable[KeptCell]) -> Path | None:
        """Write what is kept of a group's functions, and those cells that are not kept yet, as its
        one file.

        Cells of functions that are not kept any more are dropped. None where nothing is left.
        Raises UserError where a file of the archive is damaged, whose cells would be lost; OSError.
        """
        before = [cell for cell in self.of_group(group).values() if cell.function in KEPT]
        if self.damaged:
            raise UserError(f"{self.damaged[0]}: put it back as it was, then publish")
        whole = {cell.identity: cell for cell in [*cells, *before]}
        text = "".join(
            f"{canonical_json(whole[name].model_dump(mode='json'))}\n" for name in sorted(whole)
        ).encode()
        path = self.folder / group / f"{sha256_of(text)[:16]}{SUFFIX}"
        if whole:
            write_whole(path, lzma.compress(text, preset=9))
        for other in self.folder.glob(f"{group}/*{SUFFIX}"):
            if other != path or not whole:
                other.unlink()
        del self._groups[group]
        return path if whole else None


@lru_cache(maxsize=32)
def _read(path: Path, stamp: int) -> tuple[list[KeptCell], str]:
    """Return the cells of a file, once a process while its time `stamp` is the same; or none, and
    why it is damaged.
    """
    try:
        text = lzma.decompress(path.read_bytes())
        if sha256_of(text)[:16] != path.name.removesuffix(SUFFIX):
            raise ValueError("its content is not what its name says")
        return [KeptCell.model_validate_json(line) for line in BytesIO(text)], ""
    except (OSError, ValueError, lzma.LZMAError) as error:
        return [], f"{path.name} of {path.parent.name} is damaged ({error}): counts as absent"


def seconds_of(kept: KeptCell) -> float:
    """Return about how long a kept cell computes, as its function declares; infinite where that
    does not know it.
    """
    function = KEPT.get(kept.function)
    try:
        how = function.kept if function else None
        return (
            how.seconds(**function.cell_of(kept.arguments).arguments)
            if function and how
            else math.inf
        )
    except ValueError:
        return math.inf


def group_of(name: str, mark: str = ".") -> str:
    """Return the group in a stable name: what stands before the first point (in an identity: the
    slash).
    """
    return name.partition(mark)[0]
