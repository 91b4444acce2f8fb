"""A kind of fault: its name, what is done in one sentence, and a function that attempts it so many times."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple

from tools.faults.requirements import Reference
from tools.faults.suite import small_suite
from verdicts.errors import unknown


class Attempt(NamedTuple):
    """One attempt: which case it was, its exit code, and what it broke (nothing, where all is well).

    `skipped` says why it could not be made here.
    """

    case: str
    code: int = 0
    broken: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class Undisturbed:
    """What undisturbed runs of a small suite give; it lies in the folder `work`, where faults are attempted too."""

    work: Path

    @cached_property
    def quick(self) -> Reference:
        """Return what a run in one process gives."""
        return Reference.of(small_suite(self.work, "quick"))

    @cached_property
    def jobs(self) -> Reference:
        """Return what a run gives whose jobs are processes of their own."""
        return Reference.of(small_suite(self.work, "cpu"))


Attempts = Callable[[Undisturbed, Random, int], Iterator[Attempt]]


class Fault(NamedTuple):
    """A kind of fault, attempted `tries` times where nobody says; 0: as often as there are cases."""

    name: str
    what: str
    tries: int
    function: Attempts


FAULTS: dict[str, Fault] = {}


def fault(what: str, tries: int = 0) -> Callable[[Attempts], Attempts]:
    """Make a function a kind of fault, named as the function is."""

    def made(function: Attempts) -> Attempts:
        name = function.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, what, tries, function)
        return function

    return made


def select(names: tuple[str, ...]) -> list[Fault]:
    """Return the faults of these names, all where there are none. Raises UserError."""
    for name in names:
        if name not in FAULTS:
            raise unknown("fault", name, FAULTS)
    return [each for each in FAULTS.values() if not names or each.name in names]
