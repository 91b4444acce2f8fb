"""What the group computes once: the batches of three samplers, and what networks see in noisy test images."""

from collections.abc import Iterator

import torch

from experiments.images.denoiser.settings import Settings
from experiments.images.loss import gaussian, levels_at, midpoints
from experiments.images.pretrained import inputs, runs, study
from experiments.images.pretrained.settings import Setup
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
