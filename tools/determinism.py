"""What a result depends on that it should not: `python -m tools.determinism`.

Groups are run once with one thread in one share, then again, in 3 and 8 shares, and with two
threads, each in a folder of its own; cells, measured values and verdicts are compared with the
first run's. Where jobs are forks (Linux) all have the hash seed of this process. Two runs that lie
there, as of two releases of torch, `ams compare` compares.
"""

import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import tyro

from ams_suite.project import PROJECT
from tools import run, say
from verdicts.claims.schema import Profile
from verdicts.errors import UserError, unknown
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.job import Job
from verdicts.run.workers import PlannedJob, import_ahead, started

FLOAT32 = 1e-4
"""Tolerance where networks compute in float32: 2^-24 a rounding, a thousand in turn, in another
order.
"""
GROUPS = ("update_rule", "momentum", "noise_schedules", "learned", "graph_comparison")
MEASURED = ("value", "low", "high")


class Variation(NamedTuple):
    """A way to run a group: in so many shares, with so many threads."""

    name: str
    shares: int = 1
    threads: int = 1

    @property
    def tolerance(self) -> float:
        """Return which relative difference it may make; 0: no byte may differ."""
        return FLOAT32 if self.threads > 1 else 0.0


FIRST = Variation("first")
VARIATIONS = (
    Variation("again"),
    Variation("3 shares", 3),
    Variation("8 shares", 8),
    Variation("2 threads", 1, 2),
)


class Compared(NamedTuple):
    """Two runs of a group: how many cells both have, how many of these have other values, and what
    one run lacks; the largest relative difference of numbers, with the column that holds it
    (infinite: other words, as of a verdict).
    """

    cells: int
    others: int
    missing: tuple[str, ...]
    difference: float
    where: str

    def within(self, tolerance: float) -> bool:
        """Return whether all is the same but for differences within the tolerance; for 0: byte
        for byte.
        """
        return (
            not self.missing
            and self.difference <= tolerance
            and not (self.others and tolerance == 0.0)
        )

    def __str__(self) -> str:
        place = f" in {self.where}" if self.difference else ""
        missing = f"; one lacks {', '.join(self.missing)}" if self.missing else ""
        return f"{self.others} of {self.cells} cells differ, {self.difference:.2g}{place}{missing}"


@dataclass(frozen=True)
class Determinism:
    """Run groups in several ways and compare the results; exit code 1 where a difference is
    above its tolerance.
    """

    groups: tyro.conf.Positional[tuple[str, ...]] = GROUPS
    """Which groups."""
    profile: Profile = Profile.QUICK
    """In which profile."""

    def __call__(self) -> int:
        """Do it. Raises UserError for an unknown group, and where a job ends badly."""
        worst = 0
        with TemporaryDirectory() as folder:
            first = self._opened(Path(folder) / "first")
            known = [group.id for group in first.claims.group if first.claims_here(group)]
            for name in self.groups:
                if name not in known:
                    raise unknown("group", name, known)
            import_ahead(first, self.groups)
            for group in self.groups:
                run_group(first, group, FIRST)
                for number, way in enumerate(VARIATIONS):
                    other = self._opened(Path(folder) / str(number))
                    run_group(other, group, way)
                    found = compared(first, other, group)
                    well = found.within(way.tolerance)
                    say(
                        f"{group}, {way.name}: {found}: "
                        f"{'' if well else 'NOT '}within {way.tolerance:g}"
                    )
                    worst |= not well
        return worst

    def _opened(self, out: Path) -> Workspace:
        return Workspace.open(find_root(Path.cwd()), self.profile, out, PROJECT)


def run_group(workspace: Workspace, group: str, way: Variation) -> None:
    """Run a group, each job in a process of its own. Raises UserError where one ends badly."""
    RunRecord.begin(workspace)
    place = (
        workspace.root,
        workspace.profile,
        workspace.folder.parent,
        workspace.project.place,
        group,
    )
    jobs = [
        Job("study", *place, share=share, shares=way.shares)
        for share in range(way.shares)
        if way.shares > 1
    ]
    for number, job in enumerate([*jobs, Job("checks", *place)]):
        log = f"{group}.{number}"
        path = workspace.log_path(log)
        path.parent.mkdir(parents=True, exist_ok=True)
        process = started(workspace, PlannedJob(job, log, way.threads, ()))
        process.join()
        if process.exitcode:
            raise UserError(f"{group}: a job ended with {process.exitcode}: see {path}")


def compared(one: Workspace, other: Workspace, group: str) -> Compared:
    """Compare a group's cells, verdicts, and the columns of numbers in its tables and measured
    values.
    """
    before, after = (dict(cells_of(each, group)) for each in (one, other))
    columns, then = (dict(columns_of(each, group)) for each in (one, other))
    missing = sorted((before.keys() ^ after.keys()) | (columns.keys() ^ then.keys()))
    apart = {name: difference(columns[name], then[name]) for name in columns.keys() & then.keys()}
    where = max(sorted(apart), key=lambda name: apart[name], default="")
    both = before.keys() & after.keys()
    others = sum(before[name] != after[name] for name in both)
    return Compared(len(both), others, tuple(missing), apart.get(where, 0.0), where)


def cells_of(workspace: Workspace, group: str) -> Iterator[tuple[str, Any]]:
    """Yield the values of a group's cells, by function and arguments."""
    record = workspace.folder / "studies" / f"{group}.json"
    for name in json.loads(record.read_bytes())["files"] if record.is_file() else ():
        if name.endswith(".json"):
            content = json.loads((record.parent / name).read_bytes())
            yield (
                json.dumps([content["function"], content["arguments"]], sort_keys=True),
                content["value"],
            )


def columns_of(workspace: Workspace, group: str) -> Iterator[tuple[str, list[str]]]:
    """Yield columns of words: those of a group's tables, each below its heading, and of each check
    the verdict, value and interval, with the bound and the tolerance that a difference may be small
    beside.
    """
    for path in (
        *workspace.folder.glob(f"studies/{group}.csv"),
        *workspace.folder.glob(f"figures/{group}/*.csv"),
    ):
        with path.open(encoding="utf-8", newline="") as stream:
            for number, column in enumerate(zip(*csv.reader(stream), strict=True)):
                yield (
                    f"{path.name}: {column[0]} ({number})",
                    [word for text in column for word in text.split(" ")],
                )
    for claim in workspace.claims.of_group(group):
        path, declared = workspace.record_path(claim), {each.id: each for each in claim.check}
        for check in json.loads(path.read_bytes())["checks"] if path.is_file() else ():
            known = declared[check["id"]]
            numbers = (*(check[name] for name in MEASURED), known.bound, known.tolerance)
            yield check["id"], [check["verdict"], *map(str, numbers)]


def difference(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the largest difference of two columns, word by word, over the largest of their
    numbers, since a column may hold differences that are rounding alone; infinite where other words
    differ.
    """
    if len(one) != len(other):
        return math.inf
    pairs = [(_number(a), _number(b)) for a, b in zip(one, other, strict=True) if a != b]
    if any(None in pair for pair in pairs):
        return math.inf
    apart = max((abs(a - b) for a, b in pairs if a is not None and b is not None), default=0.0)
    largest = max(
        (abs(number) for word in (*one, *other) if (number := _number(word)) is not None),
        default=0.0,
    )
    return apart / largest if apart else 0.0  # of zeros, one may have another sign


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


if __name__ == "__main__":
    sys.exit(run(Determinism))
