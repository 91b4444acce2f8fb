"""How a finished run would scale to a cluster, from what its cells took: `python -m ams_suite.tools.scaling`.

It prints a table, and draws the speed-up over the nodes where `--picture` names a file.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from ams_suite.project import PROJECT
from verdicts.claims.schema import Profile
from verdicts.errors import UserError, code_of
from verdicts.records.kept_costs import NODES
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.scaling import Simulated, Work, simulated, work_of

COUNTS = tuple(2**power for power in range(11))
START = 4.0


@dataclass(frozen=True)
class Scaling:
    """Simulate a finished run on 1 to 1024 nodes."""

    profile: Profile = Profile.CPU
    """Whose run."""
    out: Path | None = None
    """The folder above the profile's results (default: results/)."""
    start: float = START
    """Seconds that a job takes to start: an interpreter, and the libraries that a study imports."""
    most: int = NODES
    """The number of nodes that studies are shared out for."""
    picture: Path | None = None
    """Where to draw the speed-up (SVG or PNG)."""

    def do(self, say: Callable[[str], None]) -> int:
        """Print the table, draw, and return 0. Raises UserError where there is no run."""
        workspace = Workspace.open(find_root(Path.cwd()), self.profile, self.out, PROJECT)
        work, report = work_of(workspace)
        if not any(each.listed for each in work):
            raise UserError(f"{workspace.folder}: no study; run `ams reproduce --profile {self.profile}` first")
        runs = [simulated(work, report, nodes, self.start, self.most) for nodes in COUNTS]
        for line in (*_table(runs), "", *_longest(work, runs[0].seconds, report)):
            say(line)
        if self.picture:
            _draw(runs, self.picture)
        return 0


def _table(runs: Sequence[Simulated]) -> list[str]:
    head = ["| nodes | seconds | times faster | part of the nodes' time in use |", "|---|---|---|---|"]
    whole = runs[0].seconds
    return head + [
        f"| {run.nodes} | {run.seconds:.0f} | {whole / run.seconds:.1f} | {run.busy / run.nodes / run.seconds:.0%} |"
        for run in runs
    ]


def _longest(work: Sequence[Work], whole: float, report: float) -> list[str]:
    """Say what the largest pieces are, in seconds and as parts of the run on one node."""
    cells = [(cost.seconds, name) for each in work for name, cost in each.cells.items()]
    pieces = {
        "cell": max(cells),
        "study": max((each.study, each.group) for each in work),
        "checks and figures of a group": max((each.checks, each.group) for each in work),
        "notebook page": max((each.page, each.group) for each in work),
        "report": (report, "report.html, paper.pdf"),
    }
    lines = [f"- longest {kind}: {took:.1f} s, {took / whole:.1%}: {name}" for kind, (took, name) in pieces.items()]
    return [f"{len(cells)} cells, {sum(took for took, _ in cells):.0f} s", *lines]


def _draw(runs: Sequence[Simulated], path: Path) -> None:
    import matplotlib.pyplot as plt

    with plt.style.context(find_root(Path.cwd()) / "paper/style.mplstyle"):
        figure, axes = plt.subplots(figsize=(4.2, 2.8), layout="constrained")
        nodes = [run.nodes for run in runs]
        axes.loglog(nodes, nodes, color="0.6", linestyle="--", label="each node counts in full")
        axes.loglog(nodes, [runs[0].seconds / run.seconds for run in runs], marker="o", label="simulated")
        axes.set(xlabel="nodes", ylabel="times faster than one node", xticks=nodes[::2], ylim=(0.8, 200))
        axes.set_xticks(nodes[::2], [str(count) for count in nodes[::2]])
        axes.set_yticks([1, 10, 100], ["1", "10", "100"])
        axes.minorticks_off()
        axes.legend(loc="upper left")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; bad input is one line on stderr and exit code 2."""
    asked = tyro.cli(Scaling, args=arguments, config=(tyro.conf.EnumChoicesFromValues,))
    return code_of(lambda: asked.do(print))


if __name__ == "__main__":
    sys.exit(main())
