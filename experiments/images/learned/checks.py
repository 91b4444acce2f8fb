"""Digits with a learned score, claims Q2 to Q4: how much of the digits held out samples cover."""

from ams_suite import measures
from experiments.images.comparison import CONFIDENCE, column, error_curve
from experiments.images.learned import study
from experiments.images.learned.quality import LEARNED
from experiments.images.learned.settings import PAPER, Settings
from verdicts import Measurement


def coverage_gain(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's coverage less another's at the smallest budget, paired by batch."""
    ours, theirs = (_column(settings, name, "coverage") for name in (sampler, other))
    return measures.mean_difference(ours, theirs, CONFIDENCE, settings.seed, settings.batch)


def speed_up_over_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's evaluations over adaptive momentum's smallest budget, at equal
    coverage.
    """
    ours = _column(settings, PAPER, "missed")
    theirs = error_curve(study.baseline_curve(settings), "missed")
    smallest = min(settings.budgets)
    return measures.speed_up(ours, theirs, smallest, CONFIDENCE, settings.seed, settings.batch)


def _column(settings: Settings, sampler: str, quantity: str) -> list[float]:
    """Return a quantity of a sampler's batches at the smallest budget."""
    return column(study.batches(settings, LEARNED, sampler, min(settings.budgets)), quantity)
