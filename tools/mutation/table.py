"""The table of faults, `tests/faults.toml`: what is changed, why somebody might, and which tests must notice."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pydantic import Field

from verdicts.claims.check import Identifier
from verdicts.claims.loading import load_toml
from verdicts.errors import UserError, unknown
from verdicts.validation import Frozen

FAULTS = "tests/faults.toml"


class Fault(Frozen):
    """One fault: in `file`, the text `old`, which stands there exactly once, becomes `new`.

    `why` tells what went wrong, as a reviewer would. `tests` are asked first, before the tests of the file itself:
    files or single tests, such as the falsifier of the claim that the fault touches.
    """

    id: Identifier
    file: str = Field(pattern=r"^(src/\w+|tools)/.*\.py$")
    old: str = Field(min_length=1)
    new: str
    why: str
    tests: tuple[str, ...] = ()

    @property
    def own_tests(self) -> str:
        """Return the file of tests that mirrors `file`."""
        inside = PurePosixPath(self.file.removeprefix("src/"))
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

    def fits(self, pattern: str) -> bool:
        """Return whether its id or file fits a pattern (`*` and `?` as in a shell)."""
        return fnmatchcase(self.id, pattern) or fnmatchcase(self.file, f"*{pattern}")


class Faults(Frozen):
    """The whole table; ids are unique."""

    fault: tuple[Fault, ...]

    def select(self, patterns: Sequence[str]) -> tuple[Fault, ...]:
        """Return the faults that fit a pattern, all without patterns; raises UserError for one that nothing fits."""
        for pattern in patterns:
            if not any(fault.fits(pattern) for fault in self.fault):
                raise unknown("fault", pattern, [fault.id for fault in self.fault])
        return tuple(each for each in self.fault if not patterns or any(each.fits(pattern) for pattern in patterns))


def load_faults(root: Path) -> Faults:
    """Read the table below `root`, and check it against the code: ids and texts once, every test file there.

    Raises UserError, in one line.
    """
    faults, known = load_toml(root, FAULTS, Faults), set[str]()
    for fault in faults.fault:
        place = f"{FAULTS}: fault[{fault.id}]"
        if fault.id in known:
            raise UserError(f"{place}: the id is given twice")
        known.add(fault.id)
        try:
            compile(fault.put_into(root), fault.file, "exec")
        except SyntaxError as error:
            raise UserError(f"{place}.new does not parse: {error}") from error
        if fault.old == fault.new:
            raise UserError(f"{place}: old and new are the same")
        for test in fault.tests:
            if not (root / test.partition("::")[0]).exists():
                raise UserError(f"{place}.tests: {test!r}: no such file")
        if not fault.asked(root):
            raise UserError(f"{place}: no tests named, and no {fault.own_tests}")
    return faults
