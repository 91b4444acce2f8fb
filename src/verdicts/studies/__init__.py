"""What is computed once and read often: cells, and the store that seals them.

A group's `study.py` defines cells (functions of what they use) and lists those that its settings
ask for:

    @cell
    def outcome(sampler: str, budget: int, batch: int) -> Outcome: ...

    def cells(settings: Settings) -> Iterator[Cell]:
        for name in settings.samplers:
            yield from (outcome.cell(name, settings.budget, batch) for batch in
            range(settings.batches))

Checks, figures and notebooks call `outcome(...)`, which reads what the study has computed.
"""

from verdicts.studies.cells import Array, Cell, CellFunction, Kept, Memory, cell, using
from verdicts.studies.store import CellFailed, CellMissing, CellUnavailable, Store

__all__ = [
    "Array",
    "Cell",
    "CellFailed",
    "CellFunction",
    "CellMissing",
    "CellUnavailable",
    "Kept",
    "Memory",
    "Store",
    "cell",
    "using",
]
