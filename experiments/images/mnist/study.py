"""What the group computes once: the errors and the features of each batch, and a few samples."""

from collections.abc import Iterator
from functools import cache, partial
from typing import NamedTuple

import torch

from ams.data import images as load
from experiments.images import exact
from experiments.images.exact import Constants, Errors, ExactTarget, Results
from experiments.images.features.extractors import digit_features
from experiments.images.features.pooled import Entry
from experiments.images.mnist.settings import Settings
from experiments.images.runs import BatchSetup, denoised
from verdicts.studies import Array, Cell, cell


class Batch(NamedTuple):
    """The errors of a batch, and the classifier's features of its denoised samples (n, d)."""

    errors: Errors
    features: Array


@cache
def target() -> ExactTarget:
    """Return the test images as a target. Raises DataUnavailable where the file cannot be had."""
    return ExactTarget.of(load("mnist-test"))


@cell(data=("mnist-test",))
def constants(last_sigma: float) -> Constants:
    """The images' diameter, and the mean distance of two draws of the target."""
    return Constants.of(target(), last_sigma)


@cell(data=("mnist-test",))
def sampler_batch(sampler: str, budget: int, number: int, setup: BatchSetup) -> Batch:
    """A batch of a sampler, or of fresh draws of the target."""
    known = constants(setup.last_sigma)
    x = exact.samples(target(), known.diameter, sampler, budget, number, setup)
    clean = denoised(target().problem(known.diameter, setup.last_sigma), x)
    errors = exact.errors_of(x, target(), known.spread, setup.last_sigma)
    return Batch(errors, digit_features("mnist-classifier")(clean).numpy())


@cell(data=("mnist-test",))
def shown_samples(sampler: str, budget: int, setup: BatchSetup) -> Array:
    """Samples for the figure (n, 28, 28)."""
    return exact.samples(target(), constants(setup.last_sigma).diameter, sampler, budget, 1, setup).numpy()


def batches(settings: Settings, sampler: str, budget: int) -> list[Batch]:
    """Return a sampler's batches."""
    return [sampler_batch(sampler, budget, n, settings.setup) for n in exact.numbers(settings, sampler)]


def errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
    """Return the errors of a sampler's batches."""
    return [batch.errors for batch in batches(settings, sampler, budget)]


def results(settings: Settings) -> Results:
    """Return every sampler's errors, by evaluations."""
    return exact.results(settings, partial(errors, settings))


def entries(settings: Settings) -> list[Entry]:
    """Return every run's features, the target's own draws first."""
    return [
        Entry(sampler, "defaults", budget, [torch.from_numpy(b.features) for b in batches(settings, sampler, budget)])
        for sampler, budget in exact.planned(settings)
    ]


def cells(settings: Settings) -> Iterator[Cell]:
    """Return every cell that checks, figures and tables read."""
    return exact.cells(settings, sampler_batch, shown_samples)
