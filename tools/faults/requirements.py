"""What must hold after every fault, whatever it was; and what a kind of fault is, which a function
attempts.

Right after it: the exit code is one of those that are documented, and allowed for the fault; nobody
is shown a traceback; each verdict that is shown is the true one, or `not run`; each result that
lies there is as a run that nothing disturbs makes it, or says of itself that it failed. Then a
plain run ends as that one did, with the same verdicts and values and the same files, and `--check`
finds all current.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Self

from tools.faults.suite import RunResult, SystemUnderTest, small_suite
from verdicts.claims.schema import Verdict
from verdicts.errors import unknown
from verdicts.records.files import shown_json

OF_TIME = frozenset(
    {"started", "seconds", "peak_mib", "computed", "digest", "commit", "dirty", "threads", "run"}
)
OF_THE_RUN = re.compile(
    r"[^/]+/(run\.json|published\.json|report[^/]*\.html|paper/data\.json|notebooks/.*)"
)
"""Files that tell of the last run, or of what there was when they were made: `--check` compares
them.
"""
NO_RESULT = (".log", ".pdf", ".cost", ".lock", ".jobs")
SHOWN = re.compile(r"^(\S) ([A-Z]\w*) +\S.*$", re.MULTILINE)
NOT_REACHED = frozenset("–-!")
INTERRUPTED = frozenset({130, -2, -15, -1})
Files = dict[str, Any]


class Reference(NamedTuple):
    """What a run that nothing disturbs gives: its exit code, the verdicts, the marks that it
    prints, its files, and how many `seconds` it takes.
    """

    suite: SystemUnderTest
    code: int
    verdicts: dict[str, str]
    marks: dict[str, str]
    files: Files
    seconds: float = 0.0

    @classmethod
    def of(cls, suite: SystemUnderTest) -> Self:
        """Run it. Raises RuntimeError where that already breaks."""
        out = suite.place()
        begin = time.monotonic()
        done = suite.run(out)
        seconds = time.monotonic() - begin
        if done.code not in (0, 1) or "Traceback" in done.err:
            raise RuntimeError(f"undisturbed, the run ended with {done.code}: {done.err[-400:]}")
        folder = out / suite.profile
        marks = {claim: mark for mark, claim in SHOWN.findall(done.out)}
        files = files_of(out, suite.profile)
        return cls(suite, done.code, _verdicts(folder), marks, files, seconds)

    def after(
        self, out: Path, done: RunResult, codes: Collection[int], spoilt: Collection[str] = ()
    ) -> Iterator[str]:
        """Yield what is wrong right after a fault; `spoilt` are files that the fault itself has
        damaged.
        """
        if done.code not in codes:
            yield f"exit code {done.code}: {_last(done)}"
        if "Traceback" in done.out + done.err:
            yield f"a traceback: {_last(done)}"
        for mark, claim in SHOWN.findall(done.out):
            if self.marks.get(claim, mark) != mark and mark not in NOT_REACHED:
                yield f"{claim} is shown as {mark}, and is {self.marks[claim]}"
        for claim, verdict in _verdicts(out / self.suite.profile).items():
            if verdict not in (self.verdicts.get(claim), Verdict.NOT_RUN):
                yield f"the ledger has {claim} as {verdict}, and it is {self.verdicts.get(claim)}"
        now = files_of(out, self.suite.profile)
        for name, content in now.items():
            record, own = (
                now.get(name.replace(".csv", ".json")),
                name.endswith(("ledger.json", ".failed", ".partial")),
            )
            # a table without its record is no result
            without = record is None and "/studies/" in name
            if own or without or name in spoilt or OF_THE_RUN.fullmatch(name):
                continue
            if content != self.files.get(name) and not (_failed(content) or _failed(record)):
                yield f"{name} is not as it should be"

    def lost(self, before: Files, out: Path) -> Iterator[str]:
        """Yield which of the results that were whole `before` a fault are gone, or others, after
        it.
        """
        now = files_of(out, self.suite.profile)
        for name in before.keys() & self.files.keys():
            kept = not (OF_THE_RUN.fullmatch(name) or name.endswith("ledger.json"))
            if kept and before[name] == self.files[name] and now.get(name) != before[name]:
                yield f"{name} was whole, and is lost"

    def mended(self, out: Path, checked: bool = True) -> Iterator[str]:
        """Run it plainly on what a fault has left, and yield what is not as it would be without the
        fault.

        Where it need not be `checked`, the documents (pages, paper) are not compared with what the
        records give.
        """
        done = self.suite.run(out)
        if done.code != self.code or "Traceback" in done.err:
            yield f"the next run ended with {done.code}: {_last(done)}"
        yield from self.same(out)
        if checked and (asked := self.suite.check(out)).code != 0:
            yield (
                f"after the next run, --check ended with {asked.code}: "
                f"{asked.out.strip().splitlines()[:1]}"
            )

    def same(self, out: Path) -> Iterator[str]:
        """Yield which files differ from those of the undisturbed run, times apart."""
        now = files_of(out, self.suite.profile)
        for name in sorted(now.keys() | self.files.keys()):
            if name not in now:
                yield f"{name} is not there after the next run"
            elif name not in self.files:
                yield f"{name} is left over after the next run"
            elif not OF_THE_RUN.fullmatch(name) and now[name] != self.files[name]:
                yield f"{name} is another after the next run"


def files_of(out: Path, profile: str) -> Files:
    """Return the results below `out`, of a profile and of the cells, by place; JSON without what
    tells of time.
    """
    places = [
        path for part in (profile, "cells") for path in (out / part).rglob("*") if path.is_file()
    ]
    files = {}
    for path in (each for each in places if not each.name.endswith(NO_RESULT)):
        # a job that outlives its driver renames what it has written
        with suppress(FileNotFoundError):
            files[path.relative_to(out).as_posix()] = _content(path)
    return files


def _content(path: Path) -> Any:
    if path.suffix == ".json" and (content := shown_json(path)):
        return timeless(content)
    return path.read_bytes()


def timeless(value: Any) -> Any:
    """Drop what may differ between two runs of the same work, and the digests of files with
    pictures.
    """
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name not in OF_TIME}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def _verdicts(folder: Path) -> dict[str, str]:
    """Return the verdicts of a ledger by claim; none where there is no ledger."""
    return {
        row["id"]: row["verdict"] for row in shown_json(folder / "ledger.json").get("claims", ())
    }


def _failed(content: Any) -> bool:
    return isinstance(content, dict) and bool(
        content.get("failed") or content.get("verdict") == Verdict.NOT_RUN
    )


def _last(done: RunResult) -> str:
    """Return the last line that a run said."""
    lines = (done.err or done.out).strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"


class Attempt(NamedTuple):
    """One attempt: which case it was, its exit code, and what it broke (nothing, where all is
    well).

    `skipped` says why it could not be made here.
    """

    case: str
    code: int = 0
    broken: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class Undisturbed:
    """What undisturbed runs of a small suite give; it lies in the folder `work`, where faults
    are attempted too.
    """

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
    """A kind of fault, attempted `tries` times where nobody says; 0: as often as there are
    cases.
    """

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
