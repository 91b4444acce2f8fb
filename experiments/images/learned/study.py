"""What the group computes once: the quality of each batch, and of real digits."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ams.samplers.presets import AUTHORS, SPECS
from experiments.images.learned import quality
from experiments.images.learned.quality import EXACT, LEARNED, Quality
from experiments.images.learned.settings import BASELINE, Settings
from experiments.images.runs import BatchSetup, blocks, denoised, generator, run_together
from experiments.images.tasks import split_digits
from verdicts.studies import Array, Cell, cell

SHOWN = 16
"""Samples of each sampler in the figure."""


class RealBatch(NamedTuple):
    """The quality of a batch of real digits, and their features (n, 64)."""

    quality: Quality
    features: Array


@cell
def sampler_batches(
    score: str, sampler: str, budget: int, numbers: tuple[int, ...], setup: BatchSetup
) -> list[Quality]:
    """The quality of batches of a sampler."""
    batches = _sampled(score, sampler, budget, numbers, setup)
    return [quality.judged(score, setup.last_sigma, x).quality for x in batches]


@cell
def shown_samples(score: str, sampler: str, budget: int, setup: BatchSetup) -> Array:
    """The first samples of a sampler's first batch, denoised (n, 8, 8)."""
    (x,) = _sampled(score, sampler, budget, (1,), setup)
    return denoised(quality.problem(score, setup.last_sigma), x[:SHOWN]).numpy()


@cell
def real_batch(number: int, setup: BatchSetup) -> RealBatch:
    """The quality of real digits that the network has seen, blurred to the last noise level."""
    draws, digits = generator(setup.seed, number), split_digits().train.x
    x = digits[torch.randperm(len(digits), generator=draws)[: setup.size]]
    noisy = x + setup.last_sigma * torch.randn(x.shape, generator=draws)
    judged = quality.judged(LEARNED, setup.last_sigma, noisy)
    return RealBatch(judged.quality, judged.features.numpy())


def _sampled(
    score: str, sampler: str, budget: int, numbers: tuple[int, ...], setup: BatchSetup
) -> list[Tensor]:
    problem, draws = (
        quality.problem(score, setup.last_sigma),
        [generator(setup.seed, number) for number in numbers],
    )
    return run_together(problem, SPECS[sampler], budget, AUTHORS, setup.size, draws)


def batches(settings: Settings, score: str, sampler: str, budget: int) -> list[Quality]:
    """Return the quality of a sampler's batches; those of one number start and draw alike."""
    parts = blocks(range(1, settings.batches + 1), settings.setup)
    return [
        one
        for part in parts
        for one in sampler_batches(score, sampler, budget, part, settings.setup)
    ]


def real_batches(settings: Settings) -> list[RealBatch]:
    """Return batches of real digits, whose draws are no run's."""
    return [
        real_batch(settings.batches + number, settings.setup)
        for number in range(1, settings.batches + 1)
    ]


def learned_curve(settings: Settings, sampler: str) -> dict[int, list[Quality]]:
    """Return a sampler's batches with the learned score, by evaluations."""
    return {budget: batches(settings, LEARNED, sampler, budget) for budget in settings.budgets}


def baseline_curve(settings: Settings) -> dict[int, list[Quality]]:
    """Return annealed Langevin's batches with the learned score, by evaluations, those between
    budgets included.
    """
    return {
        n: batches(settings, LEARNED, BASELINE, n)
        for n in sorted({*settings.budgets, *settings.between})
    }


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    setup, numbers = settings.setup, range(1, settings.batches + 1)
    runs = [(LEARNED, s, b) for s in settings.samplers for b in settings.budgets]
    runs += [(LEARNED, BASELINE, budget) for budget in settings.between]
    yield from (
        sampler_batches.cell(*each, part, setup) for each in runs for part in blocks(numbers, setup)
    )
    yield from (real_batch.cell(settings.batches + number, setup) for number in numbers)
    yield from (
        shown_samples.cell(LEARNED, s, settings.grid_budget, setup) for s in settings.samplers
    )
    yield shown_samples.cell(EXACT, BASELINE, settings.grid_budget, setup)
