"""What a group computes: checks, by functions that their entries name, and its study, whose record
knows its cells.

Functions are imported from the repository's root and called with the group's settings.
"""

import importlib
import inspect
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, Self, get_type_hints

from pydantic import BaseModel, JsonValue, ValidationError

from verdicts.claims.check import Check
from verdicts.claims.loading import CLAIMS, file_of_setting
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Group
from verdicts.errors import UserError, in_utf8
from verdicts.records.files import sha256_of, write_whole
from verdicts.records.keys import KeyParts
from verdicts.records.provenance import ComputedOn, Stopwatch
from verdicts.records.record import Artefacts
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace
from verdicts.run.plan import forced
from verdicts.studies.cells import Cell, using
from verdicts.studies.store import Cost, Store
from verdicts.studies.study import (
    cells_of,
    compute,
    labelled_table,
    module_of,
    share_of,
    store_of,
    table_of,
)
from verdicts.studies.table import RunTable
from verdicts.validation import Frozen, from_validation


@dataclass(frozen=True)
class Checks:
    """A group, ready to run, with its settings."""

    group: Group
    settings: BaseModel

    @classmethod
    def load(cls, workspace: Workspace, group: Group) -> Self:
        """Validate a group's settings; its other modules are imported as they are needed.

        Raises UserError for settings that do not fit; whatever an import raises passes through.
        """
        raw, schema = workspace.config.settings_of(group.id), settings_class(group)
        try:
            settings = schema.model_validate(raw)
        except ValidationError as error:
            where = file_of_setting(workspace.root, workspace.profile, group.id)
            raise from_validation(error, where, raw, prefix=f"groups.{group.id}") from error
        checks = cls(group, settings)
        checks.refuse_missing_rows(
            check for claim in workspace.claims_here(group) for check in claim.check
        )
        return checks

    def refuse_missing_rows(self, checks: Iterable[Check]) -> None:
        """Try queries on a blank table. Raises UserError for one that asks for rows that `runs`
        does not make.
        """
        for check in checks:
            try:
                if check.is_query:
                    self._result(self.function(check), check, blank=True)
            except UserError as error:
                raise UserError(
                    f"{self.group.folder}/{CLAIMS}: check[{check.id}].with: {error}"
                ) from error

    def function(self, check: Check) -> Callable[..., Any]:
        """Return the function that measures a check. Raises what the import of its module does."""
        return self._named(check.measure)

    def _named(self, called: str) -> Callable[..., Any]:
        module, name = self.group.place(called)
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function

    def measured(self, check: Check) -> Measurement:
        """Measure a check. Raises what the import of its module and the function itself do.

        Lists among the arguments become tuples, texts members of the enumeration that is asked for.
        A number that the function returns is a measurement without an interval. What proves the
        number follows, with what it is to prove as `measured` where it takes that, and takes its
        place.
        """
        result = self._result(self.function(check), check)
        measured = result if isinstance(result, Measurement) else Measurement(value=float(result))
        if check.enclosed is None:
            return measured
        begin = time.perf_counter()
        proof = self._result(self._named(check.enclosed), check, measured=measured)
        return measured.proved_by(proof, time.perf_counter() - begin) if proof else measured

    @cached_property
    def _table(self) -> RunTable | None:
        return table_of(self.group, self.settings)

    def _result(
        self,
        function: Callable[..., Any],
        check: Check,
        blank: bool = False,
        measured: Measurement | None = None,
    ) -> Any:
        hints = get_type_hints(function) if check.arguments else {}
        arguments = {
            key: _as_hinted(value, hints.get(key)) for key, value in check.arguments.items()
        }
        takes = inspect.signature(function).parameters
        given = {"settings": self.settings, "measured": measured}
        arguments |= {name: value for name, value in given.items() if name in takes}
        if "table" in takes and (table := self._table):
            arguments["table"] = replace(table, blank=True) if blank else table
        return function(**arguments)


Load = Callable[[], Checks]


def _as_hinted(value: JsonValue, hint: object = None) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return tuple(map(_as_hinted, value)) if isinstance(value, list) else value


def settings_class(group: Group) -> type[BaseModel]:
    """Return the class of a group's settings, without a field where the group has no `settings.py`.

    Whatever the import of their module raises passes through.
    """
    module = module_of(group, "settings")
    schema: type[BaseModel] = module.Settings if module else Frozen
    return schema


def place_of(root: Path, function: Callable[..., Any]) -> str:
    """Return `file:line` of a function, `file` relative to the repository."""
    plain = inspect.unwrap(function)
    file = Path(inspect.getsourcefile(plain) or "").resolve()
    shown = file.relative_to(root) if file.is_relative_to(root) else Path(file.name)
    return f"{shown.as_posix()}:{inspect.getsourcelines(plain)[1]}"


def log_errors(log: Path, errors: Sequence[BaseException]) -> None:
    """Write the tracebacks of what broke; where nothing did, remove the log of an earlier run.
    Raises OSError.
    """
    if errors:
        write_whole(
            log, in_utf8("\n".join("".join(traceback.format_exception(error)) for error in errors))
        )
    else:
        log.unlink(missing_ok=True)


def one_line(error: BaseException) -> str:
    """Return what broke, in one line."""
    return in_utf8(f"failed: {type(error).__name__}: {' '.join(str(error).split())}")


def run_share(
    workspace: Workspace, run: RunRecord, group: Group, load: Load, share: int, shares: int
) -> None:
    """Compute a share of the cells of a group's study; what breaks in listing them is left to the
    last job.

    So is a study that is to be refused. Raises OSError where a result cannot be written.
    """
    store = _store(workspace, run, group)
    try:
        cells = cells_of(group, load().settings)
    except (Exception, SystemExit):
        return
    if not _mixed(workspace, group, cells, store):
        compute(share_of(cells, share, shares), store, as_share=True)


def make_artefacts(
    workspace: Workspace,
    about: tuple[str, Path, KeyParts, Path],
    run: str,
    make: Callable[[], dict[str, Any]],
) -> Artefacts:
    """Make what belongs together by `make`, which returns the fields of its record; write that.

    `about` has the record's id, place and key parts, and the place of a log. What breaks is logged
    and recorded as failed; `measured` among the fields replaces some of the provenance. Raises
    OSError where a file cannot be written.
    """
    name, path, parts, log = about
    watch = Stopwatch()
    try:
        made = make()
        log_errors(log, [])
    except (Exception, SystemExit) as error:
        made = {"reason": str(error), "settled": bool(getattr(error, "settled", False))}
        if not getattr(error, "not_run", False):
            made = {"reason": one_line(error), "failed": True}
            log_errors(log, [error])
    measured = made.pop("measured", {})
    if changed := workspace.changed(parts):
        made |= {"reason": f"failed: {changed}", "failed": True}
    provenance = watch.provenance(workspace.environment, workspace.profile, parts.config, run)
    artefacts = Artefacts.of(name, parts, provenance.model_copy(update=measured), **made)
    artefacts.write(path)
    return artefacts


def run_study(workspace: Workspace, run: RunRecord, group: Group, load: Load) -> str:
    """Compute the cells of a group's study that are not there, then write their labelled table and
    their record.

    Returns why the study is refused: its cells would be, or are, of different releases. Raises
    OSError where a result cannot be written.
    """
    refusals = []

    def make() -> dict[str, Any]:
        settings, store = load().settings, _store(workspace, run, group)
        cells, table = cells_of(group, settings), table_of(group, settings)
        refused = _mixed(workspace, group, cells, store)
        if not refused:
            compute(cells, store)
            # others may have computed some of them
            refused = _mixed(workspace, group, cells, store)
        refusals.append(refused)
        costs = store.costs(cells)
        measured: dict[str, Any] = {"seconds": round(sum(cost.seconds for cost in costs), 4)}
        if models := sorted({cost.computed_on.device for cost in costs} - {""}):
            measured["processor"] = "; ".join(models)
        outcome = {"reason": refused, "failed": True} if refused else _outcome(cells, store)
        return outcome | {"files": _written(workspace, group, cells, table), "measured": measured}

    parts = workspace.study_parts(group)
    assert parts is not None
    log = workspace.log_path(f"{group.id}.study")
    about = (group.id, workspace.study_path(group), parts, log)
    make_artefacts(workspace, about, run.id, make)
    return "".join(refusals)


def _store(workspace: Workspace, run: RunRecord, group: Group) -> Store:
    return store_of(workspace, run=run.id, anew=forced(workspace, run, group))


def _mixed(workspace: Workspace, group: Group, cells: Sequence[Cell[Any]], store: Store) -> str:
    """Say that cells of different releases would stand side by side, and what to do; empty where
    all are of one.
    """
    lacking = any(not store.taken(cell) for cell in cells if not store.failure(cell))
    if mixed := mixture(store.costs(cells), store.computed_on if lacking else None):
        again = (
            f"`{workspace.project.command} reproduce --force {group.id}` "
            "computes all with one release"
        )
        return f"refused: {mixed}, and their numbers may differ; {again}"
    return ""


def mixture(costs: Iterable[Cost], here: ComputedOn | None = None) -> str:
    """Say which releases computed cells of one study, and how many (`here`: what is to compute
    more); empty for one.

    Cells of which it is not known do not count.
    """
    counts = Counter(cost.computed_on.releases for cost in costs if cost.computed_on.releases)
    words = [f"{count} with {which}" for which, count in sorted(counts.items())]
    if here and here.releases and here.releases not in counts:
        words.append(f"the others would be with {here.releases}")
    return (
        ", ".join(words).replace(" with", " of its cells were computed with", 1)
        if len(words) > 1
        else ""
    )


def _written(
    workspace: Workspace, group: Group, cells: Sequence[Cell[Any]], runs: RunTable | None
) -> dict[str, str]:
    """Write the labelled table: a row a batch where `runs` are given, else a row a cell.

    Returns its digest and those of the cells' files, by their place beside the record.
    """
    store, folder = store_of(workspace, reading=True), workspace.study_path(group).parent
    with using(store):
        table = runs.written(store.has) if runs else labelled_table(cells, store)
    write_whole(folder / f"{group.id}.csv", table)
    paths = [path for cell in cells if (path := store.path(cell)).is_file()]
    digests = {os.path.relpath(path, folder): sha256_of(path.read_bytes()) for path in paths}
    return {f"{group.id}.csv": sha256_of(table), **digests}


def _outcome(cells: Sequence[Cell[Any]], store: Store) -> dict[str, Any]:
    """Return in words which cells have no value; whether one broke; whether all is settled."""
    failures = [(cell, failure) for cell in cells if (failure := store.failure(cell))]
    if not failures:
        return {}
    broken = [(cell, failure) for cell, failure in failures if not failure.not_run]
    kind, chosen = ("failed", broken) if broken else ("could not be computed", failures)
    cell, failure = chosen[0]
    return {
        "reason": f"{len(chosen)} of {len(cells)} cells {kind}, first {cell}: {failure.reason}",
        "failed": bool(broken),
        "settled": all(failure.settled for _, failure in failures),
    }
