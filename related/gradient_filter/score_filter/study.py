"""What the group computes once, for checks, figures and tables."""

from collections.abc import Iterator

from related.gradient_filter.score_filter import filter
from related.gradient_filter.score_filter.settings import Settings
from verdicts.studies import Cell


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    yield filter.stationary_variance.cell()
    for run in filter.RUNS:
        yield filter.entrywise.cell(run, settings.groups, settings.particles, settings.seed)
