"""X5 to X7: colour images from the suite's own network, hyperparameters chosen twice on other
images.
"""

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.colour_network import study
from experiments.images.colour_network.settings import EARLY, Settings
from experiments.images.colour_network.tuning import CHOICES
from verdicts import Measurement

Run = tuple[str, int]
"""A sampler, and its score evaluations."""


def difference(settings: Settings, worse: Run, better: Run) -> Measurement:
    """Return the kernel distance of one sampler's runs minus that of another's, with both choices.

    Runs are paired by batch: start, noise and reference are common.
    """
    of_choices = []
    for choice in range(len(CHOICES)):
        distances = study.kernels(settings, *worse, choice)
        others = study.kernels(settings, *better, choice)
        of_choices.append(
            measures.mean_difference(distances, others, CONFIDENCE, settings.seed, settings.batch)
        )
    return measures.over_choices(of_choices)


def speed_up(settings: Settings) -> Measurement:
    """Return the evaluations of Langevin's corrector over the adaptive corrector's 50, both tuned,
    with both choices.

    Evaluations are those for the kernel distance that the adaptive corrector has; the interval ends
    at budgets.
    """
    of_choices = [
        measures.speed_up(
            ours[EARLY].tolist(), theirs, EARLY, CONFIDENCE, settings.seed, settings.batch
        )
        for ours, theirs in study.tuned_pairs(settings).values()
    ]
    return measures.over_choices(of_choices)
