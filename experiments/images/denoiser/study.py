"""MNIST with a pretrained DDPM network, claims I10, I11 and I14: its skill, and the batches of three samplers on it."""

from collections.abc import Iterator

import numpy as np
import torch

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.denoiser.settings import Settings
from experiments.images.loss import gaussian, levels_at, midpoints
from experiments.images.pretrained import inputs, runs, study
from experiments.images.pretrained.checks import difference, least_excess
from experiments.images.pretrained.settings import Setup
from verdicts import Measurement
from verdicts.studies import Array, Cell, cell

DATA = ("mnist-ve", "mnist-ddpm", "mnist-test")


@cell(data=DATA)
def noise_difference(setup: Setup, other: str, images: int, times: int) -> Array:
    """The mean square by which the noise that two networks see differs, of each image; 1 would be the noise itself."""
    x = inputs.test_images()[:images]
    z, total = gaussian(setup.seed, tuple(x.shape)), torch.zeros(images, dtype=torch.float64)
    ours, theirs = (inputs.score(each) for each in (setup, setup._replace(weights=other)))
    for level in levels_at(midpoints(times)):
        y = x + level.sigma * z
        apart = level.sigma * (ours(y, level) - theirs(y, level))
        total += apart.double().square().flatten(1).mean(1) / times
    return total.numpy()


def losses(settings: Settings, weights: str) -> Array:
    """Return a network's denoising loss of each image."""
    return runs.denoising_loss(settings.setup._replace(weights=weights), settings.images, settings.times)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    for sampler in settings.samplers:
        yield from study.batches(settings, sampler, settings.side)
    yield runs.held_out_quality.cell(settings.setup, settings.batches)
    for weights in (settings.weights, "fashion-ddpm"):
        yield runs.denoising_loss.cell(settings.setup._replace(weights=weights), settings.images, settings.times)
    yield noise_difference.cell(settings.setup, "mnist-ve", settings.images, settings.times)


def denoising_loss(settings: Settings) -> Measurement:
    """Measure the denoising loss on test images, the mean over images and noise levels."""
    return _over_images(settings, losses(settings, settings.weights))


def excess_loss_of_fashion_mnists_network(settings: Settings) -> Measurement:
    """Measure the denoising loss of Fashion-MNIST's network less that of MNIST's, on the same digits and noise."""
    return _over_images(settings, losses(settings, "fashion-ddpm") - losses(settings, settings.weights))


def relative_difference_of_two_networks_noise(settings: Settings) -> Measurement:
    """Measure the mean square by which the noise that the DDPM and the VE network see differs, over the noise's own."""
    return _over_images(settings, noise_difference(settings.setup, "mnist-ve", settings.images, settings.times))


def _over_images(settings: Settings, values: np.ndarray) -> Measurement:
    return measures.mean_of(values.tolist(), CONFIDENCE, settings.seed)


def excess(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's energy distance minus another's, paired by batch (pixel units)."""
    return difference(settings, sampler, other, settings.side)


def least(settings: Settings, sampler: str) -> Measurement:
    """Return a sampler's energy distance minus that of a later sampler: the least, paired by batch (pixel units)."""
    return least_excess(settings, sampler, "side", "side")
