"""`ams mutate`: try the faults, say what caught each, keep the record that the report shows."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from ams_suite.tools.mutation.faults import Fault, load_faults
from ams_suite.tools.mutation.results import RESULTS, Row, Trials, Tried, key_of, read_trials, rows
from ams_suite.tools.mutation.trial import Copy, Ending, Outcome
from verdicts.errors import UserError
from verdicts.records.figures import Table
from verdicts.records.files import sha256_of
from verdicts.records.provenance import now
from verdicts.records.section import FOLDER, Section
from verdicts.records.workspace import find_root

Say = Callable[[str], None]
SOUND_SECONDS = 600.0
HEADER = ("fault", "file", "what went wrong", "outcome", "first test that failed")


def mutate(only: tuple[str, ...], force: bool, jobs: int, out: Path | None, seconds: float, say: Say) -> int:
    """Try the faults that `only` names (all without) and whose outcome is not current (`force`: whatever it is).

    `jobs` at a time; each trial may take `seconds`. Returns 0 if every one that `only` names was caught, 1 if one
    survived, else 3 if of one nothing is known: its tests broke, or the code changed meanwhile. Raises UserError for a
    table that does not fit the code, or tests that fail without any fault.
    """
    root = find_root(Path.cwd())
    table, folder = load_faults(root), (out or root / "results").resolve()
    chosen = table.select(only)
    todo = tuple(row.fault for row in rows(root, folder, chosen) if force or row.outcome is None)
    say(f"{len(chosen)} faults, {len(chosen) - len(todo)} current; each of the rest must make a test fail")
    if todo:
        with _copies(root, min(jobs, len(todo))) as copies:
            _refuse_unsound(copies[0], todo)
            _try_all(copies, todo, seconds, {fault.id for fault in table.fault}, folder, say)
    endings = Counter(row.outcome.ending for row in rows(root, folder, chosen) if row.outcome)
    _section(root, rows(root, folder, table.fault)).write(folder / FOLDER / "mutation.json")
    counts = ", ".join(f"{endings[ending]} {ending}" for ending in Ending if endings[ending])
    unseen = len(chosen) - endings.total()
    say(f"{counts}{f', {unseen} changed meanwhile' if unseen else ''}; record: {folder / RESULTS}")
    return 1 if endings[Ending.SURVIVED] else 3 if endings[Ending.BROKEN] or unseen else 0


def _section(root: Path, tried: list[Row]) -> Section:
    """Return the report's section on all faults."""
    endings = Counter(row.outcome.ending if row.outcome else "not tried" for row in tried)
    text = (
        f"{len(tried)} faults are declared that somebody might make (a dropped factor, a stale norm, the noise of "
        f"another noise level). Each is put alone into a copy of the code, and a test must fail: "
        f"{', '.join(f'{count} {ending}' for ending, count in endings.items())}."
    )
    cells = []
    for fault, outcome, reason, _ in tried:
        ending, by = (str(outcome.ending), outcome.by) if outcome else (reason, "")
        cells.append((fault.id, fault.file, fault.why, ending, by))
    files = {name for row in tried for name in (row.fault.file, *(t.partition("::")[0] for t in row.fault.asked(root)))}
    return Section(
        id="mutation",
        title="Seeded faults",
        text=text,
        table=Table(id="mutation", caption=text, header=HEADER, rows=tuple(cells)),
        command="ams mutate",
        started=max((row.started for row in tried), default=""),
        sources={name: sha256_of((root / name).read_bytes()) for name in sorted(files) if (root / name).is_file()},
    )


def _try_all(
    copies: list[Copy], faults: tuple[Fault, ...], seconds: float, known: set[str], folder: Path, say: Say
) -> None:
    """Try the faults, and record each as it lands, beside those that are `known` (the table has them)."""
    keys = {fault.id: key_of(copies[0].root, fault) for fault in faults}
    tried = {name: each for name, each in read_trials(folder).tried.items() if name in known}
    for number, (fault, outcome, started) in enumerate(_outcomes(copies, faults, seconds), start=1):
        say(f"[{number:3}/{len(faults)}] {line(fault, outcome)}")
        tried[fault.id] = Tried(key=keys[fault.id], outcome=outcome, started=started)
        Trials(tried=tried).write(folder / RESULTS)


def list_faults(only: tuple[str, ...], out: Path | None, say: Say) -> int:
    """Print a line for each fault, with its outcome if it has a current one. Raises UserError as `mutate` does."""
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
    return f"{row.fault.id:<34} {row.fault.file.removeprefix('src/'):<28} {row.fault.why} ({state})"


@contextmanager
def _copies(root: Path, count: int) -> Iterator[list[Copy]]:
    """Make copies in a temporary folder, one a worker."""
    with tempfile.TemporaryDirectory(prefix="ams-mutate-") as name:
        copies = [Copy(root, Path(name) / str(number)) for number in range(count)]
        copies[0].refuse_other_tests()
        yield copies


def _refuse_unsound(copy: Copy, faults: tuple[Fault, ...]) -> None:
    """Run the tests of all the faults on sound code. Raises UserError where they fail."""
    tests = dict.fromkeys(test for fault in faults for test in fault.asked(copy.root))
    files = {test for test in tests if "::" not in test}
    outcome = copy.ask([test for test in tests if test in files or test.partition("::")[0] not in files], SOUND_SECONDS)
    if outcome.ending is not Ending.SURVIVED:
        raise UserError(f"mutate: without any fault the tests fail: {outcome.by} {outcome.how}")


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
