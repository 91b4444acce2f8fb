"""Bad input, said in one line: what, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

SHOWN = 60


class InputProblem(Exception):
    """Usage or input that cannot be worked with; its text is one line for the user, the exit code 2."""


@contextmanager
def writable(place: Path) -> Iterator[None]:
    """Say in one line where `place`, which is of the results, or what lies in it cannot be written."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or place, error.strerror or error
        raise InputProblem(f"cannot write {where}: {why}; give another place with --out DIR") from error


def _shortened(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits, and reads it where it is hexadecimal
        return "a number of too many digits"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _field(prefix: str, location: tuple[int | str, ...], content: object) -> str:
    """Return the field's dotted path; an entry of a list goes by its `id` where it has one."""
    path = prefix
    for step in location:
        try:
            content = content[step]  # type: ignore[index]
        except (TypeError, KeyError, IndexError):
            content = None
        name = content.get("id") if isinstance(step, int) and isinstance(content, dict) else None
        path += f"[{name if name is not None else step}]" if isinstance(step, int) else f".{step}"
    return path.strip(".") or "the whole file"


def _line_of(error: ErrorDetails, prefix: str, content: object) -> str:
    field = _field(prefix, error["loc"], content)
    if error["type"] == "missing":
        return f"{field} is missing"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{field} = {_shortened(error['input'])}: no such field"
    if isinstance(error["input"], dict):
        return f"{field}: {message}"
    return f"{field} = {_shortened(error['input'])}: {message[:1].lower()}{message[1:]}"


def from_validation(error: ValidationError, where: str, content: object, prefix: str = "") -> InputProblem:
    """Turn a complaint about `content` into one line: file `where`, field (below `prefix`), value, expectation.

    The first error is spelled out, the rest are counted.
    """
    errors = error.errors(include_url=False)
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return InputProblem(f"{where}: {_line_of(errors[0], prefix, content)}{others}")


def unknown(kind: str, name: str, known: Iterable[str]) -> InputProblem:
    """Return the problem of a `name` that is not among the `known`, with the nearest of them (case ignored)."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.5)
    if near:
        advice = "did you mean " + " or ".join(by_folded[match] for match in near) + "?"
    else:
        advice = "known: " + (", ".join(by_folded.values()) or "none")
    return InputProblem(f"unknown {kind} {name!r}: {advice}")
