"""Texts that take long to make from texts, kept from one report to the next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps
from importlib.metadata import version
from pathlib import Path

from verdicts.records.checksummed import Checksummed
from verdicts.records.files import canonical_json, sha256_of

Maker = Callable[..., str]


class Memo(Checksummed):
    """Texts, each by the digest of all that it was made from."""

    texts: dict[str, str]


_OPEN: ContextVar[tuple[dict[str, str], dict[str, str]] | None] = ContextVar("memo", default=None)


@contextmanager
def remembering(path: Path) -> Iterator[None]:
    """Make inside only those `remembered` texts that the file `path` lacks; it then holds those that were used."""
    before = memo.texts if (memo := Memo.read_or_none(path)) else {}
    used: dict[str, str] = {}
    token = _OPEN.set((dict(before), used))
    try:
        yield
    finally:
        _OPEN.reset(token)
    if used != before and path.parent.is_dir():
        with suppress(OSError):  # it only saves time
            Memo(texts=used).write(path)


def remembered(distribution: str) -> Callable[[Maker], Maker]:
    """Let a function of texts, made by its own module and by a distribution, be called once inside `remembering`."""

    def decorated(make: Maker) -> Maker:
        @wraps(make)
        def made(*texts: str) -> str:
            if (memo := _OPEN.get()) is None:
                return make(*texts)
            known, used = memo
            code = sha256_of(Path(make.__code__.co_filename).read_bytes())
            key = sha256_of(canonical_json([make.__name__, code, version(distribution), *texts]))
            known[key] = used[key] = known[key] if key in known else make(*texts)
            return used[key]

        return made

    return decorated
