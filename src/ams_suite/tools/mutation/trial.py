"""One fault's trial: put into a copy of the repository, the tests asked, the copy mended.

The working tree is never touched. A fault is *caught* by a test that fails because of what it computes; one that only
keeps the code from running (a wrong name, a missing argument) or makes it hang proves nothing about the tests: it is
*broken*, and a defect of the table.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from ams_suite.tools.mutation.faults import Fault
from verdicts.errors import UserError
from verdicts.validation import Frozen

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "results", "build", "*.egg-info")
NOT_RUNNING = frozenset(
    {"NameError", "AttributeError", "ImportError", "ModuleNotFoundError", "SyntaxError", "TypeError"}
)
SURVIVED, FAILED = 0, 1  # pytest's exit codes; others are usage, collection or its own


class Ending(StrEnum):
    """What became of a fault."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    BROKEN = "broken"


class Outcome(Frozen):
    """`by` is the test that failed first, with the kind of its error in `how`, or why the trial tells nothing."""

    ending: Ending
    by: str = ""
    how: str = ""
    seconds: float = 0.0


class Copy:
    """A copy of the repository at `root`, in `folder`, whose code the tests there import."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = folder / "copy"
        shutil.copytree(root, self.root, ignore=LEFT_OUT)

    def refuse_other_tests(self) -> None:
        """Raise UserError where there is no pytest, or the copy's tests would import another installation."""
        lacking = [name for name in ("pytest", "hypothesis") if find_spec(name) is None]
        if lacking:
            raise UserError(f"mutate: {sys.executable} lacks {' and '.join(lacking)}: `bash reproduce.sh test` adds it")
        asked = [sys.executable, "-c", "import ams; print(ams.__file__)"]
        done = subprocess.run(
            asked, env=self._environment(), cwd=self.root, capture_output=True, text=True, check=False
        )
        if not Path(done.stdout.strip()).is_relative_to(self.root):
            raise UserError(f"mutate: tests of a copy would import {done.stdout.strip() or done.stderr.strip()}")

    def try_fault(self, fault: Fault, seconds: float) -> Outcome:
        """Put the fault in, ask its tests for at most `seconds`, take it out."""
        path = self.root / fault.file
        sound = path.read_text(encoding="utf-8")
        path.write_text(fault.put_into(self.root), encoding="utf-8")
        try:
            return self.ask(fault.asked(self.root), seconds)
        finally:
            path.write_text(sound, encoding="utf-8")

    def ask(self, tests: Sequence[str], seconds: float) -> Outcome:
        """Run the tests until the first that fails."""
        report = self.root.parent / "report.xml"
        report.unlink(missing_ok=True)
        begin = time.perf_counter()
        try:
            done = subprocess.run(
                _pytest(tests, report),
                cwd=self.root,
                env=self._environment(),
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(ending=Ending.BROKEN, how=f"no end within {seconds:g} s", seconds=seconds)
        outcome = judged(done.returncode, report, done.stdout)
        return outcome.model_copy(update={"seconds": round(time.perf_counter() - begin, 1)})

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.root / "src"), str(self.root)])
        alone = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1"}
        return os.environ | alone | {"PYTHONPATH": path}


def _pytest(tests: Sequence[str], report: Path) -> list[str]:
    """Return the command: no cache, of plugins Hypothesis's alone, no shrinking, and the same examples every time."""
    quiet = ["-x", "-q", "--tb=line", "--no-header", "-p", "no:cacheprovider", f"--junitxml={report}"]
    examples = ["-p", "_hypothesis_pytestplugin", "--hypothesis-profile=unshrunk", "--hypothesis-seed=0"]
    return [sys.executable, "-m", "pytest", *quiet, *examples, *tests]


def judged(code: int, report: Path, said: str) -> Outcome:
    """Return the outcome that pytest's exit code, its JUnit report and, failing that, its words amount to."""
    if code == SURVIVED:
        return Outcome(ending=Ending.SURVIVED)
    broken = Outcome(ending=Ending.BROKEN, how=f"pytest ended with {code}: {' '.join(said.split())[-200:]}")
    if code != FAILED or not report.is_file():
        return broken
    for case in ElementTree.parse(report).iter("testcase"):
        if (failure := case.find("failure")) is not None:
            kind = _kind(failure.get("message", ""))
            ending = Ending.BROKEN if kind in NOT_RUNNING else Ending.CAUGHT
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            return Outcome(ending=ending, by=name, how=kind)
    return broken


def _kind(message: str) -> str:
    """Return the error's class from pytest's message, which for a bare assertion is its expression."""
    first = message.partition(":")[0].split()
    return "AssertionError" if not first or first[0] == "assert" else first[0].rpartition(".")[2]
