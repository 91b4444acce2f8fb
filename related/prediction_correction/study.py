"""What the group computes once, for checks, figures and tables."""

from collections.abc import Iterator

import numpy as np

from related.prediction_correction import comparison, equal_cost, fixed_time, inexact, truncated
from related.prediction_correction.settings import Settings
from verdicts.studies import Cell

TIMES = tuple(np.linspace(0.25, 8.0, 14).tolist())
"""The T1 at which the figure of final errors has points."""
RUNS = ((0.0, 0.0), (1e-2, 0.0), (1e-2, fixed_time.LANGEVIN_TIME))
"""Score error and Langevin time of its curves."""


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    yield inexact.random_tightness.cell(settings.errors, settings.seed)
    yield inexact.ascended.cell(settings.climbers, settings.ascents, settings.seed + 2)
    yield fixed_time.contractions.cell(settings.targets, settings.seed)
    yield from (fixed_time.gain.cell(size) for size in fixed_time.ERRORS)
    yield from (fixed_time.final_w2s.cell(size, TIMES, time) for size, time in RUNS)
    yield truncated.random_cases.cell(settings.truncated, settings.seed)
    for place in equal_cost.tried(settings):
        yield equal_cost.gaussian_runs.cell(*place)
        yield comparison.mixture_runs.cell(*place, comparison.signed(settings))
