"""T1: the particle loop against loops written by hand, which work in place, check nothing and record nothing."""

import math
from collections.abc import Callable
from itertools import islice

import torch
from torch import Tensor

from ams import samplers as sm
from ams.samplers.base import Score
from ams.samplers.noise_sources import generated
from ams.schedules import Level, annealed_levels, geometric_sigmas
from ams.targets import Gaussian
from experiments.benchmarks.memory import allocations
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import Work, time_ratio
from verdicts import Measurement

ADAPTIVE = sm.momentum(sm.momentum_rule(sm.adaptive()))
DELTA = 1e-3
Bare = Callable[[Tensor, Score, torch.Generator, list[Level]], Tensor]


def program(step: sm.Step, steps: int) -> sm.Program:
    """Return an annealed run of `steps` steps over ten noise levels."""
    return sm.annealed(step, annealed_levels(geometric_sigmas(10.0, 0.1, 10), 1e-5), steps // 10)


def start(shape: tuple[int, ...], seed: int) -> tuple[Tensor, torch.Generator]:
    """Return a start of this shape and the generator of the run's noise."""
    generator = torch.Generator().manual_seed(seed)
    return 10.0 * torch.randn(shape, generator=generator), generator


def bare_langevin(x: Tensor, score: Score, generator: torch.Generator, levels: list[Level]) -> Tensor:
    """Return `x` after annealed Langevin steps, written by hand and in place."""
    z = torch.empty_like(x)
    for level in levels:
        s = score(x, level)
        z.normal_(generator=generator)
        x.add_(z, alpha=math.sqrt(2 * level.step)).add_(s, alpha=level.step)
    return x


def bare_adaptive(x: Tensor, score: Score, generator: torch.Generator, levels: list[Level]) -> Tensor:
    """Return `x` after annealed steps of adaptive momentum, written by hand and in place."""
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


SAMPLERS: dict[str, tuple[sm.Step, Bare]] = {
    "adaptive": (ADAPTIVE, bare_adaptive),
    "langevin": (sm.langevin(), bare_langevin),
}
"""For each sampler: the library's step, and the loop written by hand."""


def both_runs(sampler: str, shape: tuple[int, ...], steps: int, seed: int) -> tuple[Work, Work]:
    """Return the library's run and the bare run, from one start on one Gaussian target."""
    step, bare = SAMPLERS[sampler]
    score, path = Gaussian(torch.zeros(shape[1:])).score, list(program(step, steps))
    levels = [level for _, level in path]

    def ours() -> Tensor:
        x, generator = start(shape, seed)
        return sm.sample(path, x, score, generator)[0].x

    def by_hand() -> Tensor:
        x, generator = start(shape, seed)
        return bare(x, score, generator, levels)

    return ours, by_hand


def time_over_bare(settings: Settings, sampler: str, state: str) -> Measurement:
    """Measure the CPU time of the library's loop over the bare loop's, at `image` size or on `point`s of the plane."""
    shape, steps = getattr(settings, state), getattr(settings, f"{state}_steps")
    return time_ratio(*both_runs(sampler, shape, steps, settings.seed), settings.loop_pairs, steps=steps)


def allocation_count(step: sm.Step, shape: tuple[int, ...], steps: int = 20, warm: int = 4) -> int:
    """Return how many tensors as large as the state a run allocates after its first `warm` steps.

    The score returns tensors that exist before.
    """
    x, generator = start(shape, 0)
    scores, algebra = [torch.zeros_like(x) for _ in range(2 * steps)], sm.Particles()
    noise = generated(generator, algebra.empty_like)
    states = sm.run(program(step, steps), sm.State(x), lambda *_: scores.pop(), noise, algebra)
    sm.last(islice(states, warm))
    return sum(size >= x.nbytes for size in allocations(lambda: sm.last(states)))


def state_size_allocations(settings: Settings) -> Measurement:
    """Count the state-size allocations of Langevin and adaptive momentum after their first steps."""
    counts = [allocation_count(step, settings.point) for step, _ in SAMPLERS.values()]
    return Measurement(value=sum(counts), n=len(counts))
