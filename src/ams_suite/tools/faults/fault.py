"""A fault: its name, what is done in one sentence, and a function that tries it so many times."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple

from ams_suite.tools.faults.requirements import Reference
from ams_suite.tools.faults.suite import Suite, import_ahead, small_suite
from verdicts.errors import unknown


class Try(NamedTuple):
    """One try: which case it was, its exit code, and what it broke (nothing, where all is well).

    `skipped` says why it could not be tried here.
    """

    case: str
    code: int | None = 0
    broken: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class Bench:
    """Where faults are tried: the `repository`, a folder for what is made, and the suites' undisturbed runs."""

    repository: Path
    work: Path

    @cached_property
    def quick(self) -> Reference:
        """Return what an undisturbed run of the small suite gives, in one process."""
        return Reference.of(self.small("quick"))

    @cached_property
    def jobs(self) -> Reference:
        """Return what an undisturbed run of the small suite gives, its jobs in processes of their own."""
        return Reference.of(self.small("cpu"))

    def clear(self) -> None:
        """Remove the results of the tries that were made."""
        for pattern in ("results-*", "said-*"):
            for folder in self.work.glob(pattern):
                shutil.rmtree(folder, ignore_errors=True)

    def small(self, profile: str, *parts: str) -> Suite:
        """Lay a small suite."""
        import_ahead()
        return small_suite(self.repository, self.work, profile, parts or ("small", "study"))

    def real(self, profile: str, *groups: str) -> Suite:
        """Return this suite, of which only the named groups are run (none: all)."""
        chosen = ("--only", *groups) if groups else ()
        words = ("reproduce", "--profile", profile, "--jobs", "2", "--offline", *chosen)
        return Suite(self.repository, self.work, words, fresh=True)


Tries = Callable[[Bench, Random, int], Iterator[Try]]


class Fault(NamedTuple):
    """A kind of fault. `tries` is how many are made where nobody says; a sweep makes as many as there are cases.

    `costly` faults take minutes: they are tried only where they are named.
    """

    name: str
    what: str
    tries: int
    function: Tries
    costly: bool


FAULTS: dict[str, Fault] = {}


def add(name: str, what: str, function: Tries, tries: int = 0, costly: bool = False) -> None:
    """Add a fault."""
    FAULTS[name] = Fault(name, what, tries, function, costly)


def fault(what: str, tries: int, costly: bool = False) -> Callable[[Tries], Tries]:
    """Make a function a fault, named as the function is."""

    def made(function: Tries) -> Tries:
        add(function.__name__.replace("_", "-"), what, function, tries, costly)
        return function

    return made


def select(names: tuple[str, ...]) -> list[Fault]:
    """Return the faults of these names, all that are not costly where there are none. Raises UserError."""
    for name in names:
        if name not in FAULTS:
            raise unknown("fault", name, FAULTS)
    return [each for each in FAULTS.values() if (each.name in names if names else not each.costly)]


@contextmanager
def bench_of(repository: Path) -> Iterator[Bench]:
    """Yield a bench whose folder goes with it."""
    with tempfile.TemporaryDirectory(prefix="ams-faults-") as name:
        yield Bench(repository, Path(name).resolve())
