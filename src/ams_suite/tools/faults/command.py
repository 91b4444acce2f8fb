"""`ams faults`: inject faults into runs, say what became of each, keep the table that the report shows."""

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

from ams_suite.tools.faults import (  # noqa: F401 - their faults
    calls,
    clocks,
    damage,
    disks,
    hosts,
    kills,
    mirrors,
    setup,
    surroundings,
)
from ams_suite.tools.faults.fault import FAULTS, Bench, Fault, Try, bench_of, select
from ams_suite.tools.faults.suite import TOYS
from ams_suite.tools.faults.table import Trial, keep
from verdicts.errors import UserError
from verdicts.records.provenance import environment_of, now
from verdicts.records.workspace import find_root

Say = Callable[[str], None]


def faults(names: tuple[str, ...], seed: int, tries: int, out: Path | None, say: Say) -> int:
    """Try the faults of these names (default: all that take seconds), `tries` times each (0: as many as each has).

    The random moments and choices of a fault follow from `seed` and its name. Returns 1 if a requirement was broken,
    else 0. Raises UserError for an unknown name, and outside of a checkout with its tests.
    """
    root, chosen, wrong = find_root(Path.cwd()), select(names), 0
    if not (root / TOYS).is_dir():
        raise UserError(f"faults: {root} has no {TOYS}: run from inside a clone of the repository")
    commit = environment_of(root, "cpu", 1, ()).commit or ""
    with bench_of(root) as bench:
        for fault in chosen:
            started, begin = now(), time.monotonic()
            made = _tried(bench, fault, seed, tries, say)
            trial = Trial(fault, made, seed, started, commit)
            path = keep(root, (out or root / "results").resolve(), trial)
            wrong += trial.broken
            took = f"{time.monotonic() - begin:.0f} s"
            missed = f", {len(made) - trial.tried} not tried" if trial.tried < len(made) else ""
            say(f"{fault.name:<24} {trial.tried:>4} tries, {trial.broken} broke a requirement{missed}   {took}")
            bench.clear()
    outcome = f"{wrong} tries broke a requirement" if wrong else "no requirement was broken"
    say(f"{len(chosen)} faults; {outcome}; record: {path}")
    return 1 if wrong else 0


def _tried(bench: Bench, fault: Fault, seed: int, tries: int, say: Say) -> list[Try]:
    """Make the tries of a fault, and say of each that broke a requirement which one."""
    made = []
    cases = fault.function(bench, Random(f"{seed} {fault.name}"), tries or fault.tries)
    for each in islice(cases, tries or None):  # of fixed cases the first ones
        made.append(each)
        for line in each.broken:
            say(f"  {fault.name}, {each.case}: {line}")
    return made


def list_faults(names: tuple[str, ...], say: Say) -> int:
    """Print a line for each fault of these names (none: for all). Raises UserError for an unknown name."""
    for fault in select(names) if names else FAULTS.values():
        say(f"{fault.name:<24} {fault.what}{' (takes minutes: only where it is named)' if fault.costly else ''}")
    return 0
