"""What a result depends on that it should not: `python -m ams_suite.tools.determinism`.

Groups are run once with one thread in one share, then again, in 3 and 8 shares, and with two threads, each in a folder
of its own; cells, tables and measured values are compared with the first run's (`differences`). With `--between A B`
two folders of results that lie there are compared, for instance of two releases of torch. Where jobs are forks (Linux)
all have the hash seed of this process: `ams faults hash-seed` varies that.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import tyro

from ams_suite.project import PROJECT
from ams_suite.tools.differences import Compared, compared
from verdicts.claims.schema import Profile
from verdicts.errors import UserError, code_of, unknown
from verdicts.records.figures import Table
from verdicts.records.provenance import now
from verdicts.records.run_record import Run
from verdicts.records.section import FOLDER, Section
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.job import Job
from verdicts.run.workers import Task, alone, import_ahead

Say = Callable[[str], None]
FLOAT32 = 1e-4
"""Tolerance where networks compute in float32: 2^-24 a rounding, a thousand in turn, in another order."""
GROUPS = ("update_rule", "momentum", "noise_schedules", "learned", "graph_comparison")
HEADER = (
    "group",
    "run",
    "cells",
    "other cells",
    "missing cells",
    "largest difference",
    "in",
    "tolerance",
    "other verdicts",
)


class Variation(NamedTuple):
    """A way to run a group: in so many shares, with so many threads; which relative difference it may make."""

    name: str
    shares: int
    threads: int
    tolerance: float


FIRST = Variation("first", 1, 1, 0.0)
VARIATIONS = (
    Variation("again", 1, 1, 0.0),
    Variation("3 shares", 3, 1, 0.0),
    Variation("8 shares", 8, 1, 0.0),
    Variation("2 threads", 1, 2, FLOAT32),
)


@dataclass(frozen=True)
class Determinism:
    """Run groups in several ways and compare the results; or compare two folders of results."""

    groups: tyro.conf.Positional[tuple[str, ...]] = GROUPS
    """Which groups."""
    profile: Profile = Profile.QUICK
    """In which profile."""
    between: tuple[Path, Path] | None = None
    """Two folders of results to compare instead (each the folder above a profile's)."""
    tolerance: float = FLOAT32
    """With `--between`: the relative difference that is allowed."""
    out: Path | None = None
    """Where to write the report's section (default: results/)."""

    def do(self, say: Say) -> int:
        """Do it; return 1 where a difference is above its tolerance. Raises UserError for an unknown group."""
        workspace = Workspace.open(find_root(Path.cwd()), self.profile, self.out, PROJECT)
        known = [group.id for group in workspace.claims.group if workspace.claims_here(group)]
        for name in self.groups:
            if name not in known:
                raise unknown("group", name, known)
        if self.between:
            return _reported(say, self._between(workspace, *self.between))
        begun, begin, rows = now(), time.process_time(), []
        with TemporaryDirectory() as folder:
            for row in self._varied(Path(folder)):
                rows.append(row)
                say(_line(*row))
        self._section(workspace, rows, begun).write(workspace.folder / FOLDER / "determinism.json")
        say(f"{time.process_time() - begin:.0f} s in this process; {workspace.folder / FOLDER / 'determinism.json'}")
        return 0 if all(compared.within(way.tolerance) for _, way, compared in rows) else 1

    def _varied(self, folder: Path) -> Iterator[tuple[str, Variation, Compared]]:
        first = self._opened(folder / "first")
        import_ahead(first, self.groups)
        for group in self.groups:
            _run(first, group, FIRST)
            for number, way in enumerate(VARIATIONS):
                other = self._opened(folder / str(number))
                _run(other, group, way)
                yield group, way, compared(first, other, group)

    def _opened(self, out: Path) -> Workspace:
        return Workspace.open(find_root(Path.cwd()), self.profile, out, PROJECT)

    def _between(self, workspace: Workspace, one: Path, other: Path) -> Iterator[tuple[str, Variation, Compared]]:
        way, opened = Variation("between", 1, 1, self.tolerance), (self._opened(one), self._opened(other))
        for group in self.groups:
            for each in opened:
                if not any(each.record_path(claim).is_file() for claim in each.claims.of_group(group)):
                    raise UserError(f"--between: {each.folder} has no results of the group {group}")
            yield group, way, compared(*opened, group)

    def _section(self, workspace: Workspace, rows: Sequence[tuple[str, Variation, Compared]], begun: str) -> Section:
        groups = [group for group in workspace.claims.group if group.id in self.groups]
        sources = {
            name: digest
            for group in groups
            if (parts := workspace.study_parts(group))
            for name, digest in parts.sources.items()
        }
        same = all(each.within(way.tolerance) for _, way, each in rows)
        text = (
            f"The groups {', '.join(self.groups)} again, in 3 and 8 shares, and with two threads, compared with one "
            f"run with one thread in one share. All differences are within the tolerances: {'yes' if same else 'no'}. "
            f"Again and in shares: no byte of a cell may differ; two threads: {FLOAT32:g}, relative to the largest "
            "number of a column, since sums are made in another order."
        )
        return Section(
            id="determinism",
            title="What number of threads and shares changes",
            text=text,
            table=Table(id="determinism", caption=text, header=HEADER, rows=tuple(_cells(*row) for row in rows)),
            command=f"python -m ams_suite.tools.determinism {' '.join(self.groups)} --profile {workspace.profile}",
            started=begun,
            sources=sources,
        )


def _run(workspace: Workspace, group: str, way: Variation) -> None:
    """Run a group, each job in a process of its own. Raises UserError where one ends badly."""
    Run.begin(workspace)
    place = (workspace.root, workspace.profile, workspace.folder.parent, workspace.project.place, group)
    jobs = [Job("study", *place, share=share, shares=way.shares) for share in range(way.shares) if way.shares > 1]
    for number, job in enumerate([*jobs, Job("checks", *place)]):
        log = f"{group}.{number}"
        if code := alone(workspace, Task(job, log, way.threads, ())):
            raise UserError(f"{group}: a job ended with {code}: see {workspace.log_path(log)}")


def _cells(group: str, way: Variation, pair: Compared) -> tuple[str | int | float, ...]:
    shown = (
        pair.cells,
        pair.others,
        pair.missing,
        pair.difference if math.isfinite(pair.difference) else "other words",
    )
    return group, way.name, *shown, pair.where, way.tolerance, ", ".join(pair.verdicts)


def _line(group: str, way: Variation, pair: Compared) -> str:
    mark = "within" if pair.within(way.tolerance) else "NOT within"
    place = f" in {pair.where}" if pair.where else ""
    verdicts = f"; other verdicts: {', '.join(pair.verdicts)}" if pair.verdicts else ""
    cells = f"{pair.others} of {pair.cells} cells differ{f', {pair.missing} are missing' if pair.missing else ''}"
    return f"{group}, {way.name}: {cells}, {pair.difference:.2g}{place}: {mark} {way.tolerance:g}{verdicts}"


def _reported(say: Say, rows: Iterator[tuple[str, Variation, Compared]]) -> int:
    worst = 0
    for group, way, pair in rows:
        say(_line(group, way, pair))
        worst |= not pair.within(way.tolerance)
    return int(worst)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; bad input is one line on stderr and exit code 2."""
    asked = tyro.cli(Determinism, args=arguments, config=(tyro.conf.EnumChoicesFromValues,))
    return code_of(lambda: asked.do(print))


if __name__ == "__main__":
    sys.exit(main())
