"""What a package index says of the pinned releases: the checksums of their files (PEP 691), and known advisories."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from ams_suite.lock import Pin, canonical
from verdicts.errors import UserError

FILES = "application/vnd.pypi.simple.v1+json"
SECONDS = 60
# Files that no supported platform can use: torch has none for it, or it has no bash, or its Python is below 3.11.
UNUSED = re.compile(
    r"-(?:win32|win_amd64|win_arm64)\.whl$|(?:i686|ppc64le|s390x|armv7l|armv6l|riscv64|loongarch64)\.whl$|musllinux"
    r"|ios_|android_|emscripten|pyodide|wasm|-(?:pp|graalpy)\d|-cp3\d?-cp3\d?-|-cp310-cp310-|-cp3\d+-cp3\d+t-"
)


class Advisory(NamedTuple):
    """A known weakness of a pinned release: its id, the releases that mend it, and a summary."""

    pin: Pin
    id: str
    mended_in: tuple[str, ...]
    summary: str

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "not mended"
        return f"{self.pin}: {self.id}, {mended}: {' '.join(self.summary.split())[:120]}"


def index_url() -> str:
    """Return the address of the index that pip asks (`PIP_INDEX_URL`, pip's configuration, else the public one)."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    address = os.environ.get("PIP_INDEX_URL") or subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return (address or "https://pypi.org/simple").rstrip("/")


def listing(pins: Iterable[Pin], index: str) -> Iterator[str]:
    """Yield lines of `sha256sum` for the files of each pinned release, in the order of the pins, then by name.

    Files for platforms without torch, for Windows and for Pythons below 3.11 are left out. Raises UserError for an
    index that does not answer, that has no such release or that gives no checksum.
    """
    for pin in pins:
        try:
            answer = _asked(f"{index}/{canonical(pin.name)}/", FILES)
            files = {file["filename"]: file["hashes"].get("sha256") for file in answer["files"]}
        except (HTTPError, KeyError, ValueError) as error:
            raise UserError(f"{pin}: {index} has no list of its files: {error}") from error
        lines = [f"{files[name]}  {name}" for name in sorted(files) if is_of(name, pin) and not UNUSED.search(name)]
        if not lines or any(line.startswith("None") for line in lines):
            raise UserError(f"{pin}: {index} has no file of it, or no sha256; ask another index (PIP_INDEX_URL)")
        yield from lines


def is_of(file: str, pin: Pin) -> bool:
    """Return whether a file of an index, wheel or source, is one of the pinned release."""
    if not canonical(file).startswith(f"{canonical(pin.name)}-"):  # parsing takes a hundred times as long
        return False
    try:
        name, version = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return name == canonical(pin.name) and version == Version(pin.version)


def advisories(pins: Iterable[Pin], index: str) -> tuple[list[Advisory], list[Pin]]:
    """Return the index's advisories on the pinned releases (`vulnerabilities` of its JSON), and the pins without any.

    Those without are of releases that the index lacks, or of an index that has no advisories at all. Raises UserError
    for an index that does not answer.
    """
    base, weaknesses, silent = index.removesuffix("/simple"), list[Advisory](), list[Pin]()
    for pin in pins:
        try:
            answer = _asked(f"{base}/pypi/{canonical(pin.name)}/{pin.version}/json", "application/json")
            known = answer["vulnerabilities"]
        except (HTTPError, KeyError, ValueError):
            silent.append(pin)
            continue
        weaknesses += [
            Advisory(
                pin, each["id"], tuple(each.get("fixed_in") or ()), each.get("summary") or each.get("details") or ""
            )
            for each in known
            if not each.get("withdrawn")
        ]
    return weaknesses, silent


def _asked(address: str, form: str) -> dict[str, Any]:
    try:
        with urlopen(Request(address, headers={"Accept": form}), timeout=SECONDS) as answer:
            return dict(json.load(answer))
    except HTTPError:
        raise
    except (URLError, TimeoutError) as error:
        raise UserError(f"{address} does not answer ({error}); ask another index (PIP_INDEX_URL)") from error
