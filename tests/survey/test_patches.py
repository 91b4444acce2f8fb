"""The patches of docs/finds, tried on the code that is here: a patch's tests fail before it mends, and pass after.

A patch opens with four lines, which `patch` and `git apply` pass over, and a blank one:

    Project: NAME VERSION, PLACE=SOURCE ...
    License: SPDX, ADDRESS
    Mends: one sentence.
    Find: PAGE.md

PLACE is a path in the project's repository. SOURCE is what lies there: an installed package (of the distribution NAME),
a registered file, a repository of `$AMS_DATA/code/more`, or nothing for a module that is imported and not used.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ams.data.files import fetch
from ams.data.registry import CODE
from ams.errors import DataUnavailable
from survey.by_file import registered
from survey.more import repository

FINDS = Path(__file__).parents[2] / "docs/finds"
PATCHES = sorted(FINDS.glob("*.patch"))
HEADER = re.compile(
    r"Project: (\S+) (\S+), (.+)\nLicense: \S+, https://\S+\nMends: .+\.\nFind: (\S+\.md)\n\n(diff --git .+)", re.DOTALL
)
TEST = re.compile(r"diff --git a/(\S*\btest_\w+\.py) b/\1\nnew file mode 100644\n")
TOOLS = {"patch": ("-p1", "--batch", "--fuzz=0"), "git": ("apply",)}
TOOL = next((tool for tool in TOOLS if shutil.which(tool)), "")


def copied(source: str, path: Path, distribution: str) -> str:
    """Copy what `source` names to a path, and return its version. Raises where it is missing."""
    if source in CODE:
        shutil.copy(fetch(source), path)
        return registered.version(source)
    if source in repository.REPOSITORIES:
        shutil.copytree(repository.folder(source), path, dirs_exist_ok=True)
        return repository.REPOSITORIES[source].commit[:8]
    release, spec = version(distribution), find_spec(source)
    assert spec is not None and spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, path)
    return release


def lay_out(root: Path, project: str, release: str, places: str) -> None:
    """Copy the code to its places in the repository. Skips the test where it is missing or of another version."""
    for place, source in (each.split("=") for each in places.split()):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        if not source:
            (root / place).write_text("")
            continue
        try:
            here = copied(source, root / place, project)
        except (DataUnavailable, PackageNotFoundError) as missing:
            pytest.skip(f"not run: {missing}")
        if here != release:
            pytest.skip(f"not run: {project} {here} is here, the patch is of {release}")


def apply(diffs: list[str], root: Path) -> None:
    """Apply diffs to the repository, each hunk where its three lines of context are."""
    ceiling = os.environ | {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    subprocess.run([TOOL, *TOOLS[TOOL]], input="".join(diffs), cwd=root, env=ceiling, text=True, check=True)


def run(tests: list[str], root: Path) -> tuple[int, list[str]]:
    """Return how many tests pass, and the first words of each failure or error."""
    path = os.pathsep.join([str(root / "src"), str(root), os.environ.get("PYTHONPATH", "")])
    options = ("-q", "-c", os.devnull, "--rootdir=.", "-p", "no:cacheprovider", "--junitxml=report.xml")
    command = [sys.executable, "-m", "pytest", *options, *tests]
    subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": path}, capture_output=True, timeout=600)
    report = ElementTree.parse(root / "report.xml")
    failures = [failure.get("message", "") for kind in ("failure", "error") for failure in report.iter(kind)]
    return len(list(report.iter("testcase"))) - len(failures), failures


def test_each_find_has_a_patch() -> None:
    """With a header that names its page, at least one test in a new file, and a link on the page."""
    assert {patch.stem for patch in PATCHES} == {page.stem for page in FINDS.glob("*.md")} - {"README"}
    for patch in PATCHES:
        header = HEADER.fullmatch(patch.read_text())
        assert header is not None and TEST.search(header[5]), patch.name
        assert f"({patch.name})" in (FINDS / header[4]).read_text(), patch.name


@pytest.mark.skipif(not TOOL, reason="not run: neither patch nor git is installed")
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_mends_what_its_tests_show(patch: Path, tmp_path: Path) -> None:
    header = HEADER.fullmatch(patch.read_text())
    assert header is not None
    lay_out(tmp_path, *header.groups()[:3])
    diffs = re.split(r"^(?=diff --git )", header[5], flags=re.MULTILINE)[1:]
    tests = [match[1] for diff in diffs if (match := TEST.match(diff))]
    apply([diff for diff in diffs if TEST.match(diff)], tmp_path)
    passed, failures = run(tests, tmp_path)
    assert not passed and failures and all(why.startswith(("assert", "Assertion", "Failed: ")) for why in failures), failures
    apply([diff for diff in diffs if not TEST.match(diff)], tmp_path)
    passed, failures = run(tests, tmp_path)
    assert passed and not failures, failures
