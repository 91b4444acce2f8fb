"""Maintainers' programs: what a user of the suite never needs (README.md names them).

They share what follows: options are the fields of a dataclass, bad input is one line and exit code
2.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import tyro

from verdicts.errors import UserError, code_of

ROOT = Path(__file__).resolve().parents[1]


def run(program: Callable[..., Callable[[], int]], arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of a program, whose options are read from `arguments` (default: the
    command line).
    """
    asked = tyro.cli(program, args=arguments, config=(tyro.conf.EnumChoicesFromValues,))
    return code_of(asked)


def say(line: str) -> None:
    """Write one line, now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def at_least(least: int, **options: float) -> None:
    """Raise UserError for an option that is below `least`."""
    for name, given in options.items():
        if given < least:
            raise UserError(f"--{name} {given}: expected at least {least}")
