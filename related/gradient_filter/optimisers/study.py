"""What the group computes once: the runs that are judged, and those that the rates were chosen by."""

from collections.abc import Iterator

from related.gradient_filter.optimisers.comparison import runs, tried, tuning_runs
from related.gradient_filter.optimisers.descents import OPTIMISERS, cell_of
from related.gradient_filter.optimisers.settings import Settings
from verdicts.studies import Cell


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read, a run each."""
    for problem in settings.problems:
        for name in OPTIMISERS:
            yield from map(cell_of, runs(settings, problem, name))
            for rate in tried(problem, name) if settings.tuned else ():
                yield from map(cell_of, tuning_runs(problem, name, rate))
