"""What the group computes once: batches of samples, of real images and of a fitted Gaussian, and the losses."""

from collections.abc import Iterator
from itertools import product

import torch

from ams.samplers.presets import Hyperparameters
from ams.schedules import Level
from experiments.images.colour import study as published
from experiments.images.colour_network import losses, quality, tuning
from experiments.images.colour_network.quality import DATA, Batch
from experiments.images.colour_network.settings import Settings, Setup
from experiments.images.comparison import alike, column
from experiments.images.pretrained.samplers import BY_NAME
from experiments.images.runs import generator, run
from verdicts.studies import Cell, Kept, cell

REAL, GAUSSIAN = "real images", "fitted Gaussian"


@cell(data=DATA, kept=Kept("colour_network.batch", test=alike))
def batch(setup: Setup, sampler: str, budget: int, given: Hyperparameters, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the sampler.

    Raises NonFiniteState where a run has no end: tuned hyperparameters have none.
    """
    problem, draws = quality.problem(setup.last_sigma), generator(setup.seed, number)
    x, evaluations = run(problem, BY_NAME[sampler], budget, given, setup.size, draws)
    return quality.judged(x, setup, number, evaluations)


@cell(data=DATA)
def real_batch(setup: Setup, number: int) -> Batch:
    """Judge test images that are in no batch's reference, with the last noise level's noise."""
    x, draws = quality.shares(setup, number).real, generator(setup.seed, -number)
    return quality.judged(x + setup.last_sigma * torch.randn(x.shape, generator=draws), setup, number, 0)


@cell(data=(*DATA, quality.LEARNED))
def gaussian_batch(setup: Setup, number: int) -> Batch:
    """Judge draws of a Gaussian with the mean and the covariance of the training images."""
    x = quality.gaussian().sample(setup.size, Level(0, sigma=0.0), generator(setup.seed, -1000 - number)).float()
    return quality.judged(x, setup, number, 0)


def batches(settings: Settings, sampler: str, budget: int = 0, choice: int = 0) -> list[Batch]:
    """Return a sampler's batches with one choice of its hyperparameters; `REAL` and `GAUSSIAN` are samplers too."""
    setup, numbers = settings.setup, settings.numbers
    if sampler == REAL:
        return [real_batch(setup, number) for number in numbers]
    if sampler == GAUSSIAN:
        return [gaussian_batch(setup, number) for number in numbers]
    return [batch(setup, sampler, budget, tuning.chosen(sampler, budget)[choice], number) for number in numbers]


def kernels(settings: Settings, sampler: str, budget: int = 0, choice: int = 0) -> list[float]:
    """Return the kernel distance of each of a sampler's batches to the batch's own reference."""
    held = batches(settings, sampler, budget, choice)
    return [quality.kernel(each, settings.setup, number) for each, number in zip(held, settings.numbers, strict=True)]


def variance_ratios(settings: Settings, sampler: str, budget: int, choice: int) -> list[float]:
    """Return the variance ratio of each of a sampler's batches."""
    return column(batches(settings, sampler, budget, choice), "variance_ratio")


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    setup = settings.setup
    yield from (losses.per_image.cell(case, settings.images) for case in losses.CASES)
    for number in settings.numbers:
        yield from (each.cell(setup, number) for each in (quality.reference_features, real_batch, gaussian_batch))
        for sampler, budget in product(settings.samplers, settings.budgets):
            for given in dict.fromkeys(tuning.chosen(sampler, budget)):
                yield batch.cell(setup, sampler, budget, given, number)
    if (form := settings.published) is not None:
        for network in form.networks:
            yield from published.qualities(form, network)
