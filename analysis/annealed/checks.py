"""What is no query of the group's table alone: which samplers the tables show is a setting."""

from ams.samplers.presets import RK45
from ams_suite import queries
from analysis.annealed.settings import EXACT_RIVALS, Settings
from verdicts import Measurement
from verdicts.studies.table import RunTable


def optima_on_an_edge(table: RunTable, settings: Settings) -> Measurement:
    """Count the optima of B4's rivals, and of all samplers in the tables, at an end of what
    tuning tried.
    """
    names = [*EXACT_RIVALS, *(name for name in settings.in_tables if name != RK45.name)]
    over = {"sampler": [*dict.fromkeys(names)], "budget": {"from": 20, "to": 500}}
    return queries.count(table, over, number="edges", tuned="on it")
