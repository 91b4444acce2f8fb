"""`python -m tools.faults`: inject faults into runs, say what became of each, keep the table that the report shows."""

import sys
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated

import tyro

from tools.faults import calls, clocks, damage, disks, kills  # noqa: F401 - their faults
from tools.faults.fault import Attempt, Fault, Undisturbed, select
from tools.faults.table import FaultTrial, keep
from tools.program import ROOT, at_least, run, say
from verdicts.records.provenance import now


@dataclass(frozen=True)
class Faults:
    """Inject faults into runs (kills, full disks, damaged files): is anything lost or wrong? Exit code 1 if so."""

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME ...]")] = ()
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
                trial = FaultTrial(fault, self._attempted(Path(work).resolve(), fault), self.seed, started)
            path = keep(ROOT, self.out.resolve(), trial)
            tried, broken, codes, remark = trial.outcome
            wrong += broken
            took = f"{tried:>4} tries in {time.monotonic() - begin:.0f} s"
            say(f"{fault.name:<24} {took}, {broken} broke a requirement, exit codes {codes}  {remark}".rstrip())
        say(f"{wrong or 'no'} tries broke a requirement; record: {path}")
        return 1 if wrong else 0

    def _attempted(self, work: Path, fault: Fault) -> list[Attempt]:
        """Attempt a fault, and say of each attempt that broke a requirement which one."""
        made = []
        cases = fault.function(Undisturbed(work), Random(f"{self.seed} {fault.name}"), self.tries or fault.tries)
        for attempt in islice(cases, self.tries or None):  # of fixed cases the first ones
            made.append(attempt)
            for line in attempt.broken:
                say(f"  {fault.name}, {attempt.case}: {line}")
        return made


if __name__ == "__main__":
    sys.exit(run(Faults))
