"""T10: what a sampler costs beside the network it asks, and against the released formulation; MNIST VE network.

The released code keeps its momentum in module-level buffers, asks norms of freshly flattened copies, and makes every
intermediate anew; `released` writes that formulation out for predictor-corrector, around the same network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from ams.catalogue import PROGRAMS, Ends
from ams.ledger import Measurement, check
from ams.noise import Level
from ams.samplers import Score, sample
from experiments.images.networks import mnist_ve
from experiments.images.runs import RELEASED
from tests.benchmarks import timing

DELTA = 1e-4
ENDS = Ends(9.8, 0.05)


class Settings(BaseModel):
    """Samples of a batch, evaluations of a run, runs that are timed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: int = 256
    budget: int = 11
    runs: int = 11
    seed: int = 7


class Watched:
    """A score that adds up the CPU seconds spent in it."""

    def __init__(self, score: Score) -> None:
        self.score, self.seconds = score, 0.0

    def __call__(self, x: Tensor, level: Level) -> Tensor:
        """Return the score."""
        begin = time.process_time()
        found = self.score(x, level)
        self.seconds += time.process_time() - begin
        return found


@cache
def score() -> Score:
    """Return the network's score. Raises Unavailable without its file."""
    return mnist_ve().score


def start(settings: Settings) -> tuple[Tensor, torch.Generator]:
    """Return a start and the generator of the run's noise."""
    generator = torch.Generator().manual_seed(settings.seed)
    return ENDS.first * torch.randn(settings.batch, 28, 28, generator=generator), generator


def run(settings: Settings, sampler: str, by: Score) -> Tensor:
    """Return the samples of one run of ours."""
    x, generator = start(settings)
    return sample(PROGRAMS[sampler](ENDS, settings.budget, RELEASED), x, by, generator)[0].x


def share(work: Callable[[Score], object]) -> float:
    """Return the CPU seconds of a run that are not the network's, over those that are."""
    watched = Watched(score())
    total = timing.seconds(lambda: work(watched))
    return (total - watched.seconds) / watched.seconds


def overhead(settings: Settings, sampler: str) -> Measurement:
    """Return the share of one sampler, the median over runs after a warm-up."""
    with timing.undisturbed():
        shares = [share(lambda by: run(settings, sampler, by)) for _ in range(settings.runs + 1)][1:]
    found = timing.median_interval(shares)
    return Measurement(value=found.value, low=found.low, high=found.high, n=len(shares), seeds=(settings.seed,))


@check("T10.annealed")
def annealed_overhead(settings: Settings) -> Measurement:
    """Annealed adaptive momentum."""
    return overhead(settings, "adaptive momentum")


@check("T10.corrector")
def corrector_overhead(settings: Settings) -> Measurement:
    """Predictor-corrector with the adaptive corrector."""
    return overhead(settings, "PC, adaptive")


def released(x: Tensor, by: Score, levels: list[Level], generator: torch.Generator) -> Tensor:
    """Predictor-corrector with adaptive momentum as the release writes it: whole-batch expressions, nothing reused."""
    momentum = grad_before = amplitude = moved = None
    for level in levels:
        grad = by(x, level)
        noise = torch.randn(x.shape, generator=generator)
        if momentum is None:
            momentum, beta = grad, torch.zeros(())
            size = 2 * (RELEASED.snr * _norm(noise) / _norm(momentum)) ** 2
        else:
            size = 2 * (RELEASED.snr * _norm(noise) / _norm(momentum)) ** 2
            rho = amplitude * _norm(grad - grad_before) / _norm(moved)
            beta = (((1 - rho) / (1 + rho)) ** 2).clamp(0, 1 - DELTA)
            momentum = beta * momentum + (1 - beta) * grad
        amplitude = size * (1 + beta) ** 2
        moved, grad_before = amplitude * momentum, grad
        x = x + moved + torch.sqrt(2 * size) * noise
        if level.next is not None:
            drop = torch.full((len(x), 1, 1), level.sigma**2 - level.next.sigma**2)
            mean = x + drop * by(x, level)
            x = mean + torch.sqrt(drop) * torch.randn(x.shape, generator=generator)
    return x


def _norm(v: Tensor) -> Tensor:
    return torch.norm(v.reshape(v.shape[0], -1), dim=-1).mean()


def theirs(settings: Settings, by: Score) -> Tensor:
    """Return the samples of one run in the released formulation, from the same start and noise as ours."""
    program = PROGRAMS["PC, adaptive"](ENDS, settings.budget, RELEASED)
    x, generator = start(settings)
    return released(x, by, list(dict.fromkeys(level for _, level in program)), generator)


@check("T10.throughput")
def against_the_released_formulation(settings: Settings) -> Measurement:
    """Return our throughput over the released formulation's: images a second, the same network on both sides.

    The network's own time is taken out of each run and put back as one, so that its noise does not count: the ratio is
    `(1 + share of the release) / (1 + ours)`, the median over interleaved pairs after a warm-up.
    """
    works = (lambda by: theirs(settings, by)), (lambda by: run(settings, "PC, adaptive", by))
    with timing.undisturbed():
        pairs = [[share(work) for work in works] for _ in range(settings.runs + 1)][1:]
    found = timing.median_interval([(1 + one) / (1 + other) for one, other in pairs])
    return Measurement(value=found.value, low=found.low, high=found.high, n=len(pairs), seeds=(settings.seed,))
