"""T2: this library against k-diffusion and azula: one update, one score, equally many steps.

On the variance-exploding process, ancestral sampling is one formula in all three libraries (k-diffusion's
`sample_euler_ancestral`, azula's `DDPMSampler`), and so is Euler's rule on the probability flow (`sample_euler`,
`EulerSampler`). The other libraries ask for a denoiser: they get `x + sigma^2 s(x)`, written into the score's storage.
"""

import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ams.errors import DataUnavailable
from ams.samplers import Kernel, affine, ancestral, flow_euler, one_step_per_level, sample
from ams.schedules import Level, geometric_sigmas, linked
from ams.targets import Gaussian
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import time_ratio
from experiments.images.networks.loading import optional
from samplercheck.adapters.k_diffusion import sampling
from verdicts import Measurement

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


def case(shape: tuple[int, ...], steps: int, seed: int) -> PeerRun:
    """Return the case for a state of this shape, batch first, and a number of steps."""
    sigmas = geometric_sigmas(HIGHEST, LOWEST, steps + 1).tolist()
    levels = linked([Level(i, sigma=sigma) for i, sigma in enumerate(sigmas)])
    generator = torch.Generator().manual_seed(seed)
    return PeerRun(Gaussian(torch.zeros(shape[1:])), levels, HIGHEST * torch.randn(shape, generator=generator))


def ours(given: PeerRun, kernel: Kernel) -> Tensor:
    """Return this library's samples, with noise from torch's default generator."""
    program = one_step_per_level(affine(kernel), given.levels)
    return sample(program, given.start, given.target.score, torch.default_generator)[0].x


def k_diffusion() -> ModuleType:
    """Return the module `k_diffusion.sampling` without the package's `__init__`, which imports its training code.

    Raises DataUnavailable where the package is not installed.
    """
    if importlib.util.find_spec("k_diffusion") is None:
        raise DataUnavailable(f"k-diffusion is not installed: {BENCH}", "k-diffusion", BENCH)
    return sampling()


def azula() -> ModuleType:
    """Return the module `azula.sample`. Raises DataUnavailable where it, or a package it needs, is not installed."""
    module: ModuleType = optional("azula.sample", f"azula is not installed: {BENCH}")
    return module


def by_k_diffusion(given: PeerRun, name: str) -> Tensor:
    """Return the samples of k-diffusion's function `name`."""
    sigmas = torch.tensor([level.sigma for level in given.levels])
    sampler = getattr(k_diffusion(), name)
    return sampler(lambda x, sigma: given.denoiser(x, sigma[0].item()), given.start, sigmas, disable=True)


def by_azula(given: PeerRun, name: str) -> Tensor:
    """Return the samples of azula's sampler `name` on its variance-exploding schedule, whose noise levels are ours."""
    module = azula()
    schedule = importlib.import_module("azula.noise").VESchedule(LOWEST, HIGHEST)
    sampler = getattr(module, name)(_azula_denoiser(given, schedule), steps=len(given.levels) - 1, silent=True)
    return sampler(given.start)


def _azula_denoiser(given: PeerRun, schedule: Callable[[Tensor], tuple[Tensor, Tensor]]) -> torch.nn.Module:
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


PEERS: dict[str, tuple[Callable[[PeerRun, str], Tensor], dict[Kernel, str]]] = {
    "k_diffusion": (by_k_diffusion, {ancestral: "sample_euler_ancestral", flow_euler: "sample_euler"}),
    "azula": (by_azula, {ancestral: "DDPMSampler", flow_euler: "EulerSampler"}),
}
"""For each other library: how it runs, and what it calls each update."""


def largest_ratio(settings: Settings, peer: str) -> Measurement:
    """Return the largest ratio of processor times, ours over a peer's, of all samplers that both have."""
    run_peer, names = PEERS[peer]
    ratios: dict[str, Measurement] = {}
    for shape, steps in ((settings.image, settings.image_steps), (settings.point, settings.point_steps)):
        given = case(shape, steps, settings.seed)
        for kernel, name in names.items():
            works = partial(ours, given, kernel), partial(run_peer, given, name)
            ratios[f"{name} {shape}"] = time_ratio(*works, settings.library_pairs)
    worst = max(ratios.values(), key=lambda measured: measured.value)
    rounded = {name: [round(v, 3) for v in (m.value, *m.interval)] for name, m in ratios.items()}
    return worst.model_copy(update={"detail": {"ratio, low, high": rounded, "pairs": settings.library_pairs}})
