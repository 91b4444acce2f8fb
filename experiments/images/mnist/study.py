"""What the group computes once: the errors and the features of each batch, and a few samples."""

from collections.abc import Iterator
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from ams.data import images as load
from ams.metrics import MixtureReference, mixture_spread
from ams.samplers.presets import AUTHORS
from experiments.images import exact
from experiments.images.exact import BASELINE, PAPER, Errors, ExactTarget, Results
from experiments.images.features.extractors import digit_features
from experiments.images.features.pooled import Entry
from experiments.images.mnist.settings import Settings
from experiments.images.runs import BatchSetup, blocks, denoised
from verdicts.studies import Array, Cell, cell

FIRST_FRESH = 20_000
"""The number of the first batch on which M1 is judged."""


class Batch(NamedTuple):
    """The errors of a batch, and the classifier's features of its denoised samples (n, d)."""

    errors: Errors
    features: Array


@cache
def target() -> ExactTarget:
    """Return the test images as a target. Raises DataUnavailable where the file cannot be had."""
    return ExactTarget.of(load("mnist-test"))


@cell(data=("mnist-test",))
def spread(last_sigma: float) -> float:
    """The mean distance of two draws of the target."""
    return mixture_spread(target().images, last_sigma)


@cache
def reference(last_sigma: float) -> MixtureReference:
    """Return the target at the last noise level, which samples are compared with."""
    return MixtureReference(target().images, last_sigma, spread(last_sigma))


@cell(data=("mnist-test",))
def sampler_batches(
    sampler: str, budget: int, numbers: tuple[int, ...], setup: BatchSetup
) -> list[Batch]:
    """Batches of a sampler, or of fresh draws of the target."""

    def judged(x: Tensor) -> Batch:
        features = digit_features("mnist-classifier")(
            denoised(target().problem(setup.last_sigma), x)
        )
        return Batch(exact.errors_of(x, target(), reference(setup.last_sigma)), features.numpy())

    return [judged(x) for x in exact.samples(target(), sampler, budget, numbers, setup, AUTHORS)]


def batches(settings: Settings, sampler: str, budget: int) -> list[Batch]:
    """Return a sampler's batches."""
    parts = blocks(exact.numbers(settings, sampler), settings.setup)
    return [one for part in parts for one in sampler_batches(sampler, budget, part, settings.setup)]


def errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
    """Return the errors of a sampler's batches."""
    return [batch.errors for batch in batches(settings, sampler, budget)]


def fresh_batches(settings: Settings, sampler: str) -> list[Cell[list[Batch]]]:
    """Return M1's batches: adaptive momentum's at one budget, the baseline's at twice that."""
    budget = sorted(settings.budgets)[:2][-1]
    spent = 2 * budget if sampler == BASELINE else budget
    numbers = range(FIRST_FRESH, FIRST_FRESH + settings.fresh)
    return [
        sampler_batches.cell(sampler, spent, part, settings.setup)
        for part in blocks(numbers, settings.setup)
    ]


def fresh_errors(settings: Settings, sampler: str) -> list[Errors]:
    """Return the errors of M1's batches of a sampler."""
    parts = fresh_batches(settings, sampler)
    return [one.errors for part in parts for one in sampler_batches(**part.arguments)]


def results(settings: Settings) -> Results:
    """Return every sampler's errors, by evaluations."""
    return exact.results(settings, partial(errors, settings))


def entries(settings: Settings) -> list[Entry]:
    """Return every run's features, the target's own draws first."""
    return [
        Entry(
            sampler,
            "defaults",
            budget,
            [torch.from_numpy(b.features) for b in batches(settings, sampler, budget)],
        )
        for sampler, budget in exact.planned(settings)
    ]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    yield from exact.cells(settings, sampler_batches)
    for sampler in (BASELINE, PAPER):
        yield from fresh_batches(settings, sampler)
