r"""Samplers on the exact score of a data set's images: nothing is trained, and the target
distribution is known.

The target is uniform on the images, blurred at the last noise level: `p = (1/n) sum_j N(p_j,
sigma_L^2 I)`. Four numbers measure the error of a batch of samples; each has an exact value for `p`
itself:

- energy distance to `p`, `2 E|X - Y| - E|X - X'| - E|Y - Y'|` (pixel units): zero only for `p`
  (Szekely and Rizzo, 2013). The expectations over `p` are exact, so no reference set adds noise;
- variance ratio `V = E|x - p_near|^2 / (d sigma_L^2)`, of the residual about the nearest image: 1
  for `p` (the images lie many sigma_L apart); below 1 the variance is too small;
- collisions: pairs of samples at one image, over the number expected under `p`: above 1 images are
  under-weighted;
- total variation between the classes' shares in the batch and in the data set.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import torch
from pydantic import PositiveInt
from torch import Tensor

from ams.data import Images
from ams.metrics import MixtureReference, total_variation
from ams.samplers.presets import EXACT, SPECS, Hyperparameters, SigmaRange
from ams.schedules import Level
from ams.targets import Empirical
from experiments.images.runs import (
    BASELINE,
    DOUBLED,
    PAPER,
    BatchSetup,
    Problem,
    RunSettings,
    blocks,
    generator,
    run_together,
)
from verdicts.claims.sizes import Numbers
from verdicts.studies import Cell, CellFunction


class ExactSettings(RunSettings):
    """The samplers in `lasting` run at `long` too.

    Evaluations are counted to each of `thresholds` (KL per pixel, nats).
    """

    long: tuple[PositiveInt, ...] = ()
    lasting: tuple[str, ...] = (BASELINE, PAPER, DOUBLED, "reverse diffusion")
    thresholds: Numbers = (0.1, 0.03, 0.01, 0.003, 0.001)

    def budgets_of(self, sampler: str) -> tuple[int, ...]:
        """Return a sampler's budgets, each once."""
        return tuple(dict.fromkeys(self.budgets + (self.long if sampler in self.lasting else ())))


class Errors(NamedTuple):
    """The errors of a batch of samples, as the module's text defines them."""

    energy: float
    variance_ratio: float
    collisions: float
    classes: float

    @property
    def kl(self) -> float:
        """Return `(V - 1 - ln V) / 2` (nats a pixel): KL of a mode with V times the variance
        from the exact mode.
        """
        v = self.variance_ratio
        return 0.5 * (v - 1.0 - math.log(v)) if v < math.inf else math.inf


LOST = Errors(math.inf, math.inf, math.inf, math.inf)
"""The errors of a batch whose run diverges."""
Results: TypeAlias = Mapping[str, Mapping[int, Sequence[Errors]]]
"""By sampler and evaluations, the errors of each batch."""


@dataclass(frozen=True)
class ExactTarget:
    """Images in [0, 1] as a target, and their labels (n)."""

    target: Empirical
    labels: Tensor

    @classmethod
    def of(cls, data: Images) -> "ExactTarget":
        """Return a data set as a target."""
        return cls(Empirical(data.x), data.y)

    @property
    def images(self) -> Tensor:
        """Return the images (n, *shape)."""
        return self.target.cloud.points.reshape(-1, *self.target.shape)

    @cached_property
    def diameter(self) -> float:
        """Return the largest distance between two images: the first noise level of a run."""
        flat = self.target.cloud.points
        return max(torch.cdist(block, flat).max().item() for block in flat.split(1024))

    def problem(self, last_sigma: float) -> Problem:
        """Return the target as what is sampled, from noise as wide as the data set to the last
        noise level.
        """
        return Problem(self.target.score, self.target.shape, SigmaRange(self.diameter, last_sigma))


def fresh_draws(target: ExactTarget, number: int, setup: BatchSetup) -> Tensor:
    """Return draws of the target at the last noise level, as many as a batch has: their errors
    are the floor.
    """
    return target.target.sample(
        setup.size, Level(0, sigma=setup.last_sigma), generator(setup.seed, number)
    )


def samples(
    target: ExactTarget,
    sampler: str,
    budget: int,
    numbers: Iterable[int],
    setup: BatchSetup,
    h: Hyperparameters,
) -> list[Tensor]:
    """Return batches of a sampler, or fresh draws for `exact law`. Raises NonFiniteState where
    one diverges.
    """
    if sampler == EXACT.name:
        return [fresh_draws(target, number, setup) for number in numbers]
    draws = [generator(setup.seed, number) for number in numbers]
    return run_together(
        target.problem(setup.last_sigma), SPECS[sampler], budget, h, setup.size, draws
    )


def errors_of(x: Tensor, target: ExactTarget, reference: MixtureReference) -> Errors:
    """Return the errors of samples; `reference` is the target at the last noise level."""
    near = target.target.nearest(x, Level(0, sigma=reference.sigma))
    n, images = len(x), len(target.labels)
    counts = torch.bincount(near.point, minlength=images).double()
    collisions = (counts * (counts - 1)).sum().item() / (n * (n - 1)) * images
    classes, truth = (
        torch.bincount(labels, minlength=10).double() / len(labels)
        for labels in (target.labels[near.point], target.labels)
    )
    ratio = near.residual.square().mean().item() / reference.sigma**2
    return Errors(reference.energy_distance(x), ratio, collisions, total_variation(classes, truth))


def planned(settings: ExactSettings) -> Iterator[tuple[str, int]]:
    """Yield every sampler and budget that runs at the defaults; first the target's own draws, at
    0 evaluations.
    """
    yield EXACT.name, 0
    yield from (
        (name, budget) for name in settings.samplers for budget in settings.budgets_of(name)
    )


def numbers(settings: ExactSettings, sampler: str) -> range:
    """Return the numbers of a sampler's batches; the target's own draws share none with a run's."""
    first = 1 + (settings.batches if sampler == EXACT.name else 0)
    return range(first, first + settings.batches)


def results(
    settings: ExactSettings, read: Callable[[str, int], list[Errors]]
) -> dict[str, dict[int, list[Errors]]]:
    """Return what `read(sampler, budget)` gives of every run at the defaults."""
    by_sampler: dict[str, dict[int, list[Errors]]] = {}
    for sampler, budget in planned(settings):
        by_sampler.setdefault(sampler, {})[budget] = read(sampler, budget)
    return by_sampler


def cells(settings: ExactSettings, batches: CellFunction[..., Any]) -> Iterator[Cell[Any]]:
    """Yield the cells of every run at the defaults."""
    for sampler, budget in planned(settings):
        parts = blocks(numbers(settings, sampler), settings.setup)
        yield from (batches.cell(sampler, budget, part, settings.setup) for part in parts)
