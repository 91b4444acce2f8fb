"""How a finished run would scale to a cluster, from what its cells took: `python -m tools.scaling`
prints a table.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from ams_suite.project import PROJECT
from tools import run, say
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.forecast import simulated, work_of
from verdicts.run.plan import NODES

COUNTS = tuple(2**power for power in range(11))


@dataclass(frozen=True)
class Scaling:
    """Simulate a finished run on 1 to 1024 nodes."""

    profile: Profile = Profile.CPU
    """Whose run."""
    out: Path | None = None
    """The folder above the profile's results (default: results/)."""
    start: float = 4.0
    """Seconds that a job takes to start: an interpreter, and the libraries that a study imports."""

    def __call__(self) -> int:
        """Print the table, and the largest pieces. Raises UserError where there is no run."""
        workspace = Workspace.open(find_root(Path.cwd()), self.profile, self.out, PROJECT)
        work, report = work_of(workspace)
        if not any(each.listed for each in work):
            raise UserError(
                f"{workspace.folder}: no study; run `ams reproduce --profile {self.profile}` first"
            )
        runs = [simulated(work, report, nodes, self.start, NODES) for nodes in COUNTS]
        whole = runs[0].seconds
        say(
            "| nodes | seconds | times faster | part of the nodes' time in use |\n|---|---|---|---|"
        )
        for each in runs:
            faster, used = whole / each.seconds, each.busy / each.nodes / each.seconds
            say(f"| {each.nodes} | {each.seconds:.0f} | {faster:.1f} | {used:.0%} |")
        cells = [(cost.seconds, name) for each in work for name, cost in each.cells.items()]
        say("longest cell: {:.1f} s, {}".format(*max(cells)))
        say("longest study: {:.1f} s, {}".format(*max((each.study, each.group) for each in work)))
        return 0


if __name__ == "__main__":
    sys.exit(run(Scaling))
