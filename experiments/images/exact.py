r"""Samplers on the exact score of a data set's images: no training, and the target law is known.

The target is the uniform law on the images, blurred at the last noise level: `p = (1/n) sum_j N(p_j, sigma_L^2 I)`. A
run is judged by four numbers, each with an exact value for `p` itself:

- energy distance to `p`, `2 E|X - Y| - E|X - X'| - E|Y - Y'|` (pixel units): zero only for `p` (Szekely and Rizzo,
  2013); proper, free of tuning, sensitive to place and spread. The expectations over `p` are taken exactly, so a
  reference adds no noise;
- temperature `E|x - p_near|^2 / (d sigma_L^2)`: 1 for `p` (the images lie many sigma_L apart); below 1 a sampler cools;
- collisions: pairs of samples at the same image, over the number that the uniform law expects: 1 for `p`; above 1 a
  sampler starves images;
- total variation of the classes' histogram: expected size under `p` is stated beside it.

Samples of a batch are coupled by the released rule, so the independent units are batches: intervals are Student's
over batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import torch
from ams.samplers.catalogue import Hyperparameters, SigmaRange
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.data import Images
from ams.metrics import energy_distance_to_mixture, mixture_spread, total_variation
from ams.schedules import Level
from ams.targets import Empirical
from experiments.images.runs import ENTRANTS, RELEASED, SOLVER, Outcome, Subject, generator, run, solved

SAMPLERS = tuple(ENTRANTS)
LASTING = ("annealed Langevin", "adaptive momentum", "Langevin, drift x2", "reverse diffusion")
ENDURING = ("annealed Langevin", "adaptive momentum")
CONTENDERS = ("annealed Langevin", "adaptive momentum", "Langevin, drift x1.5")


class Settings(BaseModel):
    """Sizes: budgets (NFE), independent batches and the samples in each; the last noise level.

    Every sampler in `samplers` runs at `budgets`, those in `lasting` at `long` too, and the two
    that are compared longest at `past` (0: not); RK45 at `tolerances`. `contenders`
    are tuned at each of `tuned`, over `factors` (of NCSNv2's step) times `repeats` (T), on `trials` batches that judge
    nothing else. `levels` are the misfits that evaluations are counted to. The rare class is watched at `rare`
    evaluations, on `rare_batch` samples a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: tuple[PositiveInt, ...] = (20, 60, 150)
    long: tuple[PositiveInt, ...] = ()
    past: NonNegativeInt = 0
    lasting: tuple[str, ...] = LASTING
    batches: PositiveInt = 4
    batch: PositiveInt = 128
    samplers: tuple[str, ...] = SAMPLERS
    tolerances: tuple[float, ...] = ()
    last_sigma: float = 0.05
    contenders: tuple[str, ...] = CONTENDERS
    tuned: tuple[PositiveInt, ...] = ()
    factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    repeats: tuple[PositiveInt, ...] = (2, 5, 10)
    trials: PositiveInt = 3
    levels: tuple[float, ...] = (0.1, 0.03, 0.01, 0.003, 0.001)
    rare: PositiveInt = 150
    rare_batch: PositiveInt = 128
    grid_budget: PositiveInt = 60
    seed: NonNegativeInt = 2405

    def budgets_of(self, sampler: str) -> tuple[int, ...]:
        """Return a sampler's budgets."""
        found = self.budgets + (self.long if sampler in self.lasting else ())
        past = (self.past,) if self.past and sampler in ENDURING else ()
        return tuple(dict.fromkeys(found + past))


class ImageTarget(NamedTuple):
    """A data set as a target: images (n, *shape) in [0, 1], labels (n), the largest distance of two of them."""

    target: Empirical
    labels: Tensor
    diameter: float

    def subject(self, last_sigma: float) -> Subject:
        """Return the target as what is sampled, from noise as wide as the data set to the last level."""
        return Subject(self.target.score, self.target.shape, SigmaRange(self.diameter, last_sigma))


def image_target(data: Images) -> ImageTarget:
    """Return a data set as a target."""
    flat = data.x.flatten(1)
    diameter = max(torch.cdist(block, flat).max().item() for block in flat.split(1024))
    return ImageTarget(Empirical(data.x), data.y, diameter)


class Errors(NamedTuple):
    """What a batch of samples is judged by; see the module's text."""

    energy: float
    temperature: float
    collisions: float
    classes: float


FLOOR = "exact law"
"""The name under which fresh draws of the target itself are judged, by the same numbers and sizes: the floor."""

Results = Mapping[str, Mapping[int, list[Errors]]]
"""By sampler and evaluations, a list over batches."""


Seen = Callable[[str, int, Tensor], None]
"""What is told of every batch: its sampler, its evaluations (0: the floor), its samples."""


def run_all(settings: Settings, images: ImageTarget, seen: Seen = lambda name, budget, x: None) -> Results:
    """Run every sampler at every budget on every batch, with common starts; `seen` is shown each batch.

    RK45's evaluations are the most that a batch took; of two tolerances that took as many the tighter one is kept.
    """
    judge_alone = judge(settings, images)

    def judged(name: str, budget: int, x: Tensor) -> Errors:
        seen(name, budget, x)
        return judge_alone(x)

    floor = [judged(FLOOR, 0, draw(settings, images, number)) for number in _batches(settings)]
    widest = max((settings.budgets_of(name) for name in settings.samplers), key=len)
    found: dict[str, dict[int, list[Errors]]] = {FLOOR: dict.fromkeys(widest, floor)}
    for name in settings.samplers:
        for budget in settings.budgets_of(name):
            outcomes = [run_batch(settings, images, name, budget, number) for number in _batches(settings)]
            found.setdefault(name, {})[budget] = [judged(name, budget, outcome.x) for outcome in outcomes]
    for tolerance in settings.tolerances:
        outcomes = [
            solved(images.subject(settings.last_sigma), tolerance, settings.batch, generator(settings.seed, number))
            for number in _batches(settings)
        ]
        spent = max(outcome.evaluations for outcome in outcomes)
        found.setdefault(SOLVER, {})[spent] = [judged(SOLVER, spent, outcome.x) for outcome in outcomes]
    return found


def draw(settings: Settings, images: ImageTarget, number: int) -> Tensor:
    """Return fresh draws of the target at the last level, as many as a batch has."""
    draws = generator(settings.seed, settings.batches + number)
    return images.target.sample(settings.batch, _last(settings), draws)


def run_batch(
    settings: Settings, images: ImageTarget, name: str, budget: int, number: int, choice: Hyperparameters = RELEASED
) -> Outcome:
    """Return one batch of samples; batch `number` starts alike for every sampler."""
    subject, draws = images.subject(settings.last_sigma), generator(settings.seed, number)
    return run(subject, ENTRANTS[name], budget, choice, settings.batch, draws)


def judge(settings: Settings, images: ImageTarget) -> Callable[[Tensor], Errors]:
    """Return the function that judges a batch; what depends on the target alone is computed once."""
    points, spread = _points(images), _spread(images, settings.last_sigma)
    truth = torch.bincount(images.labels, minlength=10).double() / len(images.labels)

    def judged(x: Tensor) -> Errors:
        near = images.target.nearest(x, _last(settings))
        n = len(x)
        energy = energy_distance_to_mixture(x, points, settings.last_sigma, spread)
        temperature = near.residual.square().mean().item() / settings.last_sigma**2
        counts = torch.bincount(near.point, minlength=len(points)).double()
        pairs = (counts * (counts - 1)).sum().item() / (n * (n - 1))
        classes = torch.bincount(images.labels[near.point], minlength=10).double() / n
        return Errors(energy, temperature, pairs * len(points), total_variation(classes, truth))

    return judged


def _points(images: ImageTarget) -> Tensor:
    return images.target.cloud.points.reshape(-1, *images.target.shape)


@cache
def _spread(images: ImageTarget, sigma: float) -> float:
    """Return the law's own part of the energy distance; a target is the same only if it is the same object."""
    return mixture_spread(_points(images), sigma)


def _last(settings: Settings) -> Level:
    return Level(0, sigma=settings.last_sigma)


def _batches(settings: Settings) -> range:
    return range(1, settings.batches + 1)
