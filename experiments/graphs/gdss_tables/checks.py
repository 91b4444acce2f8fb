"""V10 and V11: published rows against ours, and what the choice of real graphs moves."""

from pydantic import JsonValue

from experiments.graphs.gdss_tables import study
from experiments.graphs.gdss_tables.settings import Settings
from experiments.graphs.intervals import farthest, over_seeds
from verdicts import Measurement


def largest_stray(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors the published value of a set is from ours, the largest of
    three statistics.

    Its interval holds the largest true difference: in the standard errors of published row and ours
    together. Raises InsufficientData for so few graphs that no possible difference would be seen.
    """
    row = study.row_of(settings, name)
    size = len(study.published(name).test)
    detail: dict[str, JsonValue] = {entry.statistic: entry.text() for entry in row.entries}
    detail |= {"steps": settings.steps, "size of a row": size}
    if row.false_alarms is not None:
        detail["correct rows left undecided"] = round(row.false_alarms, 3)
    stray = farthest(row.strays(), settings.samples)
    return over_seeds(stray, settings.seed, settings.seeds, **detail)


def half_range_of_real_graphs(settings: Settings, name: str) -> Measurement:
    """Return half the central 95 % range of a row's mean over the statistics, with real graphs as
    generated ones.

    Its interval is that of both ends over the random draws.
    """
    floor = study.real_floor(name, settings.draws, settings.seed)
    size = len(study.published(name).test)
    detail: dict[str, JsonValue] = {
        "mean": floor.value,
        "low": floor.low,
        "high": floor.high,
        "size": size,
    }
    return over_seeds(
        study.real_half_range(name, settings.draws, settings.seed), settings.seed, 1, **detail
    )
