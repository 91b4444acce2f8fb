"""T10: what a sampler costs beside an image network, in this suite's and the authors' formulation.

The code published with arXiv 2405.13726 has its momentum in module-level buffers, takes norms of
freshly flattened copies, and allocates every intermediate. `authors_sampler` writes that
formulation out for predictor-corrector, and T10 compares with it, around the MNIST VE network.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ams.samplers import Noise, Particles, Program, Score, State, last, run as states
from ams.samplers.noise_sources import generated
from ams.samplers.presets import AUTHORS, SPECS, SigmaRange
from ams.schedules import Level
from experiments.benchmarks import costs
from experiments.benchmarks.settings import Settings
from experiments.images.networks.unet_ve import mnist_ve
from verdicts import Measurement

DELTA = 1e-4
SIGMAS = SigmaRange(9.8, 0.05)
CORRECTOR = "PC, adaptive"


class Timed:
    """A function, a score or a source of noise, with the sum of the CPU seconds spent in it."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments: object) -> Tensor:
        """Return the function's value."""
        begin = time.process_time()
        value = self.function(*arguments)
        self.seconds += time.process_time() - begin
        return value


def program(settings: Settings, sampler: str) -> Program:
    """Return a sampler's program at the authors' hyperparameters."""
    return SPECS[sampler].build(SIGMAS, settings.share_budget, AUTHORS)


def start(settings: Settings) -> tuple[Tensor, torch.Generator]:
    """Return a start and the generator of the run's noise."""
    generator = torch.Generator().manual_seed(settings.seed)
    return SIGMAS.first * torch.randn(settings.share_batch, 28, 28, generator=generator), generator


Wrapper = Callable[[Noise], Noise]


def ours(
    settings: Settings, sampler: str, score: Score, wrapped: Wrapper = lambda noise: noise
) -> Tensor:
    """Return the samples of one run of this library; `wrapped` may wrap its source of noise."""
    x, generator = start(settings)
    algebra = Particles()
    noise = wrapped(generated(generator, algebra.empty_like))
    return last(states(program(settings, sampler), State(x), score, noise, algebra))[0].x


class Shares(NamedTuple):
    """CPU seconds over those of the network: all that is outside the network, and the normal draws
    alone.
    """

    outside: float
    draws: float


def shares(work: Callable[[Score, Wrapper], object], score: Score) -> Shares:
    """Return the shares of one run."""
    network, sources = Timed(score), list[Timed]()

    def wrapped(noise: Noise) -> Noise:
        sources.append(Timed(noise))
        return sources[-1]

    total = costs.cpu_seconds(lambda: work(network, wrapped))
    draws = sum(source.seconds for source in sources)
    return Shares((total - network.seconds) / network.seconds, draws / network.seconds)


def shares_of_runs(settings: Settings, sampler: str) -> list[Shares]:
    """Return the shares of runs of one sampler, after one unmeasured run. Raises DataUnavailable
    without weights.
    """
    score = mnist_ve().score
    with costs.undisturbed():
        return [
            shares(partial(ours, settings, sampler), score) for _ in range(settings.share_runs + 1)
        ][1:]


def _median(values: Iterable[float], settings: Settings) -> Measurement:
    return costs.median_measurement(list(values), seeds=(settings.seed,))


def share_of_arithmetic(settings: Settings, sampler: str) -> Measurement:
    """Measure the CPU time of a sampler outside network and normal draws, over the network's."""
    return _median((run.outside - run.draws for run in shares_of_runs(settings, sampler)), settings)


def share_outside_the_network(settings: Settings, sampler: str) -> Measurement:
    """Measure the CPU time of a sampler outside the network, over the network's."""
    return _median((run.outside for run in shares_of_runs(settings, sampler)), settings)


def authors_sampler(
    x: Tensor, score: Score, levels: Iterable[Level], generator: torch.Generator
) -> Tensor:
    """Return samples of predictor-corrector with adaptive momentum as the authors' code writes it.

    Expressions are over the whole batch, and no storage is reused.
    """
    momentum: Tensor | None = None
    grad_before = amplitude = moved = torch.zeros(())
    for level in levels:
        grad = score(x, level)
        noise = torch.randn(x.shape, generator=generator)
        if momentum is None:
            momentum, beta = grad, torch.zeros(())
            size = 2 * (AUTHORS.snr * _norm(noise) / _norm(momentum)) ** 2
        else:
            size = 2 * (AUTHORS.snr * _norm(noise) / _norm(momentum)) ** 2
            rho = amplitude * _norm(grad - grad_before) / _norm(moved)
            beta = (((1 - rho) / (1 + rho)) ** 2).clamp(0, 1 - DELTA)
            momentum = beta * momentum + (1 - beta) * grad
        amplitude = size * (1 + beta) ** 2
        moved, grad_before = amplitude * momentum, grad
        x = x + moved + torch.sqrt(2 * size) * noise
        if level.next is not None:
            drop = torch.full((len(x), 1, 1), level.sigma**2 - level.next.sigma**2)
            mean = x + drop * score(x, level)
            x = mean + torch.sqrt(drop) * torch.randn(x.shape, generator=generator)
    return x


def _norm(v: Tensor) -> Tensor:
    return torch.norm(v.reshape(v.shape[0], -1), dim=-1).mean()


def theirs(settings: Settings, score: Score, _: Wrapper = lambda noise: noise) -> Tensor:
    """Return the samples of one run in the authors' formulation, from our start and our noise."""
    x, generator = start(settings)
    levels = dict.fromkeys(level for _, level in program(settings, CORRECTOR))
    return authors_sampler(x, score, levels, generator)


def throughput_over_the_authors_formulation(settings: Settings) -> Measurement:
    """Measure the images per second of this library over those of the authors' formulation, around
    one network.

    Each run's network time counts as 1, so that its noise cancels: a pair's ratio is `(1 + theirs)
    / (1 + ours)`, each the share outside the network. The value is the median over interleaved
    pairs, after one unmeasured pair.
    """
    score, works = mnist_ve().score, (partial(theirs, settings), partial(ours, settings, CORRECTOR))
    with costs.undisturbed():
        pairs = [
            [shares(work, score).outside for work in works] for _ in range(settings.share_runs + 1)
        ][1:]
    return _median(((1 + authors) / (1 + library) for authors, library in pairs), settings)
