"""MNIST with its exact score, condition M1: the noise left at twice the evaluations."""

from ams_suite import measures
from experiments.images.comparison import CONFIDENCE, column
from experiments.images.exact import BASELINE, PAPER
from experiments.images.mnist import study
from experiments.images.mnist.settings import Settings
from verdicts import Measurement


def kl_of_annealed_langevin_at_twice_the_evaluations(settings: Settings) -> Measurement:
    """Measure annealed Langevin's KL per pixel at twice adaptive momentum's evaluations less the
    latter's (paired).
    """
    theirs, ours = (column(study.fresh_errors(settings, name), "kl") for name in (BASELINE, PAPER))
    return measures.mean_difference(theirs, ours, CONFIDENCE, settings.seed, settings.batch)
