"""T11: how much of a run's computing time is spent in what the claims are about: scores,
distributions, metrics.

While cells of a study are computed, a timer that counts CPU time interrupts them. The CPU seconds
since the last interruption count as work where a function of `WORK` is on the stack, else as the
rest: samplers' arithmetic, normal draws, loading, keeping. Cells are drawn at random, all alike, so
that costly ones count by their cost. Each study's share is weighted by its time in the kept run of
the profile cpu, `paper/expected/cpu.json`. Studies that are not looked at, and all that a run does
beside studies, count as no work.
"""

import random
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from ams_suite.project import PROJECT
from experiments.benchmarks.costs import undisturbed
from experiments.benchmarks.settings import Settings
from verdicts import Measurement
from verdicts.claims.schema import Profile
from verdicts.records.expected import read_expected
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.checks import Checks
from verdicts.studies import Cell
from verdicts.studies.store import Store
from verdicts.studies.study import cells_of, store_of

WORK = (
    "torch.nn.modules",
    "ams.targets",
    "ams.laws",
    "ams.metrics",
    "experiments.graphs.discrepancy",
    "experiments.graphs.statistics",
)
"""Where networks are evaluated, exact scores, exact laws, and metrics; modules below these count
too.
"""


@dataclass
class Spent:
    """CPU seconds: all, and those of them at work."""

    total: float = 0.0
    work: float = 0.0

    @property
    def share(self) -> float:
        """Return the part at work."""
        return self.work / self.total


@contextmanager
def watched(spent: Spent, interval: float) -> Iterator[None]:
    """Add to `spent` the CPU seconds inside the block, looked at about every `interval` of them."""
    last = time.process_time()

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.process_time()
        spent.total += now - last
        spent.work += (now - last) * _at_work(frame)
        last = now

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, interval, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _at_work(frame: FrameType | None) -> bool:
    while frame and not f"{frame.f_globals.get('__name__')}.".startswith(
        tuple(f"{name}." for name in WORK)
    ):
        frame = frame.f_back
    return frame is not None


def spent_in(cells: Iterable[Cell[Any]], store: Store, settings: Settings) -> Spent:
    """Return the CPU seconds of cells drawn at random. Raises DataUnavailable where one wants a
    file.
    """
    spent, drawn = Spent(), list(cells)
    random.Random(settings.seed).shuffle(drawn)
    with undisturbed():
        for cell in drawn:
            with watched(spent, settings.interval):
                store.ensure(cell)
            if spent.total > settings.seconds:
                break
    return spent


def share_of_computing_time_at_work(settings: Settings) -> Measurement:
    """Measure the part of the time of studies in the kept run of the profile cpu that is
    networks, scores, metrics.
    """
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(find_root(Path.cwd()), Profile.CPU, Path(folder), PROJECT)
        kept, store = read_expected(workspace.root, Profile.CPU), store_of(workspace)
        assert kept
        shares = {
            group.id: spent_in(
                cells_of(group, Checks.load(workspace, group).settings), store, settings
            ).share
            for group in workspace.claims.group
            if kept.studies.get(group.id, 0.0) >= settings.least
        }
    value = sum(kept.studies[name] * share for name, share in shares.items()) / sum(
        kept.studies.values()
    )
    return Measurement(
        value=value, n=len(shares), detail={name: round(share, 3) for name, share in shares.items()}
    )
