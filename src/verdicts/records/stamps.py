"""What a figure or a table says of its origin in its own file: it may be passed on without the record beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Stamp(NamedTuple):
    """What is under test, the profile, the digest of the group's configuration, the commit (None outside of git)."""

    subject: str
    profile: str
    config: str
    commit: str | None
    dirty: bool | None = None

    def text(self, claims: tuple[str, ...]) -> str:
        """Return the origin in one line."""
        commit = f"{self.commit}{' with uncommitted changes' if self.dirty else ''}" if self.commit else "unknown"
        named = f"claims {', '.join(claims)}; " if claims else ""
        return f"{self.subject} verified; {named}profile {self.profile}; commit {commit}; config sha256 {self.config}"


_PRESENT: ContextVar[Stamp | None] = ContextVar("stamp", default=None)


@contextmanager
def stamped(stamp: Stamp) -> Iterator[None]:
    """Let every figure that is saved inside carry this stamp."""
    token = _PRESENT.set(stamp)
    try:
        yield
    finally:
        _PRESENT.reset(token)


def origin_of(claims: tuple[str, ...]) -> str:
    """Return the origin to be written into a file (empty outside of `stamped`)."""
    stamp = _PRESENT.get()
    return stamp.text(claims) if stamp else ""
