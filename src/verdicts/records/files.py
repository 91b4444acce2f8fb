"""Files of results: written whole or not at all; JSON with its own digest."""

import errno
import hashlib
import json
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from verdicts.validation import Frozen

_UNFINISHED = ".partial"
SCHEMA = 1


def write_whole(path: Path, content: bytes | str) -> None:
    """Write `content` to `path` so that a reader, a crash or a full disk sees the old file or the
    new one.

    Makes the parent folder. Once it returns, a loss of power leaves the new one, where the disk
    keeps what it is told to. Raises OSError, after removing what it had begun; where only the
    folder could not be synced, the new file stays.
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
    """Return the object that a JSON file holds, an empty one where it is not there or holds no
    object.
    """
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
    """Let the disk keep the names in a folder: without that, a new file has no name after a loss of
    power.

    A file system that knows no sync of folders is left as it is. Raises OSError for a disk that
    fails.
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
    """Remove what a process that was killed while it wrote has left below `folder`, if it is older
    (in seconds).

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
    """Return the one JSON text of `value`: keys sorted, no NaN. Raises ValueError for a non-finite
    number.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent)


class NotCurrent(Exception):
    """A file may not be shown as current; the text says why."""


class JsonFile(Frozen):
    """A value that is kept as a JSON file."""

    def to_bytes(self) -> bytes:
        """Return the one byte form of this content."""
        content = self.model_dump(mode="json")
        return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()

    def write(self, path: Path) -> None:
        """Write the file whole or not at all. Raises OSError."""
        write_whole(path, self.to_bytes())


class Checksummed(JsonFile):
    """A file that carries the sha256 of its own content, so that any change of a byte is
    noticed.
    """

    schema_version: int = SCHEMA

    def to_bytes(self) -> bytes:
        """Return the one byte form of this content, digest included."""
        content = self.model_dump(mode="json")
        content["digest"] = sha256_of(canonical_json(content))
        return (canonical_json(content, indent=1) + "\n").encode()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file back. Raises NotCurrent for anything but the bytes once written."""
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise NotCurrent(
                "no record" if isinstance(error, FileNotFoundError) else f"unreadable: {error}"
            ) from error
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise NotCurrent("damaged: not JSON, perhaps cut short") from error
        if not isinstance(content, dict) or content.get("schema_version") != SCHEMA:
            raise NotCurrent(f"damaged, or written by another version: its schema is not {SCHEMA}")
        digest = content.pop("digest", None)
        try:
            file = cls.model_validate(content)
            same = digest == sha256_of(canonical_json(content)) and raw == file.to_bytes()
        except (
            ValueError,
            RecursionError,
        ) as error:  # also of a text that UTF-8 lacks: a lone surrogate
            raise NotCurrent("edited: its fields are not those of a record") from error
        if not same:
            raise NotCurrent("edited: its content does not match its digest")
        return file

    @classmethod
    def read_or_none(cls, path: Path) -> Self | None:
        """Read the file back, None for anything but the bytes once written."""
        with suppress(NotCurrent):
            return cls.read(path)
        return None
