"""How long a plan takes on this machine.

It takes what it took in the kept run, scaled to this machine, then corrected by the speed so far.
The scale is first that of a fixed piece of work, done by as many processes at once as the run has
jobs: its CPU seconds there, its seconds by the clock here. As claims land it becomes what the run
itself measures.
"""

from verdicts.claims.schema import Claim, Group
from verdicts.records.expected import Expected
from verdicts.records.workspace import Workspace
from verdicts.run.calibration import clocked
from verdicts.run.plan import FORCED, Plan, shares_here

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
