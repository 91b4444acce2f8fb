"""How long runs take: a plan on this machine, and a finished run on so many nodes.

A plan takes what it took in the kept run, scaled to this machine, then corrected by the speed so
far. The scale is first that of a fixed piece of work, done by as many processes at once as the run
has jobs: its CPU seconds there, its seconds by the clock here. As claims land it becomes what the
run itself measures.

Nodes are simulated from the measured times of all that a run made. Each does one job at a time: a
share of a study, a group's checks with its figures, a notebook page. A job starts in a process of
its own, which takes `start` seconds, once a node is free and the jobs that it follows are done. A
share takes the cells that no other has begun, as in a run; one that asks for a cell which another
is computing waits for it. The report comes last, on one node.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from verdicts.claims.schema import Claim, Group
from verdicts.records.expected import Expected
from verdicts.records.record import Artefacts, Record
from verdicts.records.workspace import Workspace
from verdicts.run.calibration import clocked
from verdicts.run.plan import FORCED, Plan, shares_here, shares_of
from verdicts.studies.store import Cost, costs_below
from verdicts.studies.study import CELLS, share_of

POLL = 0.1
Steps = Iterator[float]
"""A job at work: it gives the seconds until it next begins or ends something."""
AROUND = (
    3.0  # seconds around the computing of a run: to import what its jobs need, to write its page
)
PRIOR = 0.25
"""The part of a plan after which the speed so far counts as much as the kept run."""
AT_FIRST, AT_LAST, UNKNOWN = 1.4, 1.15, 2.0
"""A range ends at the estimate, divided and multiplied by this: before anything has landed, at the
end, without a kept run.
"""


class Forecast:
    """The time that is left of a plan on `jobs` cores, as its claims land.

    Without a kept run each claim counts alike, and nothing is known before some have landed.
    """

    def __init__(
        self, workspace: Workspace, plan: Plan, expected: Expected | None, jobs: int = 1
    ) -> None:
        """Share a kept run's seconds among the claims of the plan.

        A group's study counts with the first of its claims; its figures and page, at the end, take
        an equal part of all groups'.
        """
        self.jobs, self.known, self.scale = jobs, expected is not None, 1.0
        if expected and expected.calibration and plan.groups:
            self.scale = clocked(jobs) / expected.calibration
        self.shares = shares_here(workspace, plan.studies, jobs)
        self.left: dict[str, dict[str, float]] = {name: {} for name in plan.groups}
        for name, times in self.left.items():
            group, drawn = (
                workspace.claims.group_named(name),
                name in plan.figures or name in plan.pages,
            )
            if expected:
                times["study"] = expected.studies.get(name, 0.0) * _computed(workspace, plan, group)
                times["figures"] = drawn * expected.beside / len(workspace.claims.group)
        for item in plan.pending:
            self.left[item.claim.group][item.claim.id] = (
                expected.seconds_of([item.claim]) if expected else 1.0
            )
        self.whole, self.slowdown, self.landed = self.planned, 1.0, 0.0

    def land(self, claim: Claim, elapsed: float) -> None:
        """Take off what a claim was to take that has landed `elapsed` seconds after the start;
        measure the slowdown.

        The slowdown is elapsed over planned time, `p` of the whole plan without slowdown being
        added to both: `(p + elapsed) / (p + done)`, with p = 0 without a kept run.
        """
        for done in (claim.id, "study"):
            self.left[claim.group].pop(done, None)
        prior, self.landed = PRIOR * self.whole if self.known else 0.0, elapsed
        if (share := prior + self.whole - self.planned) > 0:
            self.slowdown = (prior + elapsed) / share

    def between(self, elapsed: float) -> tuple[float, float] | None:
        """Return the least and the most seconds that are likely left `elapsed` seconds after the
        start.

        None where nothing says so: without a kept run, before a tenth of the plan has landed.
        """
        part = self.planned / self.whole if self.whole else 0.0
        if not self.planned or (not self.known and part > 0.9):
            return None
        left, waited = self.slowdown * self.planned, elapsed - self.landed
        # What lands late was not nearly done: it may take as long again
        left = max(left - waited, left / 4, waited - left)
        wide = AT_LAST + (AT_FIRST - AT_LAST) * part if self.known else UNKNOWN
        return left / wide, left * wide

    @property
    def planned(self) -> float:
        """Return the seconds that are left without slowdown: all of a group but its study is done
        by one job.

        Without a kept run it is a number of claims instead.
        """
        groups = [sum(times.values()) for times in self.left.values()]
        alone = [self._alone(name, times) for name, times in self.left.items()]
        return self.scale * (AROUND * self.known + max([sum(groups) / self.jobs, *alone]))

    def _alone(self, group: str, times: dict[str, float]) -> float:
        return sum(times.values()) - times.get("study", 0.0) * (1 - 1 / self.shares.get(group, 1))


def _computed(workspace: Workspace, plan: Plan, group: Group) -> float:
    """Return which part of a group's study is computed: where there is none, what some of its
    claims ask for.
    """
    if group.id in plan.studies:
        return 1.0
    pending = [item for item in plan.pending if item.claim.group == group.id]
    if workspace.study_path(group).is_file():
        pending = [item for item in pending if item.why == FORCED]
    return len(pending) / len(workspace.claims_here(group)) if pending else 0.0


class GroupWork(NamedTuple):
    """What a group took: its cells by the names of their files, those that it lists, and the
    seconds of its checks with their figures, and of its notebook page.
    """

    group: str
    cells: Mapping[str, Cost]
    listed: Sequence[str]
    checks: float
    page: float

    @property
    def study(self) -> float:
        """Return the processor seconds of all cells."""
        return sum(cost.seconds for cost in self.cells.values())

    @property
    def alone(self) -> float:
        """Return what no second node takes off: the longest cell, checks with figures, and page."""
        return (
            max((cost.seconds for cost in self.cells.values()), default=0.0)
            + self.checks
            + self.page
        )


class Simulated(NamedTuple):
    """A run on `nodes` nodes: it takes `seconds`, of which all nodes together are at work for
    `busy`.
    """

    nodes: int
    seconds: float
    busy: float


def work_of(workspace: Workspace) -> tuple[list[GroupWork], float]:
    """Return what each group took in the run that lies in the workspace, and its report; what is
    not there: nothing.
    """
    groups = [
        _work(workspace, group) for group in workspace.claims.group if workspace.claims_here(group)
    ]
    return groups, _seconds(workspace.folder / "published.json")


def _work(workspace: Workspace, group: Group) -> GroupWork:
    folder, path = (workspace.folder.parent / CELLS).resolve(), workspace.study_path(group)
    record = Artefacts.read_or_none(path)
    paths = (
        [(path.parent / name).resolve() for name in record.files if name.endswith(".json")]
        if record
        else []
    )
    cells = {
        place.relative_to(folder).as_posix(): cost
        for place, cost in costs_below(folder, paths).items()
    }
    names = [place.relative_to(folder).as_posix() for place in paths]
    records = [
        Record.read_or_none(workspace.record_path(claim)) for claim in workspace.claims_here(group)
    ]
    checks = sum(each.provenance.seconds for each in records if each) + _seconds(
        workspace.figures_path(group)
    )
    page = (
        _seconds(workspace.page_path(group))
        if group.notebook and workspace.config.notebooks
        else 0.0
    )
    return GroupWork(group.id, cells, [name for name in names if name in cells], checks, page)


def _seconds(path: Path) -> float:
    made = Artefacts.read_or_none(path)
    return made.provenance.seconds if made else 0.0


def simulated(
    work: Sequence[GroupWork], report: float, nodes: int, start: float, most: int
) -> Simulated:
    """Simulate the run on so many nodes, whose studies have as many shares as are made for at most
    `most` nodes.
    """
    shares = shares_of({each.group: each.study for each in work}, min(nodes, most))
    cluster = _Nodes(start)
    order = sorted(work, key=lambda each: -(each.study / shares[each.group] + each.alone))
    cluster.do([job for each in order for job in cluster.jobs(each, shares[each.group])], nodes)
    return Simulated(nodes, cluster.now + report, cluster.busy + report)


class _Waiting(NamedTuple):
    """A job that waits for a node, and for those of these names."""

    name: str
    after: tuple[str, ...]
    work: Steps


class _Nodes:
    """Nodes at work, and the cells that are begun, and done at which time."""

    def __init__(self, start: float) -> None:
        self.start, self.now, self.busy = start, 0.0, 0.0
        self.begun: set[str] = set()
        self.done: dict[str, float] = {}

    def jobs(self, work: GroupWork, shares: int) -> Iterator[_Waiting]:
        """Yield a group's jobs: its study in shares, if it has several, then its checks, then its
        page.
        """
        names = tuple(f"{work.group} {share}" for share in range(shares)) if shares > 1 else ()
        for share, name in enumerate(names):
            yield _Waiting(
                name, (), self.job(work, share_of(work.listed, share, shares), 0.0, wait=False)
            )
        yield _Waiting(work.group, names, self.job(work, work.listed, work.checks))
        if work.page:
            yield _Waiting(f"{work.group} page", (work.group,), self.job(work, (), work.page))

    def job(self, work: GroupWork, listed: Sequence[str], rest: float, wait: bool = True) -> Steps:
        """Start, compute these cells (unless it is to `wait`, those that no other job has begun),
        then do the rest.
        """
        yield self.start
        for name in (name for name in listed if wait or name not in self.begun):
            yield from self.cell(name, work.cells)
        yield rest

    def cell(self, name: str, cells: Mapping[str, Cost]) -> Steps:
        """Compute a cell after those that it asks for; where another job is at it, wait for
        that.
        """
        while name in self.begun:
            if (left := self.done.get(name, self.now + POLL) - self.now) <= 0:
                return
            yield left
        self.begun.add(name)
        for asked in cells[name].asked:
            if asked in cells:
                yield from self.cell(asked, cells)
        self.done[name] = self.now + cells[name].seconds
        yield cells[name].seconds

    def do(self, waiting: list[_Waiting], nodes: int) -> None:
        """Do all jobs, each on the first node that is free for it, in their order."""
        running: list[tuple[float, int, float, _Waiting]] = []
        ended, number = set[str](), 0
        while waiting or running:
            for job in [job for job in waiting if ended.issuperset(job.after)][
                : nodes - len(running)
            ]:
                waiting.remove(job)
                heapq.heappush(running, (self.now, number := number + 1, self.now, job))
            self.now, order, begun, job = heapq.heappop(running)
            if (seconds := next(job.work, None)) is not None:
                heapq.heappush(running, (self.now + seconds, order, begun, job))
            else:
                ended.add(job.name)
                self.busy += self.now - begun
