"""`python -m tools.faults`: inject faults into runs, say what became of each, keep the table that
the report shows.

The table is a section of the report: a row a kind of fault, with its newest trial.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import tyro

from tools import ROOT, at_least, run, say
from tools.faults import injected  # noqa: F401 - its faults
from tools.faults.requirements import FAULTS, Attempt, Fault, Undisturbed, select
from verdicts.records.figures import Table
from verdicts.records.files import NotCurrent, sha256_of
from verdicts.records.provenance import git, now
from verdicts.report.report_texts import SECTIONS, Section

HEADER = (
    "fault",
    "what is done",
    "tries",
    "broke a requirement",
    "exit codes",
    "remark",
    "seed",
    "when",
    "commit",
)
JUDGED = ("src/verdicts/run", "src/verdicts/records", "src/verdicts/studies")
REQUIRED = (
    "After each try the exit code is one of those documented, nobody sees a traceback, "
    "and no verdict that is shown is "
    "wrong; the next plain run ends with the verdicts, values and files of a run that "
    "nothing has disturbed. Where one "
    "run after another is killed, no result that was whole is lost"
)
Row = tuple[str | int | float, ...]


class FaultTrial(NamedTuple):
    """The attempts of one fault, the seed, and when they began (UTC)."""

    fault: Fault
    attempts: Sequence[Attempt]
    seed: int
    started: str

    @property
    def outcome(self) -> tuple[int, int, str, str]:
        """Return how many attempts were made and how many broke a requirement, the exit codes with
        how often, and a remark: what went wrong first, or why none was made.
        """
        tried = [each for each in self.attempts if not each.skipped]
        counts = Counter(
            f"signal {-each.code}" if each.code < 0 else str(each.code) for each in tried
        )
        codes = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        wrong = [f"{each.case}: {each.broken[0]}" for each in tried if each.broken]
        missed = [f"not tried: {each.skipped}" for each in self.attempts if each.skipped]
        return len(tried), len(wrong), codes, "; ".join([*wrong[:1], *missed[:1]])

    def row(self, commit: str) -> Row:
        """Return the trial as a row of the table."""
        return (
            self.fault.name,
            self.fault.what,
            *self.outcome,
            self.seed,
            self.started[:10],
            commit[:10],
        )


def keep(root: Path, folder: Path, trial: FaultTrial) -> Path:
    """Put a trial into the section of the report that lies in the results' `folder`, and return its
    place.

    Rows of faults that are no more are dropped. Raises OSError.
    """
    path = folder / SECTIONS / "faults.json"
    try:
        before = Section.read(path).table.rows
    except NotCurrent:
        before = ()
    rows = {str(row[0]): row for row in before} | {
        trial.fault.name: trial.row(git(root, "rev-parse", "HEAD") or "")
    }
    section(root, [rows[name] for name in FAULTS if name in rows], trial.started).write(path)
    return path


def section(root: Path, rows: Sequence[Row], started: str) -> Section:
    """Return the section of these rows; it rests on the code that is judged."""
    tries, broken = (sum(int(row[column]) for row in rows) for column in (2, 3))
    tried = f"{len(rows)} kinds of faults were injected into runs, {tries} tries"
    text = f"{tried}. {REQUIRED}: {broken} tries broke a requirement."
    files = [file for part in JUDGED for file in sorted((root / part).rglob("*.py"))]
    return Section(
        id="faults",
        title="Faults injected into runs",
        text=text,
        table=Table(id="faults", caption=text, header=HEADER, rows=tuple(rows)),
        command="python -m tools.faults",
        started=started,
        sources={file.relative_to(root).as_posix(): sha256_of(file.read_bytes()) for file in files},
    )


@dataclass(frozen=True)
class Faults:
    """Inject faults into runs (kills, full disks, damaged files): is anything lost or wrong?
    Exit code 1 if so.
    """

    names: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME ...]")
    ] = ()
    """Faults (default: all)."""
    seed: int = 2405
    """What the random moments and choices are made from, together with the fault's name."""
    tries: int = 0
    """How many attempts of each; 0: its own number, of a sweep all cases."""
    out: Path = ROOT / "results"
    """The folder for the table."""

    def __call__(self) -> int:
        """Do it. Raises UserError for an unknown name."""
        at_least(0, tries=self.tries)
        wrong = 0
        for fault in select(self.names):
            started, begin = now(), time.monotonic()
            with TemporaryDirectory(prefix="ams-faults-") as work:
                trial = FaultTrial(
                    fault, self._attempted(Path(work).resolve(), fault), self.seed, started
                )
            path = keep(ROOT, self.out.resolve(), trial)
            tried, broken, codes, remark = trial.outcome
            wrong += broken
            took = f"{tried:>4} tries in {time.monotonic() - begin:.0f} s"
            say(
                (
                    f"{fault.name:<24} {took}, {broken} broke a requirement, exit "
                    f"codes {codes}  {remark}"
                ).rstrip()
            )
        say(f"{wrong or 'no'} tries broke a requirement; record: {path}")
        return 1 if wrong else 0

    def _attempted(self, work: Path, fault: Fault) -> list[Attempt]:
        """Attempt a fault, and say of each attempt that broke a requirement which one."""
        made = []
        cases = fault.function(
            Undisturbed(work), Random(f"{self.seed} {fault.name}"), self.tries or fault.tries
        )
        for attempt in islice(cases, self.tries or None):  # of fixed cases the first ones
            made.append(attempt)
            for line in attempt.broken:
                say(f"  {fault.name}, {attempt.case}: {line}")
        return made


if __name__ == "__main__":
    sys.exit(run(Faults))
