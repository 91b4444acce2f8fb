"""What a Python lacks, and what a log tells."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from packaging.version import Version

from ams_suite import environment

PROJECT = """
[project]
dependencies = ["torch>=2.3", "rich>=13 ; python_version < '3'"]
[project.optional-dependencies]
test = ["pytest>=8"]
bench = []
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(PROJECT)
    return path


def test_requirements_come_in_the_files_order(project: Path) -> None:
    base = ["torch>=2.3", "rich>=13 ; python_version < '3'"]
    assert environment.requirements(project=project) == base
    assert environment.requirements(["bench", "test"], project) == [*base, "pytest>=8"]


@pytest.mark.parametrize(
    ("requirement", "found", "problem"),
    [
        ("torch>=2.3", "2.13.0+cpu", None),
        ("torch>=2.3", "2.4.0a0+git1", None),
        ("torch>=2.3,<3", "2.1.0", "torch (2.1.0 found, <3,>=2.3 wanted)"),
        ("torch>=2.3 ; python_version < '3'", "1.0", None),
    ],
)
def test_a_version_meets_a_requirement(monkeypatch, requirement: str, found: str, problem: str | None) -> None:
    monkeypatch.setattr(environment, "version", lambda name: str(Version(found)))
    assert environment.unmet(requirement) == problem


def test_the_lowest_release_is_the_end_of_a_range() -> None:
    assert environment.lowest("rich>=13,<15") == "rich==13"
    assert environment.lowest("torch>=2.3") == "torch==2.3" and environment.lowest("x<2") is None
    assert environment.answer(["lowest", "test"]).count("==") > 10


def test_pips_copy_reads_requirements_where_packaging_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pip._vendor.packaging.requirements")
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert environment.parsed("torch>=2.3").name == "torch"


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Linux without an NVIDIA GPU, without settings of pip, where PyTorch's index answers."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(environment, "answers", lambda url: True)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("AMS_OFFLINE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_a_gpu_the_index_of_cpu_builds_is_named(without_gpu: pytest.MonkeyPatch) -> None:
    assert environment.index() == environment.CPU_INDEX
    for change in (
        lambda patch: patch.setenv("PIP_INDEX_URL", "https://mirror/simple"),  # the user's own
        lambda patch: patch.setenv("AMS_OFFLINE", "1"),
        lambda patch: patch.setattr(environment, "answers", lambda url: False),
        lambda patch: patch.setattr(sys, "platform", "darwin"),
        lambda patch: patch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi"),
    ):
        with without_gpu.context() as patch:
            change(patch)
            assert environment.index() == ""


def test_an_address_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not environment.answers("http://127.0.0.1:9/")
    there = tmp_path / "page"
    there.touch()
    assert environment.answers(there.as_uri())
    monkeypatch.setattr(environment, "urlopen", lambda url, timeout: threading.Event().wait(60) or sys.exit())
    assert not environment.answers("http://slow/", seconds=0.05)


def test_a_finished_environment_has_the_checkout_and_the_command(tmp_path: Path) -> None:
    place = tmp_path / 'it\'s $HOME "x"'
    site = place / f"lib/python3.{sys.version_info.minor}/site-packages"
    for folder in (place / "bin", site):
        folder.mkdir(parents=True)
    (place / "bin/python").write_text('#!/bin/sh\necho "$@"\n')
    (place / "bin/python").chmod(0o755)
    assert environment.answer(["finish", str(place)]) == ""
    assert (site / "ams-suite.pth").read_text().splitlines() == [f"{environment.ROOT}/src", str(environment.ROOT)]
    done = subprocess.run([place / "bin/ams", "law", "a b"], capture_output=True, text=True, check=True)
    assert done.stdout == "-m ams_suite law a b\n"


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "disk: the disk is full"),
        ("[Errno 28] x\nensurepip is not available", "disk: "),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "permission: a folder cannot be written"),
        ("urllib3.exceptions.IncompleteRead: 5 bytes read, 7 more expected", "network: "),
        ("No module named 'ensurepip'", f"apt-get install python3.{sys.version_info.minor}-venv"),
        ("Could not fetch URL http://x/: connection error: refused\nNo matching distribution found for y", "network: "),
        ("ERROR: No matching distribution found for rich==15.0 (from x)", "absent: no rich==15.0 for Python 3."),
        ("ERROR: ResolutionImpossible: for help", "conflict: the requirements conflict"),
        ("a\nERROR: something {new}\n \n", "unknown: it ended with: something {new}"),
        (
            "1:46,578 ERROR: first\n1:46,579 ERROR: no such file\n1:46,580 Removed build tracker: '/x'\n",
            "unknown: it ended with: no such file",
        ),
        ("", "unknown: it ended without a word"),
    ],
)
def test_a_log_tells_its_cause(log: str, told: str) -> None:
    assert told in ": ".join(environment.cause(log))


def test_a_log_on_a_full_disk_is_cut_short_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    assert environment.cause(environment.read(log))[0] == "unknown"
    usage = shutil.disk_usage(tmp_path)._replace(free=2**20 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert environment.cause(environment.read(log))[0] == "disk"
