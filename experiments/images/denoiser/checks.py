"""MNIST with a pretrained DDPM network, asked as a VE score through the common face: claims I10 and I11."""

from __future__ import annotations

from pathlib import Path

import torch

from ams.schedules import Level
from ams.statistics import mean_interval
from experiments.images.loss import gaussian
from experiments.images.networks.unet_ve import ExponentialVE
from experiments.images.pretrained import checks, runs
from experiments.images.pretrained.features import list_features
from experiments.images.pretrained.figures import runs_table, samples_figure
from verdicts import Figure, Measurement, Table, check


class Settings(runs.Settings):
    """As the VE network's (module `pretrained.runs`); the other network."""

    weights: str = "mnist-ddpm"


@check("I10.loss")
def denoising_loss(settings: Settings) -> Measurement:
    """Return the denoising loss on test images, at the noise levels of the VE network's times."""
    mean, low, high, n = mean_interval(runs.losses(settings).tolist(), checks.CONFIDENCE)
    return Measurement(value=mean, low=low, high=high, n=n, seeds=(settings.seed,))


@check("I10.other")
def another_set_of_images(settings: Settings) -> Measurement:
    """Return by how much the loss of Fashion-MNIST's network, on the same digits, exceeds it."""
    other = settings.model_copy(update={"weights": "fashion-ddpm"})
    mean, low, high, n = mean_interval((runs.losses(other) - runs.losses(settings)).tolist(), checks.CONFIDENCE)
    return Measurement(value=mean, low=low, high=high, n=n, seeds=(settings.seed,))


@check("I10.agreement")
def both_networks_see_the_same_noise(settings: Settings) -> Measurement:
    """Return the mean square by which the DDPM and the VE network's noise differ, over that of the noise itself."""
    x = runs.test_images()[: settings.images]
    z, other = gaussian(settings.seed, tuple(x.shape)), settings.model_copy(update={"weights": "mnist-ve"})
    ours, theirs, process = runs.score(settings), runs.score(other), ExponentialVE()
    found = torch.zeros(len(x), dtype=torch.float64)
    for t in ((k + 0.5) / settings.times for k in range(settings.times)):
        level = Level(0, sigma=process.marginal(t)[1], t=t)
        y = x + level.sigma * z
        apart = level.sigma * (ours(y, level) - theirs(y, level))
        found += apart.double().square().flatten(1).mean(1) / settings.times
    mean, low, high, n = mean_interval(found.tolist(), checks.CONFIDENCE)
    return Measurement(value=mean, low=low, high=high, n=n, seeds=(settings.seed,))


@check("I11.annealed")
def nearer_than_langevin(settings: Settings) -> Measurement:
    """Return annealed Langevin's energy distance less adaptive momentum's, paired."""
    return checks.difference(settings, checks.BASELINE, checks.PAPER, settings.side)


@check("I11.ancestral")
def farther_than_ancestral(settings: Settings) -> Measurement:
    """Return adaptive momentum's energy distance less ancestral sampling's, paired."""
    return checks.difference(settings, checks.PAPER, "ancestral", settings.side)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw test images and samples side by side."""
    names = (checks.BASELINE, checks.PAPER, "ancestral")
    caption = f"A DDPM network for MNIST, asked as a VE score: denoised samples after {settings.side} evaluations."
    return [samples_figure(settings, folder, "denoiser_samples", names, caption, ("I10", "I11"))]


def tables(settings: Settings) -> list[Table]:
    """Return the compared runs, in pixels and in features."""
    wanted = dict.fromkeys((checks.BASELINE, checks.PAPER, "ancestral"), (settings.side,))
    in_pixels = runs_table(settings, checks.CONFIDENCE, "denoiser", wanted, ("I11",))
    return [in_pixels, *list_features(settings, checks.CONFIDENCE, "denoiser", wanted, ("I11",))]
