"""How long a plan takes: what it took in the kept run, scaled to this machine by a fixed piece of work."""

import time

from verdicts.claims.schema import Claim, Group
from verdicts.records.expected import Expected
from verdicts.records.workspace import Workspace
from verdicts.run.plan import FORCED, Plan
from verdicts.run.study import shares_here

AROUND = 3.0  # seconds around the computing of a run: to import what its jobs need, to write its page
REPEATS = 3


def calibrated() -> float:
    """Return the CPU seconds of a fixed piece of work, the least of a few, in a second or so."""
    import numpy as np

    matrix, taken = np.full((200, 200), 0.5), []
    for _ in range(REPEATS):
        begin = time.process_time()
        sum(n * n for n in range(500_000))
        for _ in range(20):
            np.linalg.eigvalsh(matrix @ matrix)
        taken.append(time.process_time() - begin)
    return round(min(taken), 4)


class Forecast:
    """The seconds that are left of a plan on `jobs` cores, as its claims land."""

    def __init__(self, workspace: Workspace, plan: Plan, expected: Expected, jobs: int = 1) -> None:
        """Share a kept run's seconds among the claims of the plan.

        A group's study counts with the first of its claims; its figures and page, at the end, take an equal part of
        all groups'.
        """
        self.jobs, self.pace = jobs, 1.0
        if expected.calibration and plan.busy_groups:
            self.pace = calibrated() / expected.calibration
        groups = {group.id: group for group in workspace.claims.group}
        self.shares = shares_here(workspace, plan.studies, jobs)
        self.left: dict[str, dict[str, float]] = {}
        for name in plan.groups:
            drawn = expected.beside / len(groups) if name in plan.figures or name in plan.pages else 0.0
            study = expected.studies.get(name, 0.0) * _computed(workspace, plan, groups[name])
            self.left[name] = {"study": study, "figures": drawn}
        for item in plan.pending:
            kept = expected.claims.get(item.claim.id)
            self.left[item.group.id][item.claim.id] = kept.seconds if kept else 0.0

    def land(self, claim: Claim) -> None:
        """Take off what a claim that has landed was to take."""
        for done in (claim.id, "study"):
            self.left[claim.group].pop(done, None)

    @property
    def seconds(self) -> float:
        """Return the wall-clock seconds that are left: all but its study is done by one job of a group."""
        groups = [sum(times.values()) for times in self.left.values()]
        alone = [self._alone(name, times) for name, times in self.left.items()]
        return self.pace * (AROUND + max([sum(groups) / self.jobs, *alone]))

    def _alone(self, group: str, times: dict[str, float]) -> float:
        return sum(times.values()) - times.get("study", 0.0) * (1 - 1 / self.shares.get(group, 1))


def _computed(workspace: Workspace, plan: Plan, group: Group) -> float:
    """Return which part of a group's study is computed: where there is none, what some of its claims ask for."""
    if group.id in plan.studies:
        return 1.0
    pending = [item for item in plan.pending if item.group.id == group.id]
    if workspace.study_path(group).is_file():
        pending = [item for item in pending if item.why == FORCED]
    return len(pending) / len(workspace.claims_here(group)) if pending else 0.0
