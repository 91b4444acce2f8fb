"""What the group computes once: batches of samples, of real images and of a fitted Gaussian, and the losses."""

from collections.abc import Iterator
from itertools import product

import torch

from ams.samplers.presets import Hyperparameters
from ams.schedules import Level
from experiments.images.colour_network import losses, quality, tuning
from experiments.images.colour_network.quality import DATA, Batch
from experiments.images.colour_network.settings import Settings, Setup
from experiments.images.pretrained.samplers import BY_NAME
from experiments.images.runs import generator, run
from verdicts.studies import Cell, cell

REAL, GAUSSIAN = "real images", "fitted Gaussian"
FEW = 16
"""Samples of a batch that is only shown."""


@cell(data=DATA)
def batch(setup: Setup, sampler: str, budget: int, given: Hyperparameters, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the sampler.

    Raises NonFiniteState where a run has no end: tuned hyperparameters have none.
    """
    problem, draws = quality.problem(setup.last_sigma), generator(setup.seed, number)
    x, evaluations = run(problem, BY_NAME[sampler], budget, given, setup.size, draws)
    return quality.judged(x, setup.last_sigma, setup.reference, evaluations, number == 1)


@cell(data=DATA)
def real_batch(setup: Setup, number: int) -> Batch:
    """Judge test images after the reference, with the last noise level's noise."""
    first = setup.reference + (number - 1) * setup.size
    x, draws = quality.test_images()[first : first + setup.size], generator(setup.seed, -number)
    noisy = x + setup.last_sigma * torch.randn(x.shape, generator=draws)
    return quality.judged(noisy, setup.last_sigma, setup.reference, 0, number == 1)


@cell(data=(*DATA, quality.LEARNED))
def gaussian_batch(setup: Setup, number: int) -> Batch:
    """Judge draws of a Gaussian with the mean and the covariance of the training images."""
    x = quality.gaussian().sample(setup.size, Level(0, sigma=0.0), generator(setup.seed, -1000 - number)).float()
    return quality.judged(x, setup.last_sigma, setup.reference, 0, number == 1)


def batches(settings: Settings, sampler: str, budget: int) -> list[Batch]:
    """Return a sampler's batches; `REAL` and `GAUSSIAN` are samplers too."""
    setup, numbers = settings.setup, range(1, settings.batches + 1)
    if sampler == REAL:
        return [real_batch(setup, number) for number in numbers]
    if sampler == GAUSSIAN:
        return [gaussian_batch(setup, number) for number in numbers]
    return [batch(setup, sampler, budget, tuning.chosen(sampler, budget), number) for number in numbers]


def first_batch(settings: Settings, sampler: str, budget: int) -> Batch:
    """Return a sampler's first batch; at evaluations that no claim compares, one of a few samples."""
    known = budget in settings.budgets
    setup = settings.setup if known else settings.setup._replace(size=FEW)
    return batch(setup, sampler, budget, tuning.chosen(sampler, budget), 1)


def kernels(settings: Settings, sampler: str, budget: int = 0) -> list[float]:
    """Return the kernel distance of each of a sampler's batches."""
    return [quality.kernel(each, settings.reference) for each in batches(settings, sampler, budget)]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    setup, numbers = settings.setup, range(1, settings.batches + 1)
    yield quality.reference_features.cell(settings.reference)
    yield from (real_batch.cell(setup, number) for number in numbers)
    yield from (gaussian_batch.cell(setup, number) for number in numbers)
    yield from (losses.per_image.cell(case, settings.images) for case in losses.CASES)
    for sampler, budget in product(settings.samplers, settings.budgets):
        yield from (batch.cell(setup, sampler, budget, tuning.chosen(sampler, budget), number) for number in numbers)
    for sampler, budget in product(settings.samplers, settings.shown):
        yield batch.cell(setup._replace(size=FEW), sampler, budget, tuning.chosen(sampler, budget), 1)
