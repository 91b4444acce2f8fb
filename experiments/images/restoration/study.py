"""What is run, and what is measured of each batch: how much farther restored images lie from other
test images than clean ones do.

A batch starts at test images with the first noise level's noise: at the true marginal, which no
sampler had to reach. Batches of one part and number start alike and draw the same noise, whatever
the sampler. The 10,000 test images are split once, class by class: what samples are compared with
is never a start, and what decides a choice judges nothing.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import images
from ams.metrics import energy_difference
from ams.samplers import NonFiniteState, sample
from ams.samplers.presets import SPECS
from experiments.images.comparison import ROUNDING
from experiments.images.features.extractors import Extractor, efficientnet
from experiments.images.networks.ffdnet import LARGEST, ffdnet
from experiments.images.restoration.settings import (
    REPEATS,
    Choice,
    Settings,
    Setup,
    chosen,
    tried,
)
from experiments.images.runs import Problem, denoised, generator, of_network, seen_noise
from verdicts.studies import Kept, cell
from verdicts.studies.table import Label, Rows

DATA = ("cifar10-test", "efficientnet-lite0", "ffdnet-colour")
CLASSES, SIDE = 10, 32
JUDGED, FIRST, SECOND = "judged", "first trials", "second trials"
FIRST_START = {JUDGED: 0, FIRST: 2000, SECOND: 3000}
"""The parts of the 5,000 starts, and where each begins."""
TRIALS, REFERENCES, STARTS = (0, 200), (200, 500), (500, 1000)
"""Of each class: what trials are compared with, what is judged, and starts."""
IN_FEATURES = 500
"""How many of the references are compared in features, which take ten evaluations an image."""


class Numbers(NamedTuple):
    """Energy distances to other test images less that of the clean images: in pixels, in features
    (NaN on trials); infinite where the run diverged.

    The variance ratio is the squared noise that the network sees at the end, over that which it
    sees in the clean images with the last noise level's noise.
    """

    energy: float
    features: float
    variance_ratio: float


LOST = Numbers(math.inf, math.inf, math.inf)


@cache
def split(part: tuple[int, int]) -> Float[Tensor, "n 3 32 32"]:
    """Return one part of the images of each class, all classes in turn. Raises DataUnavailable."""
    x, y = images("cifar10-test")
    draws = torch.Generator().manual_seed(10)
    classes = [x[y == label][torch.randperm(1000, generator=draws)] for label in range(CLASSES)]
    together = torch.stack([each[slice(*part)] for each in classes], 1).flatten(0, 1)
    return together.movedim(-1, 1).contiguous()


def clean(setup: Setup, part: str, number: int) -> Float[Tensor, "n 3 32 32"]:
    """Return the images that a batch starts from, each with noise."""
    first = FIRST_START[part] + setup.size * (number - 1)
    return split(STARTS)[first : first + setup.size]


@cache
def extractor() -> Extractor:
    """Return the features. Raises DataUnavailable without weights or package."""
    return efficientnet()


@cache
def reference_features() -> Float[Tensor, "n d"]:
    """Return the features of the references that are compared in features."""
    return extractor()(split(REFERENCES)[:IN_FEATURES])


@cache
def problem(last_sigma: float) -> Problem:
    """Return what is sampled: the denoiser's score. Raises DataUnavailable without the weights."""
    return of_network(ffdnet(SIDE), last_sigma)


def seconds_of(setup: Setup, budget: int, part: str, **others: object) -> float:
    """Return about how long a batch takes one core, in seconds."""
    return setup.size * (0.0045 * (budget + 3) + 0.045 * (part == JUDGED))


class Run(NamedTuple):
    """What a batch ends with: the problem, the clean images, the last state, the draws after it."""

    problem: Problem
    start: Float[Tensor, "n 3 32 32"]
    x: Float[Tensor, "n 3 32 32"]
    draws: torch.Generator


def run(setup: Setup, sampler: str, budget: int, choice: Choice, part: str, number: int) -> Run:
    """Run a sampler from a batch's images with noise. Raises NonFiniteState where it diverges."""
    asked, draws = problem(choice.last_sigma), generator(setup.seed, FIRST_START[part] + number)
    start, spec = clean(setup, part, number), SPECS[sampler]
    program = spec.build(asked.sigmas, budget, choice.hyperparameters)
    noisy = start + LARGEST * torch.randn(start.shape, generator=draws)
    x = sample(program, noisy, asked.score, draws, spec.coupling())[0].x
    return Run(asked, start, x, draws)


@cell(data=DATA, kept=Kept("restoration.batch", ROUNDING, seconds=seconds_of))
def batch(
    setup: Setup, sampler: str, budget: int, choice: Choice, part: str, number: int
) -> list[Numbers]:
    """What is measured of one batch of a part."""
    try:
        asked, start, x, draws = run(setup, sampler, budget, choice, part, number)
    except NonFiniteState:
        return [LOST]
    restored, features = denoised(asked, x), math.nan
    if part == JUDGED:
        ours, theirs = extractor()(restored), extractor()(start)
        features = energy_difference(ours, theirs, reference_features())
    reference = split(REFERENCES if part == JUDGED else TRIALS)
    energy = energy_difference(restored, start, reference)
    fresh = start + choice.last_sigma * torch.randn(start.shape, generator=draws)
    return [Numbers(energy, features, seen_noise(asked, x) / seen_noise(asked, fresh))]


def shown(setup: Setup, sampler: str, budget: int) -> Float[Tensor, "n 32 32 3"]:
    """Return restored images of the first batch that is judged; computed anew, in seconds."""
    made = run(setup, sampler, budget, chosen(sampler, budget, 0), JUDGED, 1)
    return denoised(made.problem, made.x).movedim(1, -1)


def runs(settings: Settings) -> Iterator[Rows]:
    """Yield the rows that are judged, then the trials."""
    yield from judged(settings)
    yield from trials(settings)


def judged(settings: Settings) -> Iterator[Rows]:
    """Yield the rows of each sampler with both choices of tuning, of some at the defaults."""
    setup, numbers = settings.setup, range(1, settings.batches + 1)
    long = product(settings.long, settings.defaults)
    for budget, sampler in (*product(settings.budgets, settings.samplers), *long):
        choices = {name: chosen(sampler, budget, k) for k, name in enumerate(REPEATS)}
        if sampler in settings.defaults:
            choices["authors"] = Choice()
        for (name, choice), number in product(choices.items(), numbers):
            made = batch.cell(setup, sampler, budget, choice, JUDGED, number)
            labels: dict[str, Label] = {"sampler": sampler, "budget": budget, "choice": name}
            yield Rows(labels, made, (number,), setup.size, setup.seed)


def trials(settings: Settings) -> Iterator[Rows]:
    """Yield the rows of the trials, from which `chosen` follows."""
    setup = settings.setup
    short = product(settings.tuned, settings.samplers, [settings.trials])
    long = product(settings.long, settings.defaults, [settings.long_trials])
    for (budget, sampler, batches), part in product((*short, *long), (FIRST, SECOND)):
        numbers = range(1, batches + 1)
        labels: dict[str, Label] = {"sampler": sampler, "budget": budget, "part": part}
        for (index, choice), number in product(enumerate(tried(sampler)), numbers):
            made = batch.cell(setup, sampler, budget, choice, part, number)
            yield Rows({**labels, "tried": index}, made, (number,), setup.size, setup.seed)
