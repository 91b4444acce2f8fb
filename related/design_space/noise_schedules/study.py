"""What the group computes once, for checks, figures and tables."""

from collections.abc import Iterator

from related.design_space.noise_schedules import schedules
from related.design_space.noise_schedules.settings import Settings
from verdicts.studies import Cell


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    yield from (schedules.exact_run.cell(count) for count in settings.counts)
    for target in schedules.TARGETS:
        for count in settings.budgets:
            yield from (schedules.outcomes.cell(target, name, count, settings.sizes) for name in schedules.SCHEDULES)
