"""V3: the coverage of intervals of squared MMDs of graphs."""

from ams.statistics import proportion_interval
from ams_suite.measures import of_interval
from experiments.graphs.mmd_intervals import study
from experiments.graphs.mmd_intervals.settings import Settings
from verdicts import Measurement, check


def _share(settings: Settings, held: int) -> Measurement:
    return of_interval(proportion_interval(held, settings.experiments), settings.seed)


@check("V3.published")
def coverage_of_published_values(settings: Settings) -> Measurement:
    """Measure how often the interval of a published MMD, mean of three statistics, holds its true mean."""
    return _share(settings, study.covered(study.design_of(settings), settings.experiments).published)


@check("V3.difference")
def coverage_of_differences(settings: Settings) -> Measurement:
    """Measure how often the interval of a paired difference of MMDs, mean of three statistics, holds the truth."""
    return _share(settings, study.covered(study.design_of(settings), settings.experiments).difference)
