"""Errors that a user can correct: unusable input and unavailable files. Each message is one
line.
"""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Unusable input or a wrong command; the message says what is wrong, where, and what to do."""


class DataUnavailable(Exception):
    """A registered file, or a package, that is not available; the message says where it was looked
    for, how to get it.

    The attribute `not_run` makes a check that raises it `not run` instead of failed. `missing`
    names the file or package in a word or two, `remedy` says in one clause how to have it: a run
    lists by them what it could not do.
    """

    not_run = True

    def __init__(self, message: str = "", missing: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.missing, self.remedy = missing, remedy


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for a `name` that is not among the `known` names; it suggests the closest
    of them.
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    advice = (
        f"did you mean {' or '.join(close)}?" if close else f"known: {'; '.join(names) or 'none'}"
    )
    return UserError(f"unknown {kind} {name!r}: {advice}")
