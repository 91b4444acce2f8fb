"""Would tests notice? `python -m tools.mutation` puts faults into copies of the code, one at a
time; what caught each?

The faults are declared by hand, in `tests/faults.toml`: a dropped factor, the norm of the momentum
before its update where the updated one is meant, noise of the wrong level, `m_{t-1}` for `m_t`.
Tools that generate mutants (mutmut, cosmic-ray) change operators and constants by syntax: they
neither know these faults, which a person makes who reads a paper, nor that `min(u, 1/2)` and
`min(u, 3/5)` are equally valid samplers, and would bury the few that matter in thousands that mean
nothing.

The working tree is never touched. A fault is *caught* by a test that fails because of what it
computes; one that only keeps the code from running (a wrong name, a missing argument) or makes it
hang proves nothing about the tests: it is *broken*, and a defect of the table.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple
from xml.etree import ElementTree

import tyro
from pydantic import Field

from tools import at_least, run, say
from verdicts.claims.check import Identifier
from verdicts.claims.loading import load_toml
from verdicts.errors import UserError, unknown
from verdicts.records.workspace import find_root
from verdicts.validation import Frozen

FAULTS = "tests/faults.toml"
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "results", "build", "*.egg-info")
NOT_RUNNING = frozenset(
    {
        "NameError",
        "AttributeError",
        "ImportError",
        "ModuleNotFoundError",
        "SyntaxError",
        "TypeError",
    }
)
SOUND_SECONDS = 600.0
SURVIVED, FAILED = 0, 1  # pytest's exit codes; others are usage, collection or its own


class Fault(Frozen):
    """One fault: in `file`, the text `old`, which stands there exactly once, becomes `new`.

    `why` tells what went wrong, as a reviewer would. `tests` are asked first, before the tests of
    the file itself: files or single tests, such as the falsifier of the claim that the fault
    touches.
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
        own = (
            (self.own_tests,)
            if (root / self.own_tests).is_file() and self.own_tests not in self.tests
            else ()
        )
        return self.tests + own

    def put_into(self, root: Path) -> str:
        """Return the text of the file with the fault in it. Raises UserError unless `old` is
        there exactly once.
        """
        try:
            text = (root / self.file).read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"{FAULTS}: fault[{self.id}].file = {self.file!r}: no such file"
            ) from error
        if (count := text.count(self.old)) != 1:
            line = self.old.strip().splitlines()[0]
            raise UserError(
                f"{FAULTS}: fault[{self.id}].old is {count} times in "
                f"{self.file}, not once: {line!r}"
            )
        return text.replace(self.old, self.new)

    def fits(self, pattern: str) -> bool:
        """Return whether its id or file fits a pattern (`*` and `?` as in a shell)."""
        return fnmatchcase(self.id, pattern) or fnmatchcase(self.file, f"*{pattern}")


class Faults(Frozen):
    """The whole table; ids are unique."""

    fault: tuple[Fault, ...]

    def select(self, patterns: Sequence[str]) -> tuple[Fault, ...]:
        """Return the faults that fit a pattern, all without patterns; raises UserError for one
        that nothing fits.
        """
        for pattern in patterns:
            if not any(fault.fits(pattern) for fault in self.fault):
                raise unknown("fault", pattern, [fault.id for fault in self.fault])
        return tuple(
            each
            for each in self.fault
            if not patterns or any(each.fits(pattern) for pattern in patterns)
        )


def load_faults(root: Path) -> Faults:
    """Read the table below `root`, and check it against the code: ids and texts once, every test
    file there.

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


class Ending(StrEnum):
    """What became of a fault."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    BROKEN = "broken"


class Outcome(NamedTuple):
    """`by` is the test that failed first, with the kind of its error in `how`, or why the trial
    tells nothing.
    """

    ending: Ending
    by: str = ""
    how: str = ""

    def __str__(self) -> str:
        return " ".join(
            filter(
                None,
                [self.ending, f"by {self.by}" * bool(self.by), f"({self.how})" * bool(self.how)],
            )
        )


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """Yield a copy of the repository at `root`, which goes afterwards."""
    with TemporaryDirectory(prefix="ams-mutation-") as folder:
        yield Path(shutil.copytree(root, Path(folder).resolve() / "copy", ignore=LEFT_OUT))


def refuse_unsound(copy: Path, faults: Sequence[Fault]) -> None:
    """Raise UserError where the faults' tests fail on sound code, or cannot be run."""
    tests = {test for fault in faults for test in fault.asked(copy)}
    within = {test for test in tests if test.partition("::")[0] in tests - {test}}
    outcome = asked(copy, sorted(tests - within), SOUND_SECONDS)
    if outcome.ending is not Ending.SURVIVED:
        raise UserError(f"without any fault the tests fail: {outcome}")


def outcome_of(root: Path, fault: Fault, seconds: float) -> Outcome:
    """Put a fault into a copy, ask its tests for at most `seconds`, and return what became of
    it.
    """
    with copy_of(root) as copy:
        (copy / fault.file).write_text(fault.put_into(root), encoding="utf-8")
        return asked(copy, fault.asked(root), seconds)


def asked(copy: Path, tests: Sequence[str], seconds: float) -> Outcome:
    """Run tests of a copy, on its code with one thread, until the first that fails.

    No cache, no plugin but Hypothesis's, no shrinking, the same examples every time, and none left
    out by its mark.
    """
    report = copy.with_name("report.xml")
    quiet = [
        "-x",
        "-q",
        "--tb=line",
        "--no-header",
        "-m",
        "",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
    ]
    examples = [
        "-p",
        "_hypothesis_pytestplugin",
        "--hypothesis-profile=unshrunk",
        "--hypothesis-seed=0",
    ]
    command = [sys.executable, "-m", "pytest", *quiet, *examples, *tests]
    alone = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OMP_NUM_THREADS": "1",
    }
    environment = (
        os.environ | alone | {"PYTHONPATH": os.pathsep.join([str(copy / "src"), str(copy)])}
    )
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return Outcome(Ending.BROKEN, how=f"no end within {seconds:g} s")
    return judged(done.returncode, report, done.stdout + done.stderr)


def judged(code: int, report: Path, said: str) -> Outcome:
    """Return the outcome that pytest's exit code, its JUnit report and, failing that, its words
    amount to.
    """
    if code == SURVIVED:
        return Outcome(Ending.SURVIVED)
    broken = Outcome(
        Ending.BROKEN, how=f"pytest ended with {code}: {' '.join(said.split())[-200:]}"
    )
    if code != FAILED or not report.is_file():
        return broken
    for case in ElementTree.parse(report).iter("testcase"):
        if (failure := case.find("failure")) is not None:
            kind = _kind(failure.get("message", ""))
            ending = Ending.BROKEN if kind in NOT_RUNNING else Ending.CAUGHT
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            return Outcome(ending, name, kind)
    return broken


def _kind(message: str) -> str:
    """Return the error's class from pytest's message, which for a bare assertion is its
    expression.
    """
    first = message.partition(":")[0].split()
    return "AssertionError" if not first or first[0] == "assert" else first[0].rpartition(".")[2]


@dataclass(frozen=True)
class Mutation:
    """Put faults into copies of the code, one at a time: would the tests notice?

    Exit code 1 if one survives, 3 if of one nothing is known: it kept the code from running.
    """

    only: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[ID ...]")] = ()
    """Faults by id or file, `*` and `?` as in a shell (default: all)."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many at once."""
    seconds: float = 300.0
    """How long the tests of one fault may take."""

    def __call__(self) -> int:
        """Do it. Raises UserError for a table that does not fit the code, or tests that fail
        without any fault.
        """
        at_least(1, jobs=self.jobs, seconds=self.seconds)
        root, endings = find_root(Path.cwd()), Counter[Ending]()
        faults = load_faults(root).select(self.only)
        with copy_of(root) as sound:
            refuse_unsound(sound, faults)
        with ThreadPoolExecutor(self.jobs) as pool:
            outcomes = pool.map(lambda fault: outcome_of(root, fault, self.seconds), faults)
            for number, (fault, outcome) in enumerate(zip(faults, outcomes, strict=True), start=1):
                endings[outcome.ending] += 1
                say(f"[{number:3}/{len(faults)}] {fault.id:<34} {outcome}")
        say(
            f"{len(faults)} faults: "
            + ", ".join(f"{endings[ending]} {ending}" for ending in Ending if endings[ending])
        )
        return 1 if endings[Ending.SURVIVED] else 3 if endings[Ending.BROKEN] else 0


if __name__ == "__main__":
    sys.exit(run(Mutation))
