"""Bad input, said in one line: what, where, and what to do."""

import difflib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(Exception):
    """Usage or input that cannot be worked with; its text is one line for the user, the exit code 2."""


@contextmanager
def writable(place: Path) -> Iterator[None]:
    """Say in one line where `place`, which is of the results, or what lies in it cannot be written."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or place, error.strerror or error
        raise UserError(f"cannot write {where}: {why}; give another place with --out DIR") from error


def code_of(work: Callable[[], int]) -> int:
    """Return the exit code that `work` returns; for bad input 2, with its line on stderr."""
    try:
        return work()
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


def in_utf8(text: str) -> str:
    """Return a text whose surrogates, of a path that is no UTF-8, are escaped: it can be written and read back."""
    return text.encode("utf-8", "backslashreplace").decode()


def unknown(kind: str, name: str, known: Iterable[str], otherwise: str = "") -> UserError:
    """Return the problem of a `name` that is not among the `known`, with the nearest of them (case ignored).

    Where none is near it is `otherwise` that is said, by default all of them.
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.5)
    if near:
        advice = "did you mean " + " or ".join(by_folded[match] for match in near) + "?"
    else:
        advice = otherwise or "known: " + ("; ".join(by_folded.values()) or "none")
    return UserError(f"unknown {kind} {name!r}: {advice}")
