"""Write `constraints.sha256` anew after a change of `constraints.txt`: `python -m tools.pin`.

It lists the files of each pinned release, as the package index has them; `ams_suite.lock` reads it
when an environment is made.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import requests
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from ams_suite.lock import CHECKSUMS, LOCK, Pin, canonical, pins
from tools import run, say
from verdicts.errors import UserError
from verdicts.records.files import write_whole

HEAD = (
    "# The files of the releases in constraints.txt, as `sha256sum` lists them: reproduce.sh "
    "installs no other of a pinned\n# release. Left out: files for Windows, for platforms without "
    "torch and for Pythons below 3.11. Written by tools/pin.py.\n"
)
FILES = "application/vnd.pypi.simple.v1+json"
SECONDS = 60
# Files that no supported platform can use: torch has none for it, or it has no bash, or its Python
# is below 3.11.
UNUSED = re.compile(
    r"-(?:win32|win_amd64|win_arm64)\.whl$|(?:i686|ppc64le|s390x|armv7l|armv6l|riscv64|loongarch64)\.whl$|musllinux"
    r"|ios_|android_|emscripten|pyodide|wasm|-(?:pp|graalpy)\d|-cp3\d?-cp3\d?-|-cp310-cp310-|-cp3\d+-cp3\d+t-"
)


@dataclass(frozen=True)
class PinFiles:
    """Write constraints.sha256, as the index that pip asks (`PIP_INDEX_URL`) lists the files."""

    def __call__(self) -> int:
        """Do it. Raises UserError for an index that does not say enough."""
        lines = [*listing(pins(LOCK.read_text(encoding="utf-8")).values(), index_url())]
        write_whole(CHECKSUMS, HEAD + "".join(f"{line}\n" for line in lines))
        say(f"{CHECKSUMS.name}: {len(lines)} files")
        return 0


def index_url() -> str:
    """Return the address of the index that pip asks (`PIP_INDEX_URL`, pip's configuration, else the
    public one).
    """
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    address = (
        os.environ.get("PIP_INDEX_URL")
        or subprocess.run(command, capture_output=True, text=True).stdout.strip()
    )
    return (address or "https://pypi.org/simple").rstrip("/")


def listing(pinned: Iterable[Pin], index: str) -> Iterator[str]:
    """Yield lines of `sha256sum` for the files of each pinned release, in the order of the pins,
    then by name.

    Files that no supported platform can use are left out. Raises UserError for an index that does
    not answer, that has no such release or that gives no checksum.
    """
    for pin in pinned:
        try:
            answer = requests.get(
                f"{index}/{canonical(pin.name)}/", headers={"Accept": FILES}, timeout=SECONDS
            )
            files = {
                file["filename"]: file["hashes"].get("sha256") for file in answer.json()["files"]
            }
        except (requests.RequestException, KeyError) as error:
            raise UserError(f"{pin}: {index} has no list of its files: {error}") from error
        lines = [
            f"{files[name]}  {name}"
            for name in sorted(files)
            if is_of(name, pin) and not UNUSED.search(name)
        ]
        if not lines or any(line.startswith("None") for line in lines):
            raise UserError(
                f"{pin}: {index} has no file of it, or no sha256; ask another index (PIP_INDEX_URL)"
            )
        yield from lines


def is_of(file: str, pin: Pin) -> bool:
    """Return whether a file of an index, wheel or source, is one of the pinned release."""
    # parsing takes a hundred times as long
    if not canonical(file).startswith(f"{canonical(pin.name)}-"):
        return False
    try:
        name, version = (
            parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
        )
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return name == canonical(pin.name) and version == Version(pin.version)


if __name__ == "__main__":
    sys.exit(run(PinFiles))
