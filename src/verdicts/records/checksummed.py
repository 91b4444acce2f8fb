"""Values that are kept as JSON; those with the digest of their own content are read back only as they were written."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Self

from verdicts.records.files import canonical_json, sha256_of, write_whole
from verdicts.validation import Frozen

SCHEMA = 1


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
    """A file that carries the sha256 of its own content, so that any change of a byte is noticed."""

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
            raise NotCurrent("no record" if isinstance(error, FileNotFoundError) else f"unreadable: {error}") from error
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
        except (ValueError, RecursionError) as error:  # also of a text that UTF-8 lacks: a lone surrogate
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
