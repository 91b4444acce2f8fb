r"""Samplers on the exact score of a data set's images: no training, and the target law is known.

The target is the uniform law on the images, blurred at the last noise level: `p = (1/n) sum_j N(p_j, sigma_L^2 I)`. A
run is judged by four numbers, each with an exact value for `p` itself:

- energy distance to `p`, `2 E|X - Y| - E|X - X'| - E|Y - Y'|` (pixel units): zero only for `p` (Szekely and Rizzo,
2013); proper,
  free of tuning, sensitive to place and spread. The expectations over `p` are taken exactly, so a reference adds no
  noise;
- temperature `E|x - p_near|^2 / (d sigma_L^2)`: 1 for `p` (the images lie many sigma_L apart); below 1 a sampler
cools; - collisions: pairs of samples at the same image, over the number that the uniform law expects: 1 for `p`;
above 1 a sampler starves
  images;
- total variation of the classes' histogram: expected size under `p` is stated beside it.

Samples of a batch are coupled by the released rule, so the independent units are batches: intervals are Student's
over batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from ams.data import Images
from ams.distances import energy_distance_to_mixture, mixture_spread, total_variation
from ams.noise import Level, annealed_levels, geometric_sigmas, linked, ncsnv2_step
from ams.samplers import (
    Program,
    Step,
    adaptive,
    affine,
    annealed,
    constant,
    downward,
    flow_heun,
    langevin,
    momentum,
    momentum_rule,
    predictor_corrector,
    reverse_sde,
    sample,
    snr_of_last_momentum,
    snr_of_score,
)
from ams.targets import Empirical

SAMPLERS = (
    "annealed Langevin",
    "Langevin, drift x2",
    "adaptive momentum",
    "constant momentum",
    "PC, Langevin",
    "PC, adaptive",
    "reverse diffusion",
    "flow, Heun",
)


class Settings(BaseModel):
    """Budgets (NFE), independent batches and samples in each, samplers, steps a level, last noise level, PC's snr."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: tuple[int, ...] = (20, 60, 150)
    batches: int = 4
    batch: int = 128
    samplers: tuple[str, ...] = SAMPLERS
    repeats: int = 5
    last_sigma: float = 0.05
    snr: float = 0.16
    grid_budget: int = 60
    seed: int = 2405


class ImageTarget(NamedTuple):
    """A data set as a target: images (n, *shape) in [0, 1], labels (n), the largest distance of two of them."""

    target: Empirical
    labels: Tensor
    diameter: float


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


def programs(settings: Settings, first_sigma: float, budget: int) -> dict[str, Program]:
    """Return each sampler's program within `budget` score evaluations, from `first_sigma` to the last level.

    The annealed ones take `repeats` steps a level with NCSNv2's step rule; the others one step (or two) between
    neighbours of as many geometric levels as the budget allows.
    """
    sigmas = geometric_sigmas(first_sigma, settings.last_sigma, max(budget // settings.repeats, 2))
    epsilon = ncsnv2_step(sigmas, settings.repeats)
    levels = annealed_levels(sigmas, epsilon)
    steps: dict[str, Step] = {
        "annealed Langevin": langevin(),
        "Langevin, drift x2": langevin(factor=2.0),
        "adaptive momentum": momentum(momentum_rule(adaptive(1e-3), extra=epsilon)),
        "constant momentum": momentum(momentum_rule(constant(0.9))),
    }
    found = {name: annealed(step, levels, settings.repeats) for name, step in steps.items()}
    correctors = {
        "PC, Langevin": langevin(snr_of_score(settings.snr)),
        "PC, adaptive": momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(settings.snr))),
    }
    halves = _levels(first_sigma, settings.last_sigma, (budget + 1) // 2)
    for name, corrector in correctors.items():
        found[name] = [*predictor_corrector(affine(reverse_sde), corrector, halves[:-1]), (corrector, halves[-1])]
    found["reverse diffusion"] = downward(affine(reverse_sde), _levels(first_sigma, settings.last_sigma, budget + 1))
    found["flow, Heun"] = downward(flow_heun, _levels(first_sigma, settings.last_sigma, budget // 2 + 1))
    return {name: found[name] for name in settings.samplers}


def _levels(first: float, last: float, count: int) -> list[Level]:
    sigmas = geometric_sigmas(first, last, max(count, 2))
    return linked([Level(number, sigma=float(sigma)) for number, sigma in enumerate(sigmas)])


FLOOR = "exact law"
"""The name under which fresh draws of the target itself are judged, by the same numbers and sizes: the floor."""

Results = Mapping[str, Mapping[int, list[Errors]]]


def run_all(settings: Settings, images: ImageTarget) -> Results:
    """Run every sampler at every budget on every batch, with common starts; returns errors, a list over batches."""
    judged = judge(settings, images)
    floor = [judged(draw(settings, images, number)) for number in _batches(settings)]
    found: dict[str, dict[int, list[Errors]]] = {FLOOR: dict.fromkeys(settings.budgets, floor)}
    for budget in settings.budgets:
        for name, program in programs(settings, images.diameter, budget).items():
            batches = (run_batch(settings, images, program, number) for number in _batches(settings))
            found.setdefault(name, {})[budget] = [judged(x) for x in batches]
    return found


def draw(settings: Settings, images: ImageTarget, number: int) -> Tensor:
    """Return fresh draws of the target at the last level, as many as a batch has."""
    return images.target.sample(settings.batch, _last(settings), _generator(settings, settings.batches + number))


def run_batch(settings: Settings, images: ImageTarget, program: Program, number: int) -> Tensor:
    """Return one batch of samples; batch `number` starts alike for every sampler."""
    generator = _generator(settings, number)
    shape = (settings.batch, *images.target.shape)
    start = images.diameter * torch.randn(shape, generator=generator, dtype=images.target.cloud.points.dtype)
    return sample(program, start, images.target.score, generator)[0].x.clone()


def judge(settings: Settings, images: ImageTarget) -> Callable[[Tensor], Errors]:
    """Return the function that judges a batch; what depends on the target alone is computed once."""
    points = images.target.cloud.points.reshape(-1, *images.target.shape)
    spread = mixture_spread(points, settings.last_sigma)
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


def _last(settings: Settings) -> Level:
    return Level(0, sigma=settings.last_sigma)


def _batches(settings: Settings) -> range:
    return range(1, settings.batches + 1)


def _generator(settings: Settings, number: int) -> torch.Generator:
    seed = np.random.SeedSequence([settings.seed, number % 2**32]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(seed >> np.uint64(1)))
