"""MNIST with its exact score, M1: evaluations saved."""

from ams_suite import measures
from experiments.images.comparison import CONFIDENCE, column, error_curve
from experiments.images.exact import BASELINE, PAPER
from experiments.images.mnist import study
from experiments.images.mnist.settings import Settings
from verdicts import Measurement


def speed_up_over_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's evaluations over adaptive momentum's at its second budget, at equal KL per pixel."""
    ((budget, errors),) = study.fresh_errors(settings, PAPER).items()
    ours, theirs = column(errors, "kl"), error_curve(study.fresh_errors(settings, BASELINE), "kl")
    return measures.speed_up(ours, theirs, budget, CONFIDENCE, settings.seed, settings.batch, baseline=BASELINE)


def kl_of_annealed_langevin_at_twice_the_evaluations(settings: Settings) -> Measurement:
    """Measure annealed Langevin's KL per pixel at twice adaptive momentum's evaluations less the latter's (paired)."""
    ((budget, ours),) = study.fresh_errors(settings, PAPER).items()
    theirs = study.fresh_errors(settings, BASELINE)[2 * budget]
    pair = column(theirs, "kl"), column(ours, "kl")
    return measures.mean_difference(*pair, CONFIDENCE, settings.seed, settings.batch, budget=budget)
