"""Bad input, said in one line: what, where, and what to do."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path


class UserError(Exception):
    """Usage or input that cannot be worked with; its text is one line for the user, the exit
    code 2.
    """


@contextmanager
def writable(place: Path) -> Iterator[None]:
    """Say in one line where `place`, which is of the results, or what lies in it cannot be
    written.
    """
    try:
        yield
    except OSError as error:
        where, why = error.filename or place, error.strerror or error
        raise UserError(
            f"cannot write {where}: {why}; give another place with --out DIR"
        ) from error


def code_of(work: Callable[[], int]) -> int:
    """Return the exit code that `work` returns; for bad input 2, with its line on stderr."""
    try:
        return work()
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


def in_utf8(text: str) -> str:
    """Return a text whose surrogates, of a path that is no UTF-8, are escaped: it can be written
    and read back.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def unknown(kind: str, name: str, known: Iterable[str], otherwise: str = "") -> UserError:
    """Return the problem of a `name` that is not among the `known`, with the nearest of them.

    Where none is near it is `otherwise` that is said, by default all of them.
    """
    names = list(dict.fromkeys(known))
    if near := nearest(name, names):
        advice = "did you mean " + " or ".join(filter(None, [", ".join(near[:-1]), near[-1]])) + "?"
    else:
        advice = otherwise or "known: " + ("; ".join(names) or "none")
    return UserError(f"unknown {kind} {name!r}: {advice}")


def nearest(name: str, known: Sequence[str], most: int = 6) -> list[str]:
    """Return those of the `known` names that are most like `name`, case ignored, at least half
    alike; at most so many.

    Those with its first letter come before others that are as like, so that an id keeps its family:
    C1 to C6 for C7.
    """
    like = {each: SequenceMatcher(None, name.casefold(), each.casefold()).ratio() for each in known}
    best = max([0.5, *like.values()])
    near = [each for each in known if like[each] == best]
    return ([each for each in near if each[:1].casefold() == name[:1].casefold()] or near)[:most]
