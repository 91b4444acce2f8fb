"""MNIST with a pretrained DDPM network, claims I10, I11 and I14."""

import numpy as np

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.denoiser import study
from experiments.images.denoiser.settings import Settings
from experiments.images.pretrained.checks import difference, least_excess
from verdicts import Measurement


def denoising_loss(settings: Settings) -> Measurement:
    """Measure the denoising loss on test images, the mean over images and noise levels."""
    return _over_images(settings, study.losses(settings, settings.weights))


def excess_loss_of_fashion_mnists_network(settings: Settings) -> Measurement:
    """Measure the denoising loss of Fashion-MNIST's network less that of MNIST's, on the same digits and noise."""
    return _over_images(settings, study.losses(settings, "fashion-ddpm") - study.losses(settings, settings.weights))


def relative_difference_of_two_networks_noise(settings: Settings) -> Measurement:
    """Measure the mean square by which the noise that the DDPM and the VE network see differs, over the noise's own."""
    return _over_images(settings, study.noise_difference(settings.setup, "mnist-ve", settings.images, settings.times))


def _over_images(settings: Settings, values: np.ndarray) -> Measurement:
    return measures.mean_of(values.tolist(), CONFIDENCE, settings.seed)


def excess(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's energy distance minus another's, paired by batch (pixel units)."""
    return difference(settings, sampler, other, settings.side)


def least(settings: Settings, sampler: str) -> Measurement:
    """Return a sampler's energy distance minus that of a later sampler: the least, paired by batch (pixel units)."""
    return least_excess(settings, sampler, "side", "side")
