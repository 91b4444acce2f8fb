"""What a cell cost, when, on what it was computed; and how a study's cells are shared out by their costs."""

import heapq
from collections.abc import Iterable, Sequence
from pathlib import Path

from verdicts.records.checksummed import Checksummed, NotCurrent
from verdicts.records.provenance import ComputedOn

THERE = 1e-3
"""Seconds that a cell counts with which is only read."""


class Cost(Checksummed):
    """What a cell cost: processor seconds without those of the cells that it `asked` for (their files), when, and in
    the run of which id.

    `call` is the cell's digest. `before` is what was known of its cost when that run began: shares that start at
    different times so know the same.
    """

    seconds: float
    started: str
    run: str = ""
    asked: tuple[str, ...] = ()
    call: str = ""
    before: float | None = None
    computed_on: ComputedOn = ComputedOn()

    def known(self, run: str) -> float | None:
        """Return the seconds that the run of an id knew of when it began; all, for an empty id."""
        return self.before if self.run == run != "" else self.seconds


def cost_at(path: Path) -> Cost | None:
    """Return what the cell of a file cost, None where that is not known."""
    try:
        return Cost.read(path.with_suffix(".cost"))
    except NotCurrent:
        return None


def costs_below(folder: Path, paths: Iterable[Path], run: str = "") -> dict[Path, Cost]:
    """Return the costs of the cells that lie there, and of all that they asked for, by file: all, or of one run."""
    waiting, costs = list(paths), dict[Path, Cost]()
    while waiting:
        path = waiting.pop()
        if path not in costs and path.is_file() and (cost := cost_at(path)):
            costs[path] = cost
            waiting += [folder / name for name in cost.asked]
    return {path: cost for path, cost in costs.items() if run in ("", cost.run)}


def costs_by_call(folder: Path, run: str) -> dict[str, float]:
    """Return what calls of one function cost before a run began, whatever its sources then; the newest counts."""
    costs = sorted((cost for path in folder.glob("*.cost") if (cost := cost_at(path))), key=lambda cost: cost.started)
    return {cost.call: known for cost in costs if (known := cost.known(run)) is not None}


def shared_out(seconds: Sequence[float], shares: int) -> list[int]:
    """Return the share of each piece of work: the longest first, each to the share with the least to do so far.

    The longest share takes at most 4/3 - 1/(3 shares) of the least time possible (Graham, Bounds on multiprocessing
    timing anomalies, SIAM J. Appl. Math. 17, 1969, theorem 2). Pieces of equal length go round.
    """
    loads = [(0.0, share) for share in range(shares)]
    owners = [0] * len(seconds)
    for index in sorted(range(len(seconds)), key=lambda index: (-seconds[index], index)):
        load, owners[index] = heapq.heappop(loads)
        heapq.heappush(loads, (load + seconds[index], owners[index]))
    return owners


def mixture(costs: Iterable[Cost], here: ComputedOn | None = None) -> str:
    """Say which releases computed cells of one study, and how many (`here`: what is to compute more); empty for one.

    Cells of which it is not known do not count.
    """
    counts: dict[str, int] = {}
    for cost in costs:
        if cost.computed_on.releases:
            counts[cost.computed_on.releases] = counts.get(cost.computed_on.releases, 0) + 1
    words = [f"{count} with {which}" for which, count in sorted(counts.items())]
    if here and here.releases and here.releases not in counts:
        words.append(f"the others would be with {here.releases}")
    return ", ".join(words).replace(" with", " of its cells were computed with", 1) if len(words) > 1 else ""
