"""MNIST with its exact score, claims M1 and M2: evaluations saved, and the variance of samples."""

from ams_suite import measures
from experiments.images.comparison import CONFIDENCE, column, error_curve
from experiments.images.exact import BASELINE, PAPER
from experiments.images.mnist import study
from experiments.images.mnist.settings import Settings
from verdicts import Measurement, check


@check("M1.speed_up")
def speed_up_over_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's evaluations over adaptive momentum's at its second budget, at equal KL per pixel."""
    budget = sorted(settings.budgets)[1]
    curve = {each: study.errors(settings, BASELINE, each) for each in settings.budgets_of(BASELINE)}
    ours, theirs = column(study.errors(settings, PAPER, budget), "kl"), error_curve(curve, "kl")
    return measures.speed_up(ours, theirs, budget, CONFIDENCE, settings.seed, settings.batch, baseline=BASELINE)


@check("M2.adaptive")
def variance_ratio_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's variance ratio at the largest budget."""
    return _at_largest_budget(settings, PAPER)


@check("M2.langevin")
def variance_ratio_of_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's variance ratio at the largest budget: the control."""
    return _at_largest_budget(settings, BASELINE)


def _at_largest_budget(settings: Settings, sampler: str) -> Measurement:
    ratios = column(study.errors(settings, sampler, max(settings.budgets + settings.long)), "variance_ratio")
    return measures.mean_of(ratios, CONFIDENCE, settings.seed, settings.batch)
