"""V3: the coverage of intervals of squared MMDs of graphs."""

from ams.statistics import proportion_interval
from ams_suite.measures import of_interval
from experiments.graphs.mmd_intervals import study
from experiments.graphs.mmd_intervals.settings import Settings
from verdicts import Measurement


def coverage(settings: Settings, of: str) -> Measurement:
    """Return how often an interval holds its true mean: "published" MMDs', or that of a paired "difference"."""
    held = getattr(study.covered(study.design_of(settings), settings.experiments), of)
    return of_interval(proportion_interval(held, settings.experiments), settings.seed)
