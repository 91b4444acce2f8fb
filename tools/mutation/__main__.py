"""`python -m tools.mutation`: try the faults of `tests/faults.toml`, and say what caught each."""

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from tools.mutation.table import load_faults
from tools.mutation.trial import Ending, copy_of, outcome_of, refuse_unsound
from tools.program import at_least, run, say
from verdicts.records.workspace import find_root


@dataclass(frozen=True)
class Mutation:
    """Put faults into copies of the code, one at a time: would the tests notice?

    Exit code 1 if one survives, 3 if of one nothing is known: it kept the code from running.
    """

    only: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[ID ...]")] = ()
    """Faults by id or file, `*` and `?` as in a shell (default: all)."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many at once."""
    seconds: float = 300.0
    """How long the tests of one fault may take."""

    def __call__(self) -> int:
        """Do it. Raises UserError for a table that does not fit the code, or tests that fail without any fault."""
        at_least(1, jobs=self.jobs, seconds=self.seconds)
        root, endings = find_root(Path.cwd()), Counter[Ending]()
        faults = load_faults(root).select(self.only)
        with copy_of(root) as sound:
            refuse_unsound(sound, faults)
        with ThreadPoolExecutor(self.jobs) as pool:
            outcomes = pool.map(lambda fault: outcome_of(root, fault, self.seconds), faults)
            for number, (fault, outcome) in enumerate(zip(faults, outcomes, strict=True), start=1):
                endings[outcome.ending] += 1
                say(f"[{number:3}/{len(faults)}] {fault.id:<34} {outcome}")
        say(
            f"{len(faults)} faults: " + ", ".join(f"{endings[ending]} {ending}" for ending in Ending if endings[ending])
        )
        return 1 if endings[Ending.SURVIVED] else 3 if endings[Ending.BROKEN] else 0


if __name__ == "__main__":
    sys.exit(run(Mutation))
