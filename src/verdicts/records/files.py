"""Files that are written whole or not at all, and their digests."""

import errno
import hashlib
import json
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_UNFINISHED = ".partial"


def write_whole(path: Path, content: bytes | str) -> None:
    """Write `content` to `path` so that a reader, a crash or a full disk sees the old file or the new one.

    Makes the parent folder. Once it returns, a loss of power leaves the new one, where the disk keeps what it is told
    to. Raises OSError, after removing what it had begun; where only the folder could not be synced, the new file stays.
    """
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        with unfinished.open("xb") as stream:  # not mkstemp, whose files only their owner may read
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def shown_json(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds, an empty one where it is not there or holds no object."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a loss of power leaves them. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Let the disk keep the names in a folder: without that, a new file has no name after a loss of power.

    A file system that knows no sync of folders is left as it is. Raises OSError for a disk that fails.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def discard_unfinished(folder: Path, older_than: float = 0.0) -> None:
    """Remove what a process that was killed while it wrote has left below `folder`, if it is older (in seconds).

    Without an age nobody else may be writing there. Raises OSError.
    """
    newest = time.time() - older_than
    for path in folder.rglob(f".*{_UNFINISHED}"):
        with suppress(FileNotFoundError):
            if older_than == 0.0 or path.stat().st_mtime < newest:
                path.unlink()


def sha256_of(content: bytes | str) -> str:
    """Return the hexadecimal sha256 of bytes, or of a text's UTF-8 bytes."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def canonical_json(value: Any, indent: int | None = None) -> str:
    """Return the one JSON text of `value`: keys sorted, no NaN. Raises ValueError for a non-finite number."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent)
