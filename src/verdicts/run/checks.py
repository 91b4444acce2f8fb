"""A group's checks: functions that their entries name, imported from the repository's root, called with settings."""

import importlib
import inspect
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Self, get_type_hints

from pydantic import BaseModel, JsonValue, ValidationError

from verdicts.claims.check import Check
from verdicts.claims.loading import file_of_setting
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Group
from verdicts.errors import in_utf8
from verdicts.records.files import write_whole
from verdicts.records.workspace import Workspace
from verdicts.studies.study import module_of
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
            first = error.errors()[0]["loc"][:1]
            where = file_of_setting(workspace.root, workspace.profile, group.id, str(*first))
            raise from_validation(error, where, raw, prefix=f"groups.{group.id}") from error
        return cls(group, settings)

    def function(self, check: Check) -> Callable[..., Any]:
        """Return the function that measures a check. Raises what the import of its module does."""
        return self._named(check.measure)

    def _named(self, called: str) -> Callable[..., Any]:
        module, _, name = called.partition(".")
        function: Callable[..., Any] = getattr(importlib.import_module(f"{self.group.module}.{module}"), name)
        return function

    def measured(self, check: Check) -> Measurement:
        """Measure a check. Raises what the import of its module and the function itself do.

        Lists among the arguments become tuples, texts members of the enumeration that is asked for. A number that the
        function returns is a measurement without an interval. What proves the number follows, and takes its place.
        """
        result = self._result(self.function(check), check)
        measured = result if isinstance(result, Measurement) else Measurement(value=float(result))
        if check.enclosed is None:
            return measured
        begin = time.perf_counter()
        proof = self._result(self._named(check.enclosed), check)
        return measured.proved_by(proof, time.perf_counter() - begin) if proof else measured

    def _result(self, function: Callable[..., Any], check: Check) -> Any:
        hints = get_type_hints(function) if check.arguments else {}
        arguments = {key: _as_hinted(value, hints.get(key)) for key, value in check.arguments.items()}
        if "settings" in inspect.signature(function).parameters:
            arguments["settings"] = self.settings
        return function(**arguments)


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
    """Write the tracebacks of what broke; where nothing did, remove the log of an earlier run. Raises OSError."""
    if errors:
        write_whole(log, in_utf8("\n".join("".join(traceback.format_exception(error)) for error in errors)))
    else:
        log.unlink(missing_ok=True)


def one_line(error: BaseException) -> str:
    """Return what broke, in one line."""
    return in_utf8(f"failed: {type(error).__name__}: {' '.join(str(error).split())}")
