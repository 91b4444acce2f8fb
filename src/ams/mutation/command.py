"""`ams mutate`: try the faults, say what caught each, keep the record that the report shows."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from ams.ledger.problems import InputProblem
from ams.ledger.provenance import now
from ams.mutation.faults import Fault, load_faults
from ams.mutation.results import RESULTS, Row, Tried, key_of, read_trials, rows, with_trial
from ams.mutation.trial import Copy, Ending, Outcome
from ams.runner.workspace import find_root

Say = Callable[[str], None]
SOUND_SECONDS = 600.0


def mutate(only: tuple[str, ...], jobs: int, out: Path | None, seconds: float, say: Say) -> int:
    """Try the faults that `only` names (all without), `jobs` at a time; each trial may take `seconds`.

    Returns 0 if every one was caught, 1 if one survived, 3 if one told nothing. Raises InputProblem for a table that
    does not fit the code, or tests that fail without any fault.
    """
    root = find_root(Path.cwd())
    table = load_faults(root)
    chosen, known = table.select(only), {fault.id: fault for fault in table.fault}
    folder = (out or root / "results").resolve()
    trials, endings = read_trials(folder), Counter[Ending]()
    say(f"{len(chosen)} faults, one at a time in a copy; each must make a test fail")
    with _copies(root, min(jobs, len(chosen))) as copies:
        _refuse_unsound(copies[0], chosen)
        keys = {fault.id: key_of(copies[0].root, fault) for fault in chosen}
        for fault, outcome, started in _outcomes(copies, chosen, seconds):
            endings[outcome.ending] += 1
            say(f"[{endings.total():3}/{len(chosen)}] {line(fault, outcome)}")
            tried = Tried(key=keys[fault.id], outcome=outcome, started=started)
            trials = with_trial(trials, fault, tried, known)
            trials.write(folder / RESULTS)
    say(", ".join(f"{count} {ending}" for ending, count in endings.items()) + f"; record: {folder / RESULTS}")
    return 3 if endings[Ending.BROKEN] else 1 if endings[Ending.SURVIVED] else 0


def list_faults(only: tuple[str, ...], out: Path | None, say: Say) -> int:
    """Print a line for each fault, with its outcome if it has a current one. Raises InputProblem as `mutate` does."""
    root = find_root(Path.cwd())
    for row in rows(root, (out or root / "results").resolve(), load_faults(root).select(only)):
        say(listing(row))
    return 0


def line(fault: Fault, outcome: Outcome) -> str:
    """Return what became of a fault, in a line."""
    by = f" by {outcome.by}" if outcome.by else ""
    how = f" ({outcome.how})" if outcome.how else ""
    return f"{fault.id:<34} {outcome.ending:<8}{by}{how}   {outcome.seconds:.0f} s"


def listing(row: Row) -> str:
    """Return a fault with what it is about and its state, in a line."""
    state = row.outcome.ending if row.outcome else row.reason
    return f"{row.fault.id:<34} {row.fault.file.removeprefix('src/ams/'):<28} {row.fault.why} ({state})"


@contextmanager
def _copies(root: Path, count: int) -> Iterator[list[Copy]]:
    """Make copies in a temporary folder, one a worker."""
    with tempfile.TemporaryDirectory(prefix="ams-mutate-") as name:
        copies = [Copy(root, Path(name) / str(number)) for number in range(count)]
        copies[0].refuse_other_code()
        yield copies


def _refuse_unsound(copy: Copy, faults: tuple[Fault, ...]) -> None:
    """Run the tests of all the faults on sound code. Raises InputProblem where they fail."""
    tests = dict.fromkeys(test for fault in faults for test in fault.asked(copy.root))
    files = {test for test in tests if "::" not in test}
    outcome = copy.ask([test for test in tests if test in files or test.partition("::")[0] not in files], SOUND_SECONDS)
    if outcome.ending is not Ending.SURVIVED:
        raise InputProblem(f"mutate: without any fault the tests fail: {outcome.by} {outcome.how}")


def _outcomes(copies: list[Copy], faults: tuple[Fault, ...], seconds: float) -> Iterator[tuple[Fault, Outcome, str]]:
    """Yield each fault with its outcome and the time of its trial, as they land."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def trial(fault: Fault) -> tuple[Fault, Outcome, str]:
        copy, started = free.get(), now()
        try:
            return fault, copy.try_fault(fault, seconds), started
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        try:
            for done in as_completed([pool.submit(trial, fault) for fault in faults]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)
