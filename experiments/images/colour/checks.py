"""X0 to X4: the variance of CIFAR-10's samples with the exact score, the adaptive corrector's gain on four networks."""

from ams_suite import measures
from experiments.images.colour import study
from experiments.images.colour.settings import (
    ADAPTIVE_CORRECTOR,
    BASELINE,
    CIFAR,
    CONFIDENCE,
    PAPER,
    PLAIN_CORRECTOR,
    Settings,
)
from verdicts import Measurement, check


def gain(settings: Settings, network: str) -> Measurement:
    """Return the plain corrector's kernel distance minus the adaptive one's, smallest budget, paired by batch."""
    plain, adaptive = (
        [batch.distances[settings.features] for batch in study.batches(settings, network, name, min(settings.budgets))]
        for name in (PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR)
    )
    difference = measures.mean_difference(
        [one.kernel for one in plain], [one.kernel for one in adaptive], CONFIDENCE, settings.seed, settings.batch
    )
    lost = {PLAIN_CORRECTOR: plain.count(study.LOST), ADAPTIVE_CORRECTOR: adaptive.count(study.LOST)}
    detail = {"snr": study.setup_of(settings, network).snr, "lost batches": lost}
    return difference.model_copy(update={"detail": detail})


def variance_ratio(settings: Settings, sampler: str) -> Measurement:
    """Return a sampler's variance ratio at the largest budget with CIFAR-10's exact score: 1 is exact."""
    batches = study.batches(settings, CIFAR, sampler, max(settings.budgets))
    ratios = [batch.variance_ratio for batch in batches]
    return measures.mean_of(ratios, CONFIDENCE, settings.seed, settings.batch)


@check("X0.adaptive")
def variance_ratio_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's variance over the exact one, at the largest budget with CIFAR-10's exact score."""
    return variance_ratio(settings, PAPER)


@check("X0.langevin")
def variance_ratio_of_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's variance over the exact one, at the largest budget with CIFAR-10's exact score."""
    return variance_ratio(settings, BASELINE)


@check("X1.kernel")
def kernel_distance_gain_on_ncsnpp(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's gain in kernel distance over Langevin's: NCSN++ (VE) on CIFAR-10."""
    return gain(settings, "cifar10_ncsnpp_continuous")


@check("X2.kernel")
def kernel_distance_gain_on_ddpmpp(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's gain in kernel distance over Langevin's: DDPM++ (VP) on CIFAR-10."""
    return gain(settings, "cifar10_ddpmpp_continuous")


@check("X3.kernel")
def kernel_distance_gain_on_celeba(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's gain in kernel distance over Langevin's: NCSN++ on CelebA-HQ."""
    return gain(settings, "celebahq_256_ncsnpp_continuous")


@check("X4.kernel")
def kernel_distance_gain_on_church(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's gain in kernel distance over Langevin's: NCSN++ on LSUN church."""
    return gain(settings, "church_ncsnpp_continuous")
