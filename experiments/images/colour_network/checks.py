"""X5 to X9: colour images from the suite's own network, hyperparameters chosen twice on other images."""

from collections.abc import Callable

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.colour_network import losses, study
from experiments.images.colour_network.settings import ADAPTIVE, ANCESTRAL, LATE, PLAIN, Settings
from experiments.images.colour_network.tuning import CHOICES
from experiments.images.comparison import column
from experiments.images.loss import worst_ratio
from verdicts import Measurement, check

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


@check("X7.ancestral")
def excess_over_ancestral_sampling(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus ancestral sampling's kernel distance at 100 evaluations, both tuned."""
    return difference(settings, (ADAPTIVE, LATE), (ANCESTRAL, LATE))


@check("X8.exact")
def worst_loss_ratio_to_the_exact_score(settings: Settings) -> Measurement:
    """Measure the network's loss on unseen images over that of the exact score of the images seen, where worst."""
    return _worst(settings, losses.EXACT)


@check("X8.gaussian")
def worst_loss_ratio_to_a_gaussian(settings: Settings) -> Measurement:
    """Measure the network's loss on unseen images over that of a Gaussian fitted to the images seen, where worst."""
    return _worst(settings, losses.GAUSSIAN)


def _worst(settings: Settings, other: str) -> Measurement:
    ours, theirs = (losses.per_image(case, settings.images) for case in (losses.NETWORK, other))
    return measures.of_interval(worst_ratio(ours, theirs, CONFIDENCE), losses.SEED)


@check("X9.variance")
def variance_ratio_less_that_of_langevins_corrector(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus the plain corrector's variance ratio at 100 evaluations, both tuned."""
    return _over_choices(
        settings,
        lambda choice: _variance_ratios(settings, ADAPTIVE, choice),
        lambda choice: _variance_ratios(settings, PLAIN, choice),
    )


def _variance_ratios(settings: Settings, sampler: str, choice: int) -> list[float]:
    return column(study.batches(settings, sampler, LATE, choice), "variance_ratio")
