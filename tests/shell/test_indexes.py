"""A real pip with indexes that are served here: what a hostile one gives is refused before
anything of it runs.
"""

import functools
import hashlib
import io
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.shell

PROJECT = """
[project]
dependencies = ["torch>=2", "tiny>=0.5"]
[project.optional-dependencies]
suite = []
molecules = []
"""


def wheel(folder: Path, name: str, version: str, modules: Mapping[str, str] | None = None) -> Path:
    """Write a wheel with these files into an index."""
    about = f"{name}-{version}.dist-info"
    texts = {
        **(modules or {f"{name}.py": ""}),
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    path = folder / name.replace("_", "-") / f"{name}-{version}-py3-none-any.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in texts.items():
            archive.writestr(place, text)
    return path


def source(folder: Path, name: str, code: str) -> Path:
    """Write an archive with this setup.py into an index."""
    path = folder / name.replace("_", "-") / f"{name}-1.0.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for file, text in (
            ("setup.py", code),
            ("PKG-INFO", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"),
        ):
            entry = tarfile.TarInfo(f"{name}-1.0/{file}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def index(with_real_pip, tmp_path: Path) -> Iterator[Path]:
    """Serve two indexes, `simple` and `torch`, of what a small project needs and pins; return
    their folder.
    """
    folder = tmp_path / "indexes"
    pinned = [
        wheel(folder / "simple", "tiny", "1.0"),
    ]
    wheel(folder / "torch", "torch", "2.9+cpu")
    root = with_real_pip.root
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "constraints.txt").write_text("tiny==1.0\ntorch>=2,<3\n")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in pinned]
    (root / "constraints.sha256").write_text("".join(lines))
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with_real_pip.variables |= {"PIP_INDEX_URL": f"{address}/simple", "TORCH": f"{address}/torch"}
    yield folder
    server.shutdown()
    server.server_close()


def installed(checkout) -> set[str]:
    """Return the distributions of the environment that was made."""
    site = checkout.venv / f"lib/python3.{sys.version_info.minor}/site-packages"
    return {path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")}


def refusal(checkout) -> str:
    """Return the line with which a set-up ends; nothing of it is used."""
    done = checkout.run("--profile", "quick")
    assert done.code == 2 and done.out == "" and not (checkout.venv / ".ams-suite").exists()
    return done.err.splitlines()[-1]


def test_listed_files_are_installed_and_torch_from_its_own_index(
    with_real_pip, index: Path
) -> None:
    """What else lies in torch's index, though later than a pin or unpinned, is not taken."""
    wheel(index / "torch", "tiny", "1.0", {"tiny.py": "of torch's index"})
    done = with_real_pip.run("--profile", "quick")
    assert done.code == 0, done.err
    assert {"tiny-1.0", "torch-2.9+cpu"} <= installed(with_real_pip)


def planted(tmp_path: Path) -> tuple[Path, str]:
    """Return a file that is not there, and code that makes it."""
    canary = tmp_path / "canary"
    return canary, f"import pathlib; pathlib.Path({str(canary)!r}).touch()\n"


@pytest.mark.parametrize("what", ["archive for a wheel", "wheel"])
def test_nothing_of_another_file_runs_before_it_is_refused(
    with_real_pip, index: Path, tmp_path: Path, what: str
) -> None:
    canary, act = planted(tmp_path)
    if what == "wheel":
        wheel(index / "simple", "tiny", "1.0", {"tiny.pth": act})
        wanted = (
            "a file is not the one that was pinned: tiny 1.0: tiny-1.0-py3-none-any.whl has sha256"
        )
    else:
        (index / "simple/tiny/tiny-1.0-py3-none-any.whl").unlink()
        source(index / "simple", "tiny", act)
        wanted = "no tiny==1.0 for Python 3."
    assert wanted in refusal(with_real_pip)
    assert not canary.exists()


def test_a_release_that_the_index_withholds_is_named(with_real_pip, index: Path) -> None:
    (index / "simple/tiny/tiny-1.0-py3-none-any.whl").unlink()
    wheel(index / "simple", "tiny", "0.9")
    assert "no tiny==1.0 for Python 3." in refusal(with_real_pip)
    done = with_real_pip.run("--profile", "quick", AMS_RANGES="1")
    assert done.code == 0 and "tiny-0.9" in installed(with_real_pip), done.err
