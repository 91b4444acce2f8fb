"""X5 to X9: colour images from the suite's own network, every sampler's hyperparameters chosen on other images."""

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.colour_network import losses, study
from experiments.images.colour_network.settings import ADAPTIVE, ANCESTRAL, EARLY, LATE, PLAIN, SOLVER, Settings
from experiments.images.comparison import column
from experiments.images.loss import worst_ratio
from verdicts import Measurement, check


def difference(settings: Settings, worse: tuple[str, int], better: tuple[str, int]) -> Measurement:
    """Return the kernel distance of one run minus that of another, paired by batch: start and noise are common."""
    one, other = (study.kernels(settings, *run) for run in (worse, better))
    return measures.mean_difference(one, other, CONFIDENCE, settings.seed, settings.batch)


@check("X5.gain")
def gain_over_langevins_corrector_at_the_smaller_budget(settings: Settings) -> Measurement:
    """Measure the plain corrector's minus the adaptive corrector's kernel distance at 50 evaluations, both tuned."""
    return difference(settings, (PLAIN, EARLY), (ADAPTIVE, EARLY))


@check("X5a.gain")
def gain_over_langevins_corrector_at_the_larger_budget(settings: Settings) -> Measurement:
    """Measure the plain corrector's minus the adaptive corrector's kernel distance at 100 evaluations, both tuned."""
    return difference(settings, (PLAIN, LATE), (ADAPTIVE, LATE))


@check("X6.half")
def gain_over_langevins_corrector_with_twice_the_evaluations(settings: Settings) -> Measurement:
    """Measure the plain corrector's kernel distance at 100 evaluations minus the adaptive corrector's at 50."""
    return difference(settings, (PLAIN, LATE), (ADAPTIVE, EARLY))


@check("X7.ancestral")
def excess_over_ancestral_sampling(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus ancestral sampling's kernel distance at 100 evaluations, both tuned."""
    return difference(settings, (ADAPTIVE, LATE), (ANCESTRAL, LATE))


@check("X7.solver")
def excess_over_a_solver(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus SDE-DPM-Solver++'s kernel distance at 100 evaluations, both tuned."""
    return difference(settings, (ADAPTIVE, LATE), (SOLVER, LATE))


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


@check("X8a.gaussian")
def gain_over_a_fitted_gaussian(settings: Settings) -> Measurement:
    """Measure a fitted Gaussian's kernel distance minus that of Langevin's corrector at the claims' largest budget."""
    return difference(settings, (study.GAUSSIAN, 0), (PLAIN, LATE))


@check("X9.variance")
def variance_ratio_less_that_of_langevins_corrector(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's minus the plain corrector's variance ratio at 100 evaluations, both tuned."""
    ours, theirs = (column(study.batches(settings, name, LATE), "variance_ratio") for name in (ADAPTIVE, PLAIN))
    return measures.mean_difference(ours, theirs, CONFIDENCE, settings.seed, settings.batch)
