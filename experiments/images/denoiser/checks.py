"""MNIST with a pretrained DDPM network, claims I10, I11 and I14."""

import numpy as np

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.denoiser import study
from experiments.images.denoiser.settings import ANCESTRAL, BASELINE, PAPER, Settings
from experiments.images.pretrained.checks import difference, least_excess
from experiments.images.pretrained.samplers import CRITICAL, FAST
from verdicts import Measurement, check


@check("I10.loss")
def denoising_loss(settings: Settings) -> Measurement:
    """Measure the denoising loss on test images, the mean over images and noise levels."""
    return _over_images(settings, study.losses(settings, settings.weights))


@check("I10.other")
def excess_loss_of_fashion_mnists_network(settings: Settings) -> Measurement:
    """Measure the denoising loss of Fashion-MNIST's network less that of MNIST's, on the same digits and noise."""
    return _over_images(settings, study.losses(settings, "fashion-ddpm") - study.losses(settings, settings.weights))


@check("I10.agreement")
def relative_difference_of_two_networks_noise(settings: Settings) -> Measurement:
    """Measure the mean square by which the noise that the DDPM and the VE network see differs, over the noise's own."""
    return _over_images(settings, study.noise_difference(settings.setup, "mnist-ve", settings.images, settings.times))


def _over_images(settings: Settings, values: np.ndarray) -> Measurement:
    return measures.mean_of(values.tolist(), CONFIDENCE, settings.seed)


@check("I11.annealed")
def energy_gain_over_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's energy distance less adaptive momentum's, paired by batch (pixel units)."""
    return difference(settings, BASELINE, PAPER, settings.side)


@check("I11.ancestral")
def energy_excess_over_ancestral_sampling(settings: Settings) -> Measurement:
    """Measure adaptive momentum's energy distance less ancestral sampling's, paired by batch (pixel units)."""
    return difference(settings, PAPER, ANCESTRAL, settings.side)


@check("I14.annealed")
def least_excess_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's energy distance less that of a later sampler: the least, paired by batch."""
    return least_excess(settings, (PAPER, settings.side), FAST, settings.side)


@check("I14.critical")
def least_excess_of_the_critically_damped_corrector(settings: Settings) -> Measurement:
    """Measure the critically damped corrector's energy distance less that of a later sampler: the least."""
    return least_excess(settings, (CRITICAL, settings.side), FAST, settings.side)
