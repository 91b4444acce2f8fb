"""One fault's trial: put into a copy of the repository, the tests asked, the copy mended.

The working tree is never touched. A fault is *caught* by a test that fails because of what it computes; one that only
keeps the code from running (a wrong name, a missing argument) or makes it hang proves nothing about the tests: it is
*broken*, and a defect of the table.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree

from tools.mutation.table import Fault
from verdicts.errors import UserError

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "results", "build", "*.egg-info")
NOT_RUNNING = frozenset(
    {"NameError", "AttributeError", "ImportError", "ModuleNotFoundError", "SyntaxError", "TypeError"}
)
SOUND_SECONDS = 600.0
SURVIVED, FAILED = 0, 1  # pytest's exit codes; others are usage, collection or its own


class Ending(StrEnum):
    """What became of a fault."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    BROKEN = "broken"


class Outcome(NamedTuple):
    """`by` is the test that failed first, with the kind of its error in `how`, or why the trial tells nothing."""

    ending: Ending
    by: str = ""
    how: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.ending, f"by {self.by}" * bool(self.by), f"({self.how})" * bool(self.how)]))


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
    """Put a fault into a copy, ask its tests for at most `seconds`, and return what became of it."""
    with copy_of(root) as copy:
        (copy / fault.file).write_text(fault.put_into(root), encoding="utf-8")
        return asked(copy, fault.asked(root), seconds)


def asked(copy: Path, tests: Sequence[str], seconds: float) -> Outcome:
    """Run tests of a copy, on its code with one thread, until the first that fails.

    No cache, no plugin but Hypothesis's, no shrinking, the same examples every time, and none left out by its mark.
    """
    report = copy.with_name("report.xml")
    quiet = ["-x", "-q", "--tb=line", "--no-header", "-m", "", "-p", "no:cacheprovider", f"--junitxml={report}"]
    examples = ["-p", "_hypothesis_pytestplugin", "--hypothesis-profile=unshrunk", "--hypothesis-seed=0"]
    command = [sys.executable, "-m", "pytest", *quiet, *examples, *tests]
    alone = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1"}
    environment = os.environ | alone | {"PYTHONPATH": os.pathsep.join([str(copy / "src"), str(copy)])}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return Outcome(Ending.BROKEN, how=f"no end within {seconds:g} s")
    return judged(done.returncode, report, done.stdout + done.stderr)


def judged(code: int, report: Path, said: str) -> Outcome:
    """Return the outcome that pytest's exit code, its JUnit report and, failing that, its words amount to."""
    if code == SURVIVED:
        return Outcome(Ending.SURVIVED)
    broken = Outcome(Ending.BROKEN, how=f"pytest ended with {code}: {' '.join(said.split())[-200:]}")
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
    """Return the error's class from pytest's message, which for a bare assertion is its expression."""
    first = message.partition(":")[0].split()
    return "AssertionError" if not first or first[0] == "assert" else first[0].rpartition(".")[2]
