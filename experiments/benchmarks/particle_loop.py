"""T1, T2: the particle loop against loops written by hand, and against k-diffusion and azula.

Loops written by hand work in place, check nothing and record nothing. The libraries are compared in
one update, one score, equally many steps. On the variance-exploding process, ancestral sampling is
one formula in all three libraries (k-diffusion's `sample_euler_ancestral`, azula's `DDPMSampler`),
and so is Euler's rule on the probability flow (`sample_euler`, `EulerSampler`). The other libraries
ask for a denoiser: they get `x + sigma^2 s(x)`, written into the score's storage.
"""

import importlib
import importlib.util
import math
from collections.abc import Callable
from functools import partial
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ams import samplers as sm
from ams.errors import DataUnavailable
from ams.samplers.base import Score
from ams.samplers.noise_sources import generated
from ams.schedules import Level, annealed_levels, geometric_sigmas, linked
from ams.targets import Gaussian
from experiments.benchmarks.costs import Work, allocations, time_ratio
from experiments.benchmarks.settings import Settings
from experiments.images.networks.loading import optional
from samplercheck.adapters.denoisers import sampling
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


def bare_langevin(
    x: Tensor, score: Score, generator: torch.Generator, levels: list[Level]
) -> Tensor:
    """Return `x` after annealed Langevin steps, written by hand and in place."""
    z = torch.empty_like(x)
    for level in levels:
        s = score(x, level)
        z.normal_(generator=generator)
        x.add_(z, alpha=math.sqrt(2 * level.step)).add_(s, alpha=level.step)
    return x


def bare_adaptive(
    x: Tensor, score: Score, generator: torch.Generator, levels: list[Level]
) -> Tensor:
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
    """Measure the CPU time of the library's loop over the bare loop's, at `image` size or on
    `point`s of the plane.
    """
    shape, steps = getattr(settings, state), getattr(settings, f"{state}_steps")
    return time_ratio(
        *both_runs(sampler, shape, steps, settings.seed), settings.loop_pairs, steps=steps
    )


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
    """Count the state-size allocations of Langevin and adaptive momentum after their first
    steps.
    """
    counts = [allocation_count(step, settings.point) for step, _ in SAMPLERS.values()]
    return Measurement(value=sum(counts), n=len(counts))


HIGHEST, LOWEST = 10.0, 0.1
BENCH = "bash reproduce.sh bench"
"""What installs the other libraries."""


class PeerRun(NamedTuple):
    """A run that every library can do: target, noise levels, start."""

    target: Gaussian
    levels: list[Level]
    start: Tensor

    def denoiser(self, x: Tensor, sigma: float) -> Tensor:
        """Return `x + sigma^2 s(x)`, with one tensor beyond the score's own."""
        return self.target.score(x, Level(0, sigma=sigma)).mul_(sigma**2).add_(x)


def peer_run(shape: tuple[int, ...], steps: int, seed: int) -> PeerRun:
    """Return the case for a state of this shape, batch first, and a number of steps."""
    sigmas = geometric_sigmas(HIGHEST, LOWEST, steps + 1).tolist()
    levels = linked([Level(i, sigma=sigma) for i, sigma in enumerate(sigmas)])
    generator = torch.Generator().manual_seed(seed)
    return PeerRun(
        Gaussian(torch.zeros(shape[1:])), levels, HIGHEST * torch.randn(shape, generator=generator)
    )


def by_this_library(given: PeerRun, kernel: sm.Kernel) -> Tensor:
    """Return this library's samples, with noise from torch's default generator."""
    program = sm.one_step_per_level(sm.affine(kernel), given.levels)
    return sm.sample(program, given.start, given.target.score, torch.default_generator)[0].x


def k_diffusion() -> ModuleType:
    """Return the module `k_diffusion.sampling` without the package's `__init__`, which imports its
    training code.

    Raises DataUnavailable where the package is not installed.
    """
    if importlib.util.find_spec("k_diffusion") is None:
        raise DataUnavailable(f"k-diffusion is not installed: {BENCH}", "k-diffusion", BENCH)
    return sampling()


def azula() -> ModuleType:
    """Return the module `azula.sample`. Raises DataUnavailable where it, or a package it needs,
    is not installed.
    """
    module: ModuleType = optional("azula.sample", f"azula is not installed: {BENCH}")
    return module


def by_k_diffusion(given: PeerRun, name: str) -> Tensor:
    """Return the samples of k-diffusion's function `name`."""
    sigmas = torch.tensor([level.sigma for level in given.levels])
    sampler = getattr(k_diffusion(), name)
    return sampler(
        lambda x, sigma: given.denoiser(x, sigma[0].item()), given.start, sigmas, disable=True
    )


def by_azula(given: PeerRun, name: str) -> Tensor:
    """Return the samples of azula's sampler `name` on its variance-exploding schedule, whose
    noise levels are ours.
    """
    module = azula()
    schedule = importlib.import_module("azula.noise").VESchedule(LOWEST, HIGHEST)
    sampler = getattr(module, name)(
        _azula_denoiser(given, schedule), steps=len(given.levels) - 1, silent=True
    )
    return sampler(given.start)


def _azula_denoiser(
    given: PeerRun, schedule: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> torch.nn.Module:
    base: Any = importlib.import_module("azula.denoise")

    class Exact(base.Denoiser):
        """The exact posterior mean in azula's interface."""

        def __init__(self) -> None:
            super().__init__()
            self.schedule = schedule

        def forward(self, x_t: Tensor, t: Tensor, **ignored: object) -> object:
            """Return the posterior mean at time `t`."""
            return base.DiracPosterior(given.denoiser(x_t, self.schedule(t)[1].item()))

    return Exact()


PEERS: dict[str, tuple[Callable[[PeerRun, str], Tensor], dict[sm.Kernel, str]]] = {
    "k_diffusion": (
        by_k_diffusion,
        {sm.ancestral: "sample_euler_ancestral", sm.flow_euler: "sample_euler"},
    ),
    "azula": (by_azula, {sm.ancestral: "DDPMSampler", sm.flow_euler: "EulerSampler"}),
}
"""For each other library: how it runs, and what it calls each update."""


def largest_ratio(settings: Settings, peer: str) -> Measurement:
    """Return the largest ratio of processor times, ours over a peer's, of all samplers that both
    have.
    """
    run_peer, names = PEERS[peer]
    ratios: dict[str, Measurement] = {}
    for shape, steps in (
        (settings.image, settings.image_steps),
        (settings.point, settings.point_steps),
    ):
        given = peer_run(shape, steps, settings.seed)
        for kernel, name in names.items():
            works = partial(by_this_library, given, kernel), partial(run_peer, given, name)
            ratios[f"{name} {shape}"] = time_ratio(*works, settings.library_pairs)
    worst = max(ratios.values(), key=lambda measured: measured.value)
    rounded = {name: [round(v, 3) for v in (m.value, *m.interval)] for name, m in ratios.items()}
    return worst.model_copy(
        update={"detail": {"ratio, low, high": rounded, "pairs": settings.library_pairs}}
    )
