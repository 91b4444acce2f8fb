"""X5 to X9: colour images from the suite's own network, hyperparameters chosen twice on other images."""

from collections.abc import Callable

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.colour_network import losses, study
from experiments.images.colour_network.settings import ADAPTIVE, LATE, PLAIN, Settings
from experiments.images.colour_network.tuning import CHOICES
from experiments.images.loss import worst_ratio
from verdicts import Measurement

Run = tuple[str, int]
"""A sampler, and its score evaluations."""


def difference(settings: Settings, worse: Run, better: Run) -> Measurement:
    """Return the kernel distance of one sampler's runs minus that of another's, with both choices."""
    return _difference(settings, study.kernels, worse, better)


def _difference(settings: Settings, values: Callable[..., list[float]], one: Run, other: Run) -> Measurement:
    """Return the difference of values of two runs, paired by batch (start, noise and reference are common), with both
    choices."""
    pairs = ([values(settings, *run, choice) for run in (one, other)] for choice in range(len(CHOICES)))
    return measures.over_choices(
        [measures.mean_difference(ours, theirs, CONFIDENCE, settings.seed, settings.batch) for ours, theirs in pairs]
    )


def worst_loss_ratio(settings: Settings, other: str) -> Measurement:
    """Return the network's loss on unseen images over another score's, at the noise level where that is worst.

    The other one is the "exact" score of the images seen, or that of a "gaussian" fitted to them.
    """
    ours, theirs = (losses.per_image(case, settings.images) for case in (losses.NETWORK, other))
    return measures.of_interval(worst_ratio(ours, theirs, CONFIDENCE), losses.SEED)


def variance_ratio_less_that_of_langevins_corrector(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus the plain corrector's variance ratio at 100 evaluations, both tuned."""
    return _difference(settings, study.variance_ratios, (ADAPTIVE, LATE), (PLAIN, LATE))
