"""What the group computes once, for checks and figures."""

from collections.abc import Iterator

from beyond.kinetic_langevin import nfe_comparison, one_level, rates
from beyond.kinetic_langevin.settings import Settings
from verdicts.studies import Cell


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and figures read."""
    yield from (
        one_level.derivation.cell(method)
        for method in one_level.METHODS
        if method != "exponential Euler"
    )
    yield from (rates.searched_rate.cell(condition) for condition in settings.conditions)
    for name in nfe_comparison.COMPARED:
        yield nfe_comparison.curve.cell(name, settings.targets, settings.budget)
