"""A group's module of checks, imported by name from the repository's root, with its settings."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from ams.ledger.claims import Check, Group
from ams.ledger.loading import file_of_setting
from ams.ledger.measurement import Measurement, bound_checks
from ams.ledger.problems import from_validation
from ams.runner.workspace import Workspace

Function = Callable[[Any], Measurement]


@dataclass(frozen=True)
class Checks:
    """A group's module, ready to run: its settings, and its functions by check id."""

    module: ModuleType
    settings: BaseModel
    bound: Mapping[str, Function]

    @classmethod
    def load(cls, workspace: Workspace, group: Group) -> Checks:
        """Import a group's module and validate its settings.

        Raises InputProblem for settings that do not fit; whatever the import raises passes through.
        """
        module = importlib.import_module(group.module)
        raw = workspace.config.settings_of(group.id)
        try:
            settings = module.Settings.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]["loc"][:1]
            where = file_of_setting(workspace.root, workspace.profile, group.id, str(*first))
            raise from_validation(error, where, raw, prefix=f"groups.{group.id}") from error
        return cls(module, settings, bound_checks(module))

    def function(self, check: Check) -> Function:
        """Return the function bound to a check. Raises LookupError if there is none."""
        if check.id not in self.bound:
            raise LookupError(f"no function of {self.module.__name__} is bound to the check {check.id}")
        return self.bound[check.id]


def place_of(root: Path, function: Function) -> str:
    """Return `file:line` of a function, `file` relative to the repository."""
    plain = inspect.unwrap(function)
    file = Path(inspect.getsourcefile(plain) or "").resolve()
    shown = file.relative_to(root) if file.is_relative_to(root) else Path(file.name)
    return f"{shown.as_posix()}:{inspect.getsourcelines(plain)[1]}"


def one_line(error: BaseException) -> str:
    """Return what broke, in one line."""
    return f"failed: {type(error).__name__}: {' '.join(str(error).split())}"
