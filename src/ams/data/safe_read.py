"""Bytes that nobody vouches for: faults become one line, and no container inflates beyond a bound.

Everything here works in memory: nothing is ever unpacked to a folder, so no name in an archive can lead anywhere.
Functions that parse raise ValueError with the reason; `guarded`, around them, adds the place and the advice.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ams.errors import UserError

LARGEST = 2**28
"""Bytes that a file may hold once inflated, unless its reader says otherwise."""


@contextmanager
def guarded(where: str, what: str) -> Iterator[None]:
    """Turn any fault within into an UserError: `where` it is, that it is not `what` is wanted, why, what to do.

    A parser of damaged bytes raises whatever it meets first: ValueError, zlib.error, KeyError, MemoryError,
    RecursionError. The reason is given in printable characters: a file may write to no terminal either.
    """
    try:
        yield
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
        reason = text if isinstance(error, ValueError) and text else f"{type(error).__name__} {text}".strip()
        raise UserError(f"{where}: not {what} ({reason}); replace it by the original") from None


def bytes_of(path: Path, largest: int) -> bytes:
    """Return a file's bytes, of which at most `largest` are read. Raises OSError, for more bytes too.

    Room is made for what the file says it has; a pipe, a device or a file that grows says less than it gives.
    """
    with path.open("rb") as stream:
        said = min(os.fstat(stream.fileno()).st_size, largest)
        content = stream.read(said + 1)
        if len(content) > said:
            content += stream.read(largest - said)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"more than the {largest >> 20} MiB that such a file has", str(path))
    return content


def content_of(path: Path, largest: int) -> bytes:
    """Return a file's bytes as `bytes_of` does. Raises UserError for more than `largest`, or no reading."""
    try:
        return bytes_of(path, largest)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def inflated(content: bytes, largest: int = LARGEST) -> bytes:
    """Return what a gzip stream of one member holds. Raises ValueError beyond `largest` bytes, or for damage."""
    machine = zlib.decompressobj(wbits=31)
    data = machine.decompress(content, largest + 1)
    if len(data) > largest:
        raise ValueError(f"inflates to more than the {largest} bytes allowed")
    if not machine.eof or machine.unused_data:
        raise ValueError("the gzip stream is cut short or other bytes follow it")
    return data


def entries(content: bytes, largest: int = LARGEST) -> dict[str, bytes]:
    """Return the contents of a zip archive's entries by name, their checksums verified.

    Raises ValueError for entries that hold more than `largest` bytes together, by their own claim or in fact, for a
    name given twice, one that would lead out of a folder, a link; and whatever zipfile raises for damage.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        listed = archive.infolist()
        size = sum(entry.file_size for entry in listed)
        if size > largest:
            raise ValueError(f"holds {size >> 20} MiB, more than the {largest >> 20} allowed")
        if len({entry.filename for entry in listed}) < len(listed):
            raise ValueError("two entries have the same name")
        return {_confined(entry): _entry(archive, entry) for entry in listed}


def _confined(entry: zipfile.ZipInfo) -> str:
    """Return the entry's name. Raises ValueError for one that names a place outside, or a link."""
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
        raise ValueError(f"the entry {entry.filename[:60]!r} leads out of the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ValueError(f"the entry {entry.filename[:60]!r} is a link")
    return entry.filename


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return an entry's bytes; read to the size it claims, so one that claims less than it holds inflates no more."""
    with archive.open(entry) as stream:
        data = stream.read(entry.file_size)
    if len(data) != entry.file_size:
        raise ValueError(f"the entry {entry.filename[:60]!r} is cut short")
    return data
