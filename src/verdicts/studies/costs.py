"""What a cell cost, when, and on what it was computed."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from verdicts.records.checksummed import Checksummed
from verdicts.records.provenance import ComputedOn


class Cost(Checksummed):
    """What a cell cost: processor seconds without those of the cells that it `asked` for (their files), when, and in
    the run of which id."""

    seconds: float
    started: str
    run: str = ""
    asked: tuple[str, ...] = ()
    computed_on: ComputedOn = ComputedOn()


def cost_at(path: Path) -> Cost | None:
    """Return what the cell of a file cost, None where that is not known."""
    return Cost.read_or_none(path.with_suffix(".cost"))


def costs_below(folder: Path, paths: Iterable[Path], run: str = "") -> dict[Path, Cost]:
    """Return the costs of the cells that lie there, and of all that they asked for, by file: all, or of one run."""
    waiting, costs = list(paths), dict[Path, Cost]()
    while waiting:
        path = waiting.pop()
        if path not in costs and path.is_file() and (cost := cost_at(path)):
            costs[path] = cost
            waiting += [folder / name for name in cost.asked]
    return {path: cost for path, cost in costs.items() if run in ("", cost.run)}


def mixture(costs: Iterable[Cost], here: ComputedOn | None = None) -> str:
    """Say which releases computed cells of one study, and how many (`here`: what is to compute more); empty for one.

    Cells of which it is not known do not count.
    """
    counts = Counter(cost.computed_on.releases for cost in costs if cost.computed_on.releases)
    words = [f"{count} with {which}" for which, count in sorted(counts.items())]
    if here and here.releases and here.releases not in counts:
        words.append(f"the others would be with {here.releases}")
    return ", ".join(words).replace(" with", " of its cells were computed with", 1) if len(words) > 1 else ""
