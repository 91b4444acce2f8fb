"""The patches of docs/finds, tried on the code that is here: a patch's tests fail before it mends,
and pass after.

Their form is that of `survey.conformance.defects`. A module that is imported and not used has every
name, `__init__.py` none.
"""

import io
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ams.data.files import fetch
from ams.data.registry import CODE
from ams.errors import DataUnavailable
from survey import sources
from survey.conformance.defects import FINDS, read_patch

PATCHES = sorted(FINDS.glob("*.patch"))
STAND_IN = (
    "from unittest.mock import MagicMock\n\n\ndef __getattr__(name):\n    return MagicMock()\n"
)
TOOLS = {"patch": ("-p1", "--batch", "--fuzz=0"), "git": ("apply",)}
# Ten seconds of each import of a library are of these modules; each process starts as a copy of one
# that has them.
HEAVY = "torch._dynamo torchvision scipy.signal scipy.stats matplotlib.pyplot sklearn.metrics"
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["pytest", *HEAVY.split(), __name__])
TOOL = next((tool for tool in TOOLS if shutil.which(tool)), "")


def copied(source: str, path: Path, project: str) -> str:
    """Copy what `source` names to a path, and return its version; nothing names a stand-in. Raises
    if missing.
    """
    if not source:
        path.write_text("" if path.name == "__init__.py" else STAND_IN)
        return ""
    if source in CODE:
        shutil.copy(fetch(source), path)
        return sources.version(source)
    if source in sources.COMMITS:
        shutil.copytree(sources.folder(source), path, dirs_exist_ok=True)
        return sources.COMMITS[source][:8]
    installed = distribution(project)
    shutil.copytree(str(installed.locate_file(source)), path)
    return installed.version


def lay_out(root: Path, project: str, release: str, places: str) -> None:
    """Copy the code to its places in the repository. Skips the test where it is missing or of
    another version.
    """
    for place, source in (each.split("=") for each in places.split()):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        try:
            here = copied(source, root / place, project)
        except (DataUnavailable, PackageNotFoundError) as missing:
            pytest.skip(f"not run: {missing}")
        if source and here != release:
            pytest.skip(f"not run: {project} {here} is here, the patch is of {release}")


def apply(diffs: Iterable[str], root: Path) -> None:
    """Apply diffs to the repository, each hunk where its three lines of context are."""
    subprocess.run([TOOL, *TOOLS[TOOL]], input="".join(diffs), cwd=root, text=True, check=True)


def report(tests: list[str], root: Path) -> None:
    """Run a patch's tests on the modules laid out at `root`, and write report.xml there; called in
    a new process.
    """
    os.chdir(root)
    sys.path[:0] = [str(root / "src"), str(root)]
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]  # the repository may have a package of that name
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with redirect_stdout(io.StringIO()):
        pytest.main(
            [
                "-c",
                os.devnull,
                "--rootdir=.",
                "-p",
                "no:cacheprovider",
                "--junitxml=report.xml",
                *tests,
            ]
        )


def run(tests: list[str], root: Path) -> tuple[int, list[str]]:
    """Return how many tests pass, and the first words of each failure or error."""
    process = SERVER.Process(target=report, args=(tests, root), daemon=True)
    process.start()
    process.join(600)
    assert process.exitcode == 0
    written = ElementTree.parse(root / "report.xml")
    failures = [
        failure.get("message", "")
        for kind in ("failure", "error")
        for failure in written.iter(kind)
    ]
    return len(list(written.iter("testcase"))) - len(failures), failures


def test_each_find_has_a_patch() -> None:
    """With a header that names its page, a new test, and a link on the page."""
    assert {patch.stem for patch in PATCHES} == {page.stem for page in FINDS.glob("*.md")} - {
        "README"
    }
    for patch in PATCHES:
        header, _, tests = read_patch(patch)
        assert tests and f"({patch.name})" in (FINDS / header[4]).read_text(), patch.name


@pytest.mark.skipif(not TOOL, reason="not run: neither patch nor git is installed")
@pytest.mark.slow
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_mends_what_its_tests_show(patch: Path, tmp_path: Path) -> None:
    header, diffs, tests = read_patch(patch)
    lay_out(tmp_path, *header.groups()[:3])
    # of old tests none is laid out
    mends = [diff for path, diff in diffs.items() if (tmp_path / path).exists()]
    apply((diffs[path] for path in tests), tmp_path)
    passed, failed = run(tests, tmp_path)
    assert (
        not passed
        and failed
        and all(why.startswith(("assert", "Assertion", "Failed: ")) for why in failed)
    ), failed
    apply(mends, tmp_path)
    passed, failed = run(tests, tmp_path)
    assert passed and not failed, failed
