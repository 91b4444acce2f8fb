"""Environments that cannot be made: the faults of `tests/shell`, tried by these tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from random import Random
from xml.etree import ElementTree

from ams_suite.tools.faults.fault import Bench, Try, add
from verdicts.errors import UserError

FOLDER = "tests/shell"


CHOSEN = {
    "index-without-package": (
        "The package index lacks a package, cannot be reached, or pip cannot write; no index may be asked.",
        "index or pip_failures or offline or pins or disk",
    ),
    "broken-conda": (
        "The tool that makes environments, conda or mamba, fails, hangs, cannot solve, or lacks a package.",
        "conda",
    ),
    "broken-python": ("Python is too old, missing, without venv, or no Python at all.", "python or venv"),
    "unfinished-environment": (
        "The making of an environment is killed, fails, or is begun twice at once.",
        "killed or two_at_once or failed_update or unfinished or moved or gone",
    ),
    "odd-checkout": (
        "The checkout is read-only, has an odd name, a link leads to it; its place for environments is another's.",
        "test_places",
    ),
}
"""What is done, and the tests (pytest's -k) that do it: each says what `reproduce.sh` is to say then, and its code."""


def _by_tests(bench: Bench, moments: Random, tries: int, *, chosen: str) -> Iterator[Try]:
    """Run the tests whose names fit, and yield a try for each. Raises UserError without pytest."""
    if find_spec("pytest") is None:
        raise UserError("faults: pytest is not installed, which tries the set-up: run `bash reproduce.sh test` first")
    report = bench.work / "report.xml"
    report.unlink(missing_ok=True)
    quiet = ["-q", "--tb=line", "--no-header", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *quiet, "-k", chosen, FOLDER]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=bench.repository, env=environment, capture_output=True, text=True, check=False)
    cases = list(ElementTree.parse(report).iter("testcase")) if report.is_file() else []
    if not cases or done.returncode not in (0, 1):
        yield Try(FOLDER, None, (f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-200:].strip()}",))
    for case in cases:
        wrong = [each.get("message") or kind for kind in ("failure", "error") for each in case.iter(kind)]
        missed = next((each.get("message", "") for each in case.iter("skipped")), "")
        yield Try(str(case.get("name")), None, tuple(line.splitlines()[0][:200] for line in wrong), missed)


for _name, (_what, _tests) in CHOSEN.items():
    add(_name, _what, partial(_by_tests, chosen=_tests))
