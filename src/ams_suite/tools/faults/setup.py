"""Environments that cannot be made: the faults of `tests/shell`, tried by these tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from xml.etree import ElementTree

from ams_suite.tools.faults.fault import Bench, Try, fault

FOLDER = "tests/shell"


@fault("The package index lacks a package, cannot be reached, or pip cannot write; no index may be asked.", 0)
def index_without_package(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """`reproduce.sh` ends with 2, and a line that says what to do."""
    yield from _by_tests(bench, "index or pip_failures or offline or pins or disk")


@fault("The tool that makes environments, conda or mamba, fails, hangs, cannot solve, or lacks a package.", 0)
def broken_conda(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """`reproduce.sh` says so in a line, and goes on with pip."""
    yield from _by_tests(bench, "conda")


@fault("Python is too old, missing, without venv, or no Python at all.", 0)
def broken_python(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """`reproduce.sh` ends with 2, or takes another one."""
    yield from _by_tests(bench, "python or venv")


@fault("The making of an environment is killed, fails, or is begun twice at once.", 0)
def unfinished_environment(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The next run makes it."""
    yield from _by_tests(bench, "killed or two_at_once or failed_update or unfinished or moved or gone")


@fault("The checkout is read-only, has an odd name, a link leads to it; its place for environments is another's.", 0)
def odd_checkout(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """`reproduce.sh` finds another place, or says in a line what to do."""
    yield from _by_tests(bench, "test_places")


def _by_tests(bench: Bench, chosen: str) -> Iterator[Try]:
    """Run the tests whose names fit, and yield a try for each."""
    report = bench.work / "report.xml"
    report.unlink(missing_ok=True)
    quiet = ["-q", "--tb=line", "--no-header", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *quiet, "-k", chosen, FOLDER]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=bench.repository, env=environment, capture_output=True, text=True, check=False)
    cases = list(ElementTree.parse(report).iter("testcase")) if report.is_file() else []
    if not cases:
        yield Try(FOLDER, None, skipped=f"pytest ended with {done.returncode}")
    for case in cases:
        wrong = [each.get("message", "") for kind in ("failure", "error") for each in case.iter(kind)]
        missed = next((each.get("message", "") for each in case.iter("skipped")), "")
        yield Try(str(case.get("name")), None, tuple(line.splitlines()[0][:200] for line in wrong if line), missed)
