"""Reading of untrusted bytes: faults become one line, and no container inflates beyond a bound.

Everything is read in memory, never unpacked to a folder. Parsers raise ValueError with the reason;
`guarded` around them adds the place and the advice.
"""

import errno
import io
import os
import pickletools
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ams.errors import UserError

_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
LARGEST = 2**28
"""The most bytes of a file, inflated, unless its reader has another bound."""


@contextmanager
def guarded(where: str, what: str) -> Iterator[None]:
    """Turn any exception of a parser into a UserError, one line: `where`, not `what` is wanted, the
    reason, the advice.

    Damaged bytes make parsers raise ValueError, zlib.error, KeyError, MemoryError, RecursionError
    and others. The reason has printable characters only, so that a file cannot control a terminal.
    """
    try:
        yield
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
        reason = (
            text
            if isinstance(error, ValueError) and text
            else f"{type(error).__name__} {text}".strip()
        )
        raise UserError(f"{where}: not {what} ({reason}); replace it by the original") from None


def bytes_of(path: Path, largest: int) -> bytes:
    """Return a regular file's bytes. Raises OSError for one that cannot be read, and for more than
    `largest` bytes.
    """
    # A pipe that nobody writes to would keep an ordinary `open` waiting
    with open(
        path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)
    ) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(
                errno.EINVAL, "it is a pipe, a socket or a device: name a regular file", str(path)
            )
        if status.st_size > largest:
            raise OSError(
                errno.EFBIG, f"more than the {largest >> 20} MiB that such a file has", str(path)
            )
        return stream.read(status.st_size)


def content_of(path: Path, largest: int) -> bytes:
    """Return a file's bytes. Raises UserError for a file that cannot be read and for more than
    `largest` bytes.
    """
    try:
        return bytes_of(path, largest)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def inflated(content: bytes, largest: int = LARGEST) -> bytes:
    """Return the content of a gzip stream of one member. Raises ValueError for damage and more than
    `largest` bytes.
    """
    stream = zlib.decompressobj(wbits=31)
    data = stream.decompress(content, largest + 1)
    if len(data) > largest:
        raise ValueError(f"inflates to more than the {largest} bytes allowed")
    if not stream.eof or stream.unused_data:
        raise ValueError("the gzip stream is cut short or other bytes follow it")
    return data


def entries(content: bytes, largest: int = LARGEST) -> dict[str, bytes]:
    """Return the contents of a zip archive's entries by name, with their checksums verified.

    Raises ValueError for more than `largest` bytes together, by the directory or in fact, and for a
    repeated name; whatever zipfile raises for damage passes through.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        listed = archive.infolist()
        size = sum(entry.file_size for entry in listed)
        if size > largest:
            raise ValueError(f"holds {size >> 20} MiB, more than the {largest >> 20} allowed")
        if len({entry.filename for entry in listed}) < len(listed):
            raise ValueError("two entries have the same name")
        contents = {}
        for entry in listed:
            with archive.open(entry) as stream:
                # and no more than the directory claims
                data = contents[entry.filename] = stream.read(entry.file_size)
            if len(data) != entry.file_size:
                raise ValueError(f"the entry {entry.filename[:60]!r} is cut short")
        return contents


def pickled(content: bytes) -> bytes:
    """Return a pickle as it is. Raises ValueError for one that puts an object at a place beyond its
    own length.

    Python's reader allocates all places up to the one that is asked for: 25 bytes can ask for
    gigabytes.
    """
    for opcode, place, _ in pickletools.genops(content):
        if opcode.name in _PUTS and int(place or 0) > len(content):
            raise ValueError(f"it has {len(content)} bytes and asks for a memo of {place} places")
    return content
