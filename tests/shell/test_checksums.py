"""A pinned release is installed from a file that the lock lists, or the set-up stops."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tests.shell.test_faults import complaint

pytestmark = pytest.mark.shell


def reported(name: str, version: str, file: str, sha256: str) -> str:
    """What pip reports of one installed file."""
    place = {"url": f"https://index/{file}", "archive_info": {"hash": f"sha256={sha256}"}}
    return json.dumps({"install": [{"metadata": {"name": name, "version": version}, "download_info": place}]})


ALTERED = reported("rich", "15.0.0", "rich-15.0.0-py3-none-any.whl", "0" * 64)


def test_a_pinned_release_from_another_file_stops_the_set_up(checkout) -> None:
    said = complaint(checkout.run(PIP_REPORT=ALTERED))
    assert said.startswith("the environment is not used, since a file is not the one that was pinned: rich 15.0.0: ")
    assert "ranges" not in said and len(checkout.pip_calls) == 1 and not (checkout.venv / ".ams-suite").exists()
    assert checkout.run().code == 0 and len(checkout.pip_calls) == 2  # made anew


def test_an_extra_from_another_file_stops_the_run(checkout) -> None:
    assert checkout.run().code == 0
    assert "rich 15.0.0" in complaint(checkout.run("--profile", "paper", PIP_REPORT=ALTERED, LACKING="paper"))
    assert not (checkout.venv / ".ams-suite").exists()


def test_pips_own_report_is_read(with_real_pip, tmp_path: Path) -> None:
    """A wheel from a folder, pinned with its checksum: a real pip installs it, and its report tells the same."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    root = with_real_pip.root
    (root / "constraints.txt").write_text("tiny==1.0\n")
    (root / "constraints.sha256").write_text(f"{sha256}  {wheel.name}\n")
    extras = "suite = []\nmolecules = []\n"
    (root / "pyproject.toml").write_text(
        f'[project]\ndependencies = ["tiny>=1"]\n[project.optional-dependencies]\n{extras}'
    )
    done = with_real_pip.run("--profile", "quick", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.code == 0, done.err
