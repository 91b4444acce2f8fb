"""Bytes of files that may be anything: of regular files alone, no more than stated, unpacked
too.
"""

import errno
import json
import lzma
import os
import stat
from pathlib import Path
from typing import Any

LARGEST = 2**26
"""The most bytes of a file of results or of kept cells, unpacked: seven times the largest yet."""
LARGEST_TEXT = 2**20
"""The most bytes of a file that people write: ten times the largest that there is."""


def bytes_of(path: Path, largest: int = LARGEST) -> bytes:
    """Return a regular file's bytes.

    Raises OSError for one that cannot be read, that is none, and for more than `largest` bytes.
    """
    with open(path, "rb", opener=_at_once) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            reason = "it is a pipe, a socket or a device: a regular file is expected"
            raise OSError(errno.EINVAL, reason, str(path))
        content = stream.read(largest + 1) if status.st_size <= largest else b""
        if max(len(content), status.st_size) > largest:
            reason = f"it has more than {largest >> 20} MiB: a file of this kind is smaller"
            raise OSError(errno.EFBIG, reason, str(path))
        return content


def _at_once(name: str, flags: int) -> int:
    """Open a file without waiting: for somebody who writes to a pipe."""
    return os.open(name, flags | os.O_NONBLOCK)


def parsed_json(content: bytes | str) -> Any:
    """Return what JSON says. Raises ValueError where it is none, or is nested too deeply."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def unpacked(content: bytes, largest: int = LARGEST) -> bytes:
    """Return the content of an xz stream. Raises ValueError for damage and for too much of it."""
    stream = lzma.LZMADecompressor(memlimit=2**28)
    try:
        data = stream.decompress(content, largest + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(str(error)) from error
    if len(data) > largest:
        raise ValueError(f"it unpacks to more than {largest >> 20} MiB")
    if not stream.eof or stream.unused_data:
        raise ValueError("it is cut short, or other bytes follow it")
    return data
