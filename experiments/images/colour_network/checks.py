"""X5 to X9: colour images from the suite's own network, hyperparameters chosen twice on other images."""

from collections.abc import Callable

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.colour_network import losses, study
from experiments.images.colour_network.settings import ADAPTIVE, LATE, PLAIN, Settings
from experiments.images.colour_network.tuning import CHOICES
from experiments.images.comparison import column
from experiments.images.loss import worst_ratio
from verdicts import Measurement

Values = Callable[[int], list[float]]
"""A value of each batch, with a choice of hyperparameters."""


def difference(settings: Settings, worse: tuple[str, int], better: tuple[str, int]) -> Measurement:
    """Return the kernel distance of one sampler's runs minus that of another's, with both choices."""
    return _over_choices(
        settings,
        lambda choice: study.kernels(settings, *worse, choice),
        lambda choice: study.kernels(settings, *better, choice),
    )


def _over_choices(settings: Settings, ours: Values, theirs: Values) -> Measurement:
    """Return a difference, paired by batch (start, noise and reference are common), with both choices."""
    return measures.over_choices(
        [
            measures.mean_difference(ours(choice), theirs(choice), CONFIDENCE, settings.seed, settings.batch)
            for choice in range(len(CHOICES))
        ]
    )


def worst_loss_ratio(settings: Settings, other: str) -> Measurement:
    """Return the network's loss on unseen images over another score's, at the noise level where that is worst.

    The other one is the "exact" score of the images seen, or that of a "gaussian" fitted to them.
    """
    ours, theirs = (losses.per_image(case, settings.images) for case in (losses.NETWORK, other))
    return measures.of_interval(worst_ratio(ours, theirs, CONFIDENCE), losses.SEED)


def variance_ratio_less_that_of_langevins_corrector(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus the plain corrector's variance ratio at 100 evaluations, both tuned."""
    return _over_choices(
        settings,
        lambda choice: _variance_ratios(settings, ADAPTIVE, choice),
        lambda choice: _variance_ratios(settings, PLAIN, choice),
    )


def _variance_ratios(settings: Settings, sampler: str, choice: int) -> list[float]:
    return column(study.batches(settings, sampler, LATE, choice), "variance_ratio")
