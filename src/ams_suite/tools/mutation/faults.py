"""The table of faults, `tests/faults.toml`: what is changed, why somebody might, and which tests must notice."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Self

from pydantic import Field, model_validator

from verdicts.claims.loading import load_toml
from verdicts.claims.schema import Identifier
from verdicts.errors import UserError, unknown
from verdicts.validation import Frozen

FAULTS = "tests/faults.toml"
PACKAGES = PurePosixPath("src")


class Fault(Frozen):
    """One fault: in `file`, the text `old`, which stands there exactly once, becomes `new`.

    `why` tells what went wrong, as a reviewer would. `tests` are asked first, before the tests of the file itself:
    files or single tests, such as the falsifier of the claim that the fault touches.
    """

    id: Identifier
    file: str = Field(pattern=r"^src/\w+/.*\.py$")
    old: str = Field(min_length=1)
    new: str
    why: str
    tests: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _it_changes_something(self) -> Self:
        if self.old == self.new:
            raise ValueError("old and new are the same")
        return self

    @property
    def own_tests(self) -> str:
        """Return the file of tests that mirrors `file`."""
        inside = PurePosixPath(self.file).relative_to(PACKAGES)
        return str(PurePosixPath("tests") / inside.parent / f"test_{inside.name}")

    def asked(self, root: Path) -> tuple[str, ...]:
        """Return what pytest is given: `tests`, then the file's own tests where there are any."""
        own = (self.own_tests,) if (root / self.own_tests).is_file() and self.own_tests not in self.tests else ()
        return self.tests + own

    def put_into(self, root: Path) -> str:
        """Return the text of the file with the fault in it. Raises UserError unless `old` is there exactly once."""
        try:
            text = (root / self.file).read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"{FAULTS}: fault[{self.id}].file = {self.file!r}: no such file") from error
        if (count := text.count(self.old)) != 1:
            line = self.old.strip().splitlines()[0]
            raise UserError(f"{FAULTS}: fault[{self.id}].old is {count} times in {self.file}, not once: {line!r}")
        return text.replace(self.old, self.new)


class Faults(Frozen):
    """The whole table; ids are unique."""

    fault: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [fault.id for fault in self.fault]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"the fault id {twice[0]} is given {ids.count(twice[0])} times")
        return self

    def select(self, patterns: Iterable[str]) -> tuple[Fault, ...]:
        """Return the faults whose id or file fits a pattern (`*` and `?` as in a shell), all without patterns.

        Raises UserError, with the nearest ids, for a pattern that nothing fits.
        """
        wanted = list(patterns)
        for pattern in wanted:
            if not any(_fits(fault, pattern) for fault in self.fault):
                raise unknown("fault", pattern, [fault.id for fault in self.fault], "--list shows them")
        return tuple(f for f in self.fault if not wanted or any(_fits(f, pattern) for pattern in wanted))


def read_faults(root: Path) -> Faults:
    """Read the table below `root`; no file, no faults. Raises UserError, in one line."""
    return load_toml(root, FAULTS, Faults) if (root / FAULTS).exists() else Faults()


def load_faults(root: Path) -> Faults:
    """Read the table below `root`, and check it against the code: every text once, every test file there.

    Raises UserError, in one line.
    """
    faults = read_faults(root)
    for fault in faults.fault:
        _refuse_broken(root, fault)
    return faults


def _refuse_broken(root: Path, fault: Fault) -> None:
    try:
        compile(fault.put_into(root), fault.file, "exec")
    except SyntaxError as error:
        raise UserError(f"{FAULTS}: fault[{fault.id}].new does not parse: {error}") from error
    for test in fault.tests:
        if not (root / test.partition("::")[0]).exists():
            raise UserError(f"{FAULTS}: fault[{fault.id}].tests: {test!r}: no such file")
    if not fault.asked(root):
        raise UserError(f"{FAULTS}: fault[{fault.id}]: no tests named, and no {fault.own_tests}")


def _fits(fault: Fault, pattern: str) -> bool:
    return fnmatchcase(fault.id, pattern) or fnmatchcase(fault.file, f"*{pattern}")
