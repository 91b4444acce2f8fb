"""What the group computes once: batches of samples and of real images."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch

from ams.samplers.presets import Hyperparameters
from ams.statistics.nfe_to_threshold import BatchErrors
from experiments.images.colour import study as published
from experiments.images.colour_network import quality, tuning
from experiments.images.colour_network.quality import DATA, Batch
from experiments.images.colour_network.settings import ADAPTIVE, PLAIN, Published, Settings, Setup
from experiments.images.comparison import GREY, ROUNDING, column
from experiments.images.pretrained.samplers import BY_NAME
from experiments.images.runs import BASELINE, PAPER, generator, run
from verdicts.studies import Cell, Kept, cell

REAL = "real images"
DISTANCES = 2e-5
"""The rounding of an energy distance, in pixel units: it is the difference of mean distances near
10, each in float32 to some 1e-6.
"""
UNTUNED = {"correctors": (ADAPTIVE, PLAIN), "annealed": (PAPER, BASELINE)}
"""Samplers of the table in the published form: with adaptive momentum, and the counterpart
without.
"""


def seconds_of(budget: int, **others: object) -> float:
    """Return about how long a batch takes one core, in seconds."""
    return 0.036 * budget


@cell(
    data=DATA,
    kept=Kept("colour_network.batch", ROUNDING, {".1": DISTANCES, ".4": GREY}, seconds=seconds_of),
)
def batch(setup: Setup, sampler: str, budget: int, given: Hyperparameters, number: int) -> Batch:
    """Run one batch; batches of one number start alike and draw the same noise, whatever the
    sampler.

    Raises NonFiniteState where a run has no end: tuned hyperparameters have none.
    """
    problem, draws = quality.problem(setup.last_sigma), generator(setup.seed, number)
    x, evaluations = run(problem, BY_NAME[sampler], budget, given, setup.size, draws)
    return quality.judged(x, setup, number, evaluations)


@cell(data=DATA)
def real_batch(setup: Setup, number: int) -> Batch:
    """Judge test images that are in no batch's reference, with the last noise level's noise."""
    x, draws = quality.shares(setup, number).real, generator(setup.seed, -number)
    return quality.judged(
        x + setup.last_sigma * torch.randn(x.shape, generator=draws), setup, number, 0
    )


def batches(settings: Settings, sampler: str, budget: int = 0, choice: int = 0) -> list[Batch]:
    """Return a sampler's batches with one choice of its hyperparameters; `REAL` is a sampler
    too.
    """
    setup, numbers = settings.setup, settings.numbers
    if sampler == REAL:
        return [real_batch(setup, number) for number in numbers]
    return [
        batch(setup, sampler, budget, tuning.chosen(sampler, budget)[choice], number)
        for number in numbers
    ]


def kernels(settings: Settings, sampler: str, budget: int = 0, choice: int = 0) -> list[float]:
    """Return the kernel distance of each of a sampler's batches to the batch's own reference."""
    held = batches(settings, sampler, budget, choice)
    return [
        quality.kernel(each, settings.setup, number)
        for each, number in zip(held, settings.numbers, strict=True)
    ]


def variance_ratios(settings: Settings, sampler: str, budget: int, choice: int) -> list[float]:
    """Return the variance ratio of each of a sampler's batches."""
    return column(batches(settings, sampler, budget, choice), "variance_ratio")


def tuned_pairs(settings: Settings) -> dict[str, tuple[BatchErrors, BatchErrors]]:
    """Return the kernel distances by evaluations of both correctors, the adaptive one's first,
    for each choice.
    """
    pairs = dict[str, tuple[BatchErrors, BatchErrors]]()
    for choice in range(len(tuning.CHOICES)):
        ours, theirs = (
            {n: np.array(kernels(settings, sampler, n, choice)) for n in settings.budgets}
            for sampler in (ADAPTIVE, PLAIN)
        )
        pairs[f"correctors, tuned, choice {choice + 1}"] = ours, theirs
    return pairs


def untuned_pairs(form: Published) -> dict[str, tuple[BatchErrors, BatchErrors]]:
    """Return kernel distances of the table in the published form by evaluations, adaptive
    momentum's first.
    """
    pairs = dict[str, tuple[BatchErrors, BatchErrors]]()
    for network, (name, samplers) in product(form.networks, UNTUNED.items()):
        ours, theirs = (
            {
                n: np.array(published.judged(form, network, sampler, n, form.features).kernel)
                for n in form.budgets
            }
            for sampler in samplers
        )
        pairs[f"{name}, authors' hyperparameters"] = ours, theirs
    return pairs


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    setup = settings.setup
    for number in settings.numbers:
        yield from (each.cell(setup, number) for each in (quality.reference_features, real_batch))
        for sampler, budget in product(settings.samplers, settings.budgets):
            for given in dict.fromkeys(tuning.chosen(sampler, budget)):
                yield batch.cell(setup, sampler, budget, given, number)
    if (form := settings.published) is not None:
        for network in form.networks:
            yield from published.qualities(form, network)
