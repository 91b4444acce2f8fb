"""What a user can mend: input that cannot be used, and files that cannot be had. Each message is one line."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Usage or input that cannot be worked with: what, where, what to do."""


class DataUnavailable(Exception):
    """A registered file that cannot be had here; the text says where it was looked for and how to get it.

    What needs it is not run (`not_run`), which is no failure.
    """

    not_run = True


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error of a `name` that is not among the `known`, with the nearest of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} {name!r}: {advice}")
