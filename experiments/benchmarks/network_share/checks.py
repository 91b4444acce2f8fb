"""T10: what a sampler costs beside the network it asks, and against the released formulation; MNIST VE network.

The released code keeps its momentum in module-level buffers, asks norms of freshly flattened copies, and makes every
intermediate anew; `released` writes that formulation out for predictor-corrector, around the same network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Generic, NamedTuple, ParamSpec

import torch
from ams.samplers.catalogue import PROGRAMS, SigmaRange
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.samplers import Noise, Particles, Score, State, last
from ams.samplers import run as states
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from experiments.benchmarks import timing
from experiments.images.networks.unet_ve import mnist_ve
from experiments.images.runs import RELEASED
from verdicts import Measurement, check

Arguments = ParamSpec("Arguments")
DELTA = 1e-4
ENDS = SigmaRange(9.8, 0.05)


class Settings(BaseModel):
    """Samples of a batch, evaluations of a run, runs that are timed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: PositiveInt = 256
    budget: PositiveInt = 11
    runs: PositiveInt = 11
    seed: NonNegativeInt = 7


class Watched(Generic[Arguments]):
    """A function that adds up the CPU seconds spent in it: a run's score, a run's noise."""

    def __init__(self, function: Callable[Arguments, Tensor]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Tensor:
        """Return what the function does."""
        begin = time.process_time()
        found = self.function(*args, **kwargs)
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


def run(settings: Settings, sampler: str, by: Score, watch: Callable[[Noise], Noise] = lambda noise: noise) -> Tensor:
    """Return the samples of one run of ours; `watch` may look at its noise."""
    x, generator = start(settings)
    algebra = Particles()
    noise = watch(generated(generator, algebra.empty_like))
    return last(states(PROGRAMS[sampler](ENDS, settings.budget, RELEASED), State(x), by, noise, algebra))[0].x


class Shares(NamedTuple):
    """CPU seconds of a run over those of its network: all that is beside the network, and the normal draws alone."""

    beside: float
    draws: float

    @property
    def arithmetic(self) -> float:
        """What is neither network nor draw."""
        return self.beside - self.draws


def shares(work: Callable[[Score, Callable[[Noise], Noise]], object]) -> Shares:
    """Return the shares of one run."""
    watched, drawn = Watched(score()), list[Watched[[Tensor]]]()

    def watch(noise: Noise) -> Noise:
        drawn.append(Watched(noise))
        return drawn[-1]

    total = timing.seconds(lambda: work(watched, watch))
    draws = sum(noise.seconds for noise in drawn)
    return Shares((total - watched.seconds) / watched.seconds, draws / watched.seconds)


@cache
def of_sampler(settings: Settings, sampler: str) -> tuple[Shares, ...]:
    """Return the shares of runs of one sampler, after a warm-up."""
    with timing.undisturbed():
        return tuple(shares(partial(run, settings, sampler)) for _ in range(settings.runs + 1))[1:]


def measured(values: Sequence[float], settings: Settings) -> Measurement:
    """Return the median with its interval."""
    found = timing.median_interval(values)
    return Measurement(value=found.value, low=found.low, high=found.high, n=found.n, seeds=(settings.seed,))


@check("T10.annealed")
def annealed_arithmetic(settings: Settings) -> Measurement:
    """Annealed adaptive momentum: neither network nor draws."""
    return measured([run.arithmetic for run in of_sampler(settings, "adaptive momentum")], settings)


@check("T10.corrector")
def corrector_arithmetic(settings: Settings) -> Measurement:
    """Predictor-corrector with the adaptive corrector: neither network nor draws."""
    return measured([run.arithmetic for run in of_sampler(settings, "PC, adaptive")], settings)


@check("T10.annealed_all")
def annealed_overhead(settings: Settings) -> Measurement:
    """Annealed adaptive momentum: all that is beside the network."""
    return measured([run.beside for run in of_sampler(settings, "adaptive momentum")], settings)


@check("T10.corrector_all")
def corrector_overhead(settings: Settings) -> Measurement:
    """Predictor-corrector with the adaptive corrector: all that is beside the network."""
    return measured([run.beside for run in of_sampler(settings, "PC, adaptive")], settings)


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
    works = (lambda by, _: theirs(settings, by)), (lambda by, _: run(settings, "PC, adaptive", by))
    with timing.undisturbed():
        pairs = [[shares(work).beside for work in works] for _ in range(settings.runs + 1)][1:]
    return measured([(1 + one) / (1 + other) for one, other in pairs], settings)
