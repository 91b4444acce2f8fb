"""T1: the particle loop against what a careful engineer writes by hand: in place, nothing checked, nothing told."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ams.samplers import Particles, Program, State, Step, adaptive, annealed, langevin, momentum, momentum_rule, run
from ams.samplers import sample as sampled
from ams.samplers.base import Score
from ams.samplers.noise_sources import generated
from ams.schedules import Level, annealed_levels, geometric_sigmas
from ams.targets import Gaussian
from experiments.benchmarks import timing
from verdicts import Measurement, check
from verdicts.claims.sizes import Sizes

ADAPTIVE, LANGEVIN = momentum(momentum_rule(adaptive())), langevin()
DELTA = 1e-3
Bare = Callable[[Tensor, Score, torch.Generator, list[Level]], Tensor]


class Settings(BaseModel):
    """Shapes of the state, batch first; steps of a run of each; pairs: many short ones, since a load outlasts them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Sizes = (64, 3, 32, 32)
    point: Sizes = (64, 2)
    image_steps: PositiveInt = 20
    point_steps: PositiveInt = 200
    pairs: PositiveInt = 201
    seed: NonNegativeInt = 7


def program(step: Step, steps: int) -> Program:
    """Return an annealed run of `steps` steps, over ten levels."""
    return annealed(step, annealed_levels(geometric_sigmas(10.0, 0.1, 10), 1e-5), steps // 10)


def start(shape: tuple[int, ...], seed: int) -> tuple[Tensor, torch.Generator]:
    """Return a start and the generator of the run's noise."""
    generator = torch.Generator().manual_seed(seed)
    return 10.0 * torch.randn(shape, generator=generator), generator


def bare_langevin(x: Tensor, score: Score, generator: torch.Generator, levels: list[Level]) -> Tensor:
    """Annealed Langevin by hand, in place."""
    z = torch.empty_like(x)
    for level in levels:
        s = score(x, level)
        z.normal_(generator=generator)
        x.add_(z, alpha=math.sqrt(2 * level.step)).add_(s, alpha=level.step)
    return x


def bare_adaptive(x: Tensor, score: Score, generator: torch.Generator, levels: list[Level]) -> Tensor:
    """Annealed adaptive momentum by hand, in place."""
    m, change, z = (torch.empty_like(x) for _ in range(3))
    drift, before = 0.0, None
    for level in levels:
        s = score(x, level)
        z.normal_(generator=generator)
        beta = 0.0
        if before is None:
            m.copy_(s)
        else:
            rho = drift * _mean_norm(torch.sub(s, before, out=change)) / (drift * _mean_norm(m))
            beta = min(max(((1 - rho) / (1 + rho)) ** 2, 0.0), 1.0 - DELTA)
            m.mul_(beta).add_(s, alpha=1 - beta)
        drift, before = level.step * (1 + beta) ** 2, s
        x.add_(z, alpha=math.sqrt(2 * level.step)).add_(m, alpha=drift)
    return x


def _mean_norm(v: Tensor) -> float:
    return torch.linalg.vector_norm(v.flatten(1), dim=1).sum().item() / len(v)


def both(step: Step, bare: Bare, shape: tuple[int, ...], steps: int, seed: int) -> tuple[timing.Work, timing.Work]:
    """Return two runs of the same arithmetic on the same Gaussian target: the loop's and the one by hand."""
    score, path = Gaussian(torch.zeros(shape[1:])).score, list(program(step, steps))
    levels = [level for _, level in path]

    def ours() -> Tensor:
        x, generator = start(shape, seed)
        return sampled(path, x, score, generator)[0].x

    def theirs() -> Tensor:
        x, generator = start(shape, seed)
        return bare(x, score, generator, levels)

    return ours, theirs


def _ratio(settings: Settings, step: Step, bare: Bare, shape: tuple[int, ...], steps: int) -> Measurement:
    return timing.ratio(*both(step, bare, shape, steps, settings.seed), settings.pairs, steps=steps)


@check("T1.adaptive_image")
def adaptive_at_image_size(settings: Settings) -> Measurement:
    """Adaptive momentum, image-size state: CPU time of the loop over the bare loop's."""
    return _ratio(settings, ADAPTIVE, bare_adaptive, settings.image, settings.image_steps)


@check("T1.langevin_image")
def langevin_at_image_size(settings: Settings) -> Measurement:
    """Langevin, image-size state."""
    return _ratio(settings, LANGEVIN, bare_langevin, settings.image, settings.image_steps)


@check("T1.adaptive_point")
def adaptive_at_small_size(settings: Settings) -> Measurement:
    """Adaptive momentum on points of the plane, where what the interpreter does is visible."""
    return _ratio(settings, ADAPTIVE, bare_adaptive, settings.point, settings.point_steps)


@check("T1.langevin_point")
def langevin_at_small_size(settings: Settings) -> Measurement:
    """Langevin on points of the plane."""
    return _ratio(settings, LANGEVIN, bare_langevin, settings.point, settings.point_steps)


class Fresh(TorchDispatchMode):
    """Counts tensors of `size` entries or more that an operation returns in storage that none of its arguments had."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.count = size, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run the operation, and count."""
        given = [v for v in tree_leaves((args, kwargs)) if isinstance(v, Tensor)]
        result = func(*args, **(kwargs or {}))
        known = {v.untyped_storage().data_ptr() for v in given}
        made = [v for v in tree_leaves(result) if isinstance(v, Tensor) and v.numel() >= self.size]
        self.count += sum(v.untyped_storage().data_ptr() not in known for v in made)
        return result


def allocations(algebra: Particles, step: Step, shape: tuple[int, ...], steps: int = 20, warm: int = 4) -> int:
    """Return the state-size allocations of a run after `warm` steps, the score's own apart (it allocates nothing)."""
    x, generator = start(shape, 0)
    scores = [torch.zeros_like(x) for _ in range(2 * steps)]
    mode = Fresh(x.numel())
    noise = generated(generator, algebra.empty_like)
    states = run(program(step, steps), State(x), lambda *_: scores.pop(), noise, algebra)
    with mode:
        for number, _ in enumerate(states):
            mode.count = 0 if number < warm else mode.count
    return mode.count


@check("T1.allocations")
def no_allocations(settings: Settings) -> Measurement:
    """Count state-size allocations of both samplers after the first steps."""
    counts = [allocations(Particles(), step, settings.point) for step in (ADAPTIVE, LANGEVIN)]
    return Measurement(value=sum(counts), n=len(counts))
