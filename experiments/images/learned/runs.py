r"""Runs with a learned score of digits, and with the exact score of the digits that it learned from.

The network has seen 1437 digits; it is judged on the 360 that it has not. Two scores drive the same samplers from the
same starts with the same noise:

- *learned*: the network, which stands for the law that digits come from;
- *exact*: the score of the uniform law on the 1437 digits, blurred: what the network would be if it had memorised.

Each batch is judged, after the last denoising, by its features against the digits held out; before it, by the
*temperature*

    T = E |noise(x, sigma_L)|^2 / E |noise(y, sigma_L)|^2 ,   y = x_0 + sigma_L z ,

with x_0 held out (learned score) or seen (exact score), where `noise = -sigma score` is what the same score sees: 1 for
a set as noisy as its level says; for a Gaussian law whose variance is T times its own, T. The floor is real digits that
were seen, blurred to the last level, through the same denoising.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import torch
from ams.samplers.catalogue import SigmaRange
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level
from ams.targets import Empirical
from experiments.images.features.extractors import digit_features
from experiments.images.features.scores import Judge
from experiments.images.learned.settings import Settings
from experiments.images.networks.small import digits_score
from experiments.images.runs import ENTRANTS, RELEASED, Subject, denoised, generator, run
from experiments.images.tasks import split_digits

FLOOR = "real digits"
"""The name under which digits that the network has seen are judged like a sampler's output."""
LEARNED, EXACT = "learned", "exact"


class Numbers(NamedTuple):
    """Of one batch: distances to the digits held out (features, denoised), temperature (before denoising), and `seen`:
    the mean distance to the nearest digit that was learned from, over that of digits held out; 0 for copies."""

    frechet: float
    kernel: float
    precision: float
    recall: float
    density: float
    coverage: float
    classes: float
    temperature: float
    seen: float


class Batch(NamedTuple):
    """A batch's numbers, its features and its images, denoised."""

    numbers: Numbers
    features: Float[Tensor, "n d"]
    images: Float[Tensor, "n 8 8"]


Batches = Mapping[str, Mapping[int, list[Batch]]]
"""By sampler and budget, a list over batches."""


class Bench(NamedTuple):
    """A score as a subject, with what its temperature is measured against."""

    subject: Subject
    level: Level
    noise: float


@cache
def judge() -> Judge:
    """Return the judge: our classifier's features of the digits held out."""
    return Judge(digit_features(), "digits held out", split_digits().test.x)


@cache
def bench(which: str, last: float) -> Bench:
    """Return a score, `LEARNED` or `EXACT`, at the ends of its runs."""
    split, level = split_digits(), Level(0, sigma=last)
    data = split.test.x if which == LEARNED else split.train.x
    score = digits_score().score if which == LEARNED else Empirical(split.train.x).score
    ends = SigmaRange(torch.pdist(split.train.x.flatten(1)).max().item(), last)
    blurred = data.repeat(4, 1, 1)
    blurred = blurred + last * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(1))
    return Bench(Subject(score, (8, 8), ends), level, _noise(score(blurred, level), last))


def _noise(score: Tensor, sigma: float) -> float:
    return float((sigma * score).double().square().mean())


def judged(place: Bench, x: Float[Tensor, "n 8 8"]) -> Batch:
    """Judge samples at the last level."""
    temperature = _noise(place.subject.score(x, place.level), place.level.sigma) / place.noise
    clean = denoised(place.subject, x)
    features = judge().extractor(clean)
    return Batch(Numbers(*judge().scores_of(features), temperature, _nearest(clean) / _unseen()), features, clean)


def _nearest(x: Float[Tensor, "n 8 8"]) -> float:
    """Return the mean distance to the nearest digit that was learned from."""
    return float(torch.cdist(x.flatten(1).double(), split_digits().train.x.flatten(1).double()).min(1).values.mean())


@cache
def _unseen() -> float:
    """Return that of the digits held out."""
    return _nearest(split_digits().test.x)


@cache
def floor(settings: Settings) -> list[Batch]:
    """Return real digits, which the network has seen, in batches like the samplers'."""
    place, found = bench(LEARNED, settings.last_sigma), []
    x = split_digits().train.x
    for number in range(1, settings.batches + 1):
        draws = generator(settings.seed, settings.batches + number)
        chosen = x[torch.randperm(len(x), generator=draws)[: settings.batch]]
        found.append(judged(place, chosen + settings.last_sigma * torch.randn(chosen.shape, generator=draws)))
    return found


@cache
def batches(settings: Settings, which: str, sampler: str, budget: int) -> list[Batch]:
    """Return a sampler's batches; batch `number` starts alike, and draws alike, for every sampler and both scores."""
    place = bench(which, settings.last_sigma)
    found = []
    for number in range(1, settings.batches + 1):
        draws = generator(settings.seed, number)
        found.append(judged(place, run(place.subject, ENTRANTS[sampler], budget, RELEASED, settings.batch, draws).x))
    return found


@cache
def results(settings: Settings) -> Batches:
    """Return every batch with the learned score, the floor first; computed once."""
    found: dict[str, dict[int, list[Batch]]] = {FLOOR: dict.fromkeys(settings.budgets, floor(settings))}
    for sampler in settings.samplers:
        found[sampler] = {budget: batches(settings, LEARNED, sampler, budget) for budget in settings.budgets}
    return found


@cache
def exact_results(settings: Settings) -> Batches:
    """Return the batches with the exact score of the digits that were learned from."""
    budgets = settings.compared_budgets
    return {name: {b: batches(settings, EXACT, name, b) for b in budgets} for name in settings.compared}


@cache
def collapsed() -> float:
    """Return the kernel distance of real digits of one class, zeros: what a sampler that knows one mode would have."""
    x, y = split_digits().train
    return judge().scores(x[y == 0]).kernel
