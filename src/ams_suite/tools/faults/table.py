"""The table of what was tried, which is a section of the report: a row a fault, the newest trial of each."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ams_suite.tools.faults.fault import FAULTS, Fault, Try
from verdicts.records.checksummed import NotCurrent
from verdicts.records.figures import Table
from verdicts.records.files import sha256_of
from verdicts.records.provenance import git
from verdicts.records.section import FOLDER, Section

HEADER = ("fault", "what is done", "tries", "broke a requirement", "exit codes", "remark", "seed", "when", "commit")
JUDGED, TOOL = ("verdicts/run", "verdicts/records", "verdicts/studies", "ams/data"), "ams_suite/tools/faults"
REQUIRED = (
    "After each try the exit code is one of those documented, nobody sees a traceback, and no verdict that is shown is "
    "wrong; the next plain run ends with the verdicts, values and files of a run that nothing has disturbed. Where one "
    "run after another is killed, no result that was whole is lost"
)
Row = tuple[str | int | float, ...]


class Trial(NamedTuple):
    """The tries of one fault, the seed, when they began (UTC), and the commit."""

    fault: Fault
    tries: Sequence[Try]
    seed: int
    started: str
    commit: str

    @property
    def broken(self) -> int:
        """Return how many tries broke a requirement."""
        return sum(bool(each.broken) for each in self.tries)

    @property
    def tried(self) -> int:
        """Return how many tries were made."""
        return sum(not each.skipped for each in self.tries)

    @property
    def codes(self) -> str:
        """Return the exit codes with how often each was seen."""
        counts = Counter(each.code for each in self.tries if each.code is not None and not each.skipped)
        return ", ".join(f"{_code(code)} ({count})" for code, count in sorted(counts.items()))

    @property
    def remark(self) -> str:
        """Return the first thing that went wrong, or why tries are missing."""
        first = next((f"{each.case}: {each.broken[0]}" for each in self.tries if each.broken), "")
        missed = [each.skipped for each in self.tries if each.skipped]
        return "; ".join([*([first] if first else []), *([f"{len(missed)} not tried: {missed[0]}"] if missed else [])])

    def row(self) -> Row:
        """Return the trial as a row of the table."""
        outcome = (self.tried, self.broken, self.codes, self.remark)
        return (self.fault.name, self.fault.what, *outcome, self.seed, self.started[:10], self.commit[:10])


def _code(code: int) -> str:
    return str(code) if code >= 0 else f"signal {-code}"


def keep(root: Path, folder: Path, trial: Trial) -> Path:
    """Put a trial into the section of the report that lies in the results' `folder`, and return its place.

    Rows of faults that are no more are dropped. Raises OSError.
    """
    path = folder / FOLDER / "faults.json"
    rows = {str(row[0]): row for row in _before(path)} | {trial.fault.name: trial.row()}
    section(root, [rows[name] for name in FAULTS if name in rows], trial.started).write(path)
    return path


def section(root: Path, rows: Sequence[Row], started: str) -> Section:
    """Return the section of these rows; it rests on the code that is judged, and on the tool."""
    tries, broken = (sum(int(row[column]) for row in rows) for column in (2, 3))
    tried = f"{len(rows)} kinds of faults were injected into runs, {tries} tries"
    current = {commit for commit in {str(row[-1]) for row in rows} if _is_code_of(root, commit)}
    earlier = sum(str(row[-1]) not in current for row in rows)
    older = f" {earlier} kinds were tried with earlier code (column commit)." if earlier else ""
    text = f"{tried}. {REQUIRED}: {broken} tries broke a requirement.{older}"
    files = [file for part in (*JUDGED, TOOL) for file in sorted((root / "src" / part).rglob("*.py"))]
    return Section(
        id="faults",
        title="Faults injected into runs",
        text=text,
        table=Table(id="faults", caption=text, header=HEADER, rows=tuple(rows)),
        command="ams faults",
        started=started,
        sources={file.relative_to(root).as_posix(): sha256_of(file.read_bytes()) for file in files},
    )


def _is_code_of(root: Path, commit: str) -> bool:
    """Return whether the code that is judged is as in a commit; no where that cannot be known."""
    return git(root, "diff", "--quiet", commit, "--", *(f"src/{part}" for part in JUDGED)) is not None


def _before(path: Path) -> Sequence[Row]:
    """Return the rows that lie there; none where nothing whole does."""
    try:
        return Section.read(path).table.rows
    except NotCurrent:
        return ()
