"""What reproduce.sh asks: what a Python lacks, what a log tells, whether files are those that
the lock lists.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from packaging.version import Version

from ams_suite import environment, lock

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
def test_a_version_meets_a_requirement(
    monkeypatch, requirement: str, found: str, problem: str | None
) -> None:
    monkeypatch.setattr(environment, "version", lambda name: str(Version(found)))
    assert environment.unmet(requirement) == problem


def test_the_lowest_release_is_the_end_of_a_range() -> None:
    assert environment.lowest("rich>=13,<15") == "rich==13"
    assert environment.lowest("torch>=2.3") == "torch==2.3" and environment.lowest("x<2") is None
    assert environment.answer(["lowest", "test"]).count("==") > 10


def test_pips_copy_reads_requirements_where_packaging_is_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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


def test_an_address_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not environment.answers("http://127.0.0.1:9/")
    there = tmp_path / "page"
    there.touch()
    assert environment.answers(there.as_uri())
    monkeypatch.setattr(
        environment, "urlopen", lambda url, timeout: threading.Event().wait(60) or sys.exit()
    )
    assert not environment.answers("http://slow/", seconds=0.05)


def test_a_finished_environment_has_the_checkout_and_the_command(tmp_path: Path) -> None:
    place = tmp_path / 'it\'s $HOME "x"'
    site = place / f"lib/python3.{sys.version_info.minor}/site-packages"
    for folder in (place / "bin", site):
        folder.mkdir(parents=True)
    (place / "bin/python").write_text('#!/bin/sh\necho "$@"\n')
    (place / "bin/python").chmod(0o755)
    assert environment.answer(["finish", str(place)]) == ""
    assert (site / "ams-suite.pth").read_text().splitlines() == [
        f"{environment.ROOT}/src",
        str(environment.ROOT),
    ]
    done = subprocess.run(
        [place / "bin/ams", "run", "a b"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "-m ams_suite run a b\n"


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("[Errno 28] x\nensurepip is not available", "the disk is full"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "a folder cannot be written"),
        ("urllib3.exceptions.IncompleteRead: 5 bytes read, 7 more expected", "cannot be reached"),
        ("No module named 'ensurepip'", f"apt-get install python3.{sys.version_info.minor}-venv"),
        (
            (
                "Could not fetch URL http://x/: connection error: refused\nNo matching "
                "distribution found for y"
            ),
            "cannot be reached",
        ),
        (
            "ERROR: No matching distribution found for rich==15.0 (from x)",
            "no rich==15.0 for Python 3.",
        ),
        (
            "The user requested (constraint) rich==15.0\nERROR: ResolutionImpossible: for help",
            "no rich==15.0 for Python 3.",
        ),
        ("ERROR: ResolutionImpossible: for help", "the requirements conflict"),
        ("a\nERROR: something {new}\n \n", "it ended with: something {new}"),
        (
            (
                "1:46,578 ERROR: first\n1:46,579 ERROR: no such file\n1:46,580 "
                "Removed build tracker: '/x'\n"
            ),
            "it ended with: no such file",
        ),
        ("", "it ended without a word"),
    ],
)
def test_a_log_tells_its_cause(log: str, told: str) -> None:
    assert told in environment.cause(log)


def test_a_log_on_a_full_disk_is_cut_short_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.touch()
    assert environment.cause(environment.read(log)) == "it ended without a word"
    usage = shutil.disk_usage(tmp_path)._replace(free=2**20 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert environment.cause(environment.read(log)).startswith("the disk is full")


TEXT = "# head\nSmart_Open==7.7.1\ntorch>=2.3,<3\n\nwrapt == 2.5.2\n"
SHA = "ab" * 32


def report(*files: tuple[str, str, str, dict[str, object]]) -> dict[str, object]:
    return {
        "install": [
            {
                "metadata": {"name": name, "version": version},
                "download_info": {"url": f"https://index/x/{file}", "archive_info": archive},
            }
            for name, version, file, archive in files
        ]
    }


def test_pins_are_releases_by_canonical_name_and_ranges_are_left_out() -> None:
    assert {key: str(pin) for key, pin in lock.pins(TEXT).items()} == {
        "smart-open": "Smart_Open==7.7.1",
        "wrapt": "wrapt==2.5.2",
    }


@pytest.mark.parametrize(
    "line", ["nothing", f"{SHA} one-space.whl", f"{SHA.upper()}  x.whl", f"{SHA}  a b"]
)
def test_a_line_that_is_no_checksum_is_an_error(line: str) -> None:
    assert lock.checksums(f"# head\n{SHA}  x-1.whl\n") == {"x-1.whl": SHA}
    with pytest.raises(ValueError, match="not a sha256"):
        lock.checksums(line)


@pytest.mark.parametrize(
    ("name", "file", "archive", "differs"),
    [
        ("smart.open", "so-1.whl", {"hashes": {"sha256": SHA}}, False),
        ("smart_open", "so-1.whl", {"hash": f"sha256={SHA}"}, False),  # as pip 22 has it
        ("smart_open", "so-1.whl", {"hashes": {"sha256": "0" * 64}}, True),
        ("smart_open", "so-2.whl", {"hashes": {"sha256": SHA}}, True),
        ("smart_open", "so-1.whl", {}, True),
        ("torch", "t-1%2Bcpu.whl", {"hash": "sha256=0"}, False),
    ],
)
def test_files_of_pinned_distributions_are_held_against_the_list(
    name, file, archive, differs: bool
) -> None:
    found = lock.differing(report((name, "9", file, archive)), lock.pins(TEXT), {"so-1.whl": SHA})
    assert bool(found) is differs and all(f"{name} 9: {file}" in line for line in found)


def test_the_verdict_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(TEXT)
    (tmp_path / "sums").write_text(f"{SHA}  so-1.whl\n")
    told = tmp_path / "report.json"

    def verdict(**more: Path) -> str:
        return lock.verdict(
            told, **{"lock": tmp_path / "lock", "listing": tmp_path / "sums"} | more
        )

    assert "report.json cannot be read: No such file" in verdict()
    told.write_text(
        json.dumps(report(("wrapt", "1", "w.whl", {}), ("smart_open", "1", "s.whl", {})))
    )
    assert "in sums (and 1 more). Another index" in verdict() and "\n" not in verdict()
    told.write_text(json.dumps(report(("other", "1", "o.whl", {}))))
    assert verdict() == ""
    assert "cannot be read" in verdict(listing=tmp_path / "lock")
    for broken in ("[]", "{}", "{", '{"install": [{}]}'):
        told.write_text(broken)
        assert "cannot be read" in verdict()
