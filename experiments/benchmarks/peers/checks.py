"""T2: against k-diffusion and azula: the same update, the same score, as many steps.

On the variance ve_level process ancestral sampling is one formula in all three (k-diffusion's
`sample_euler_ancestral`, azula's `DDPMSampler`), and so is Euler's rule on the probability flow (`sample_euler`,
`EulerSampler`). The peers ask for a denoiser: they get `x + sigma^2 s(x)`, in the score's own storage.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.errors import DataUnavailable
from ams.samplers import Kernel, Particles, State, affine, ancestral, flow_euler, last, one_step_per_level, run, sample
from ams.samplers.noise_sources import replayed
from ams.schedules import Level, geometric_sigmas, linked
from ams.targets import Gaussian
from experiments.benchmarks import timing
from verdicts import Measurement, check
from verdicts.claims.sizes import Sizes

HIGHEST, LOWEST = 10.0, 0.1
Run = Callable[[Tensor], Tensor]


class Settings(BaseModel):
    """Shapes of the state, batch first; steps of a run of each; pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Sizes = (64, 3, 32, 32)
    point: Sizes = (64, 2)
    image_steps: PositiveInt = 20
    point_steps: PositiveInt = 200
    pairs: PositiveInt = 31
    seed: NonNegativeInt = 7


class Case(NamedTuple):
    """A run that all three do: the target's score, the levels, the start."""

    target: Gaussian
    levels: list[Level]
    start: Tensor

    @classmethod
    def of(cls, shape: tuple[int, ...], steps: int, seed: int) -> Case:
        """Return the case for a shape, batch first, and a number of steps."""
        sigmas = geometric_sigmas(HIGHEST, LOWEST, steps + 1)
        levels = linked([Level(i, sigma=float(sigma)) for i, sigma in enumerate(sigmas)])
        generator = torch.Generator().manual_seed(seed)
        return cls(Gaussian(torch.zeros(shape[1:])), levels, HIGHEST * torch.randn(shape, generator=generator))

    def denoiser(self, x: Tensor, sigma: float) -> Tensor:
        """Return `x + sigma^2 s(x)`, with one tensor beyond the score's own."""
        return self.target.score(x, Level(0, sigma=sigma)).mul_(sigma**2).add_(x)


def ours(case: Case, kernel: Kernel) -> Tensor:
    """Run this library's sampler, torch's own generator as the source of noise."""
    return sample(
        one_step_per_level(affine(kernel), case.levels), case.start, case.target.score, torch.default_generator
    )[0].x


def ours_replayed(case: Case, kernel: Kernel, draws: list[Tensor]) -> Tensor:
    """Run this library's sampler on recorded noise."""
    path = one_step_per_level(affine(kernel), case.levels)
    return last(run(path, State(case.start), case.target.score, replayed(draws), Particles()))[0].x


def k_diffusion() -> ModuleType:
    """Return `k_diffusion.sampling` alone: the package's own `__init__` imports all that trains and evaluates.

    Raises DataUnavailable where it, or what that module needs, is not installed.
    """
    spec = importlib.util.find_spec("k_diffusion")
    if spec is None or spec.submodule_search_locations is None:
        raise DataUnavailable("k-diffusion is not installed: bash reproduce.sh bench")
    if "k_diffusion" not in sys.modules:
        package = ModuleType("k_diffusion")
        package.__spec__ = spec
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["k_diffusion"] = package
    return _imported("k_diffusion.sampling")


def azula() -> ModuleType:
    """Return `azula.sample`. Raises DataUnavailable where it, or what it needs, is not installed."""
    return _imported("azula.sample")


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataUnavailable(f"{name} cannot be imported ({error}): bash reproduce.sh bench") from error


def by_k_diffusion(case: Case, name: str) -> Tensor:
    """Run k-diffusion's function `name`; its sigmas are a tensor, as it wants them."""
    sigmas = torch.tensor([level.sigma for level in case.levels])
    run_it = getattr(k_diffusion(), name)
    return run_it(lambda x, sigma: case.denoiser(x, sigma[0].item()), case.start, sigmas, disable=True)


def by_azula(case: Case, name: str) -> Tensor:
    """Run azula's sampler `name` on its own variance ve_level schedule, which has the same levels."""
    module = azula()
    noise = importlib.import_module("azula.noise").VESchedule(LOWEST, HIGHEST)
    sampler = getattr(module, name)(_denoiser(case, noise), steps=len(case.levels) - 1, silent=True)
    return sampler(case.start)


def _denoiser(case: Case, schedule: Callable[[Tensor], tuple[Tensor, Tensor]]) -> torch.nn.Module:
    base = importlib.import_module("azula.denoise")

    class Exact(base.Denoiser):
        """The exact posterior mean, as azula asks for it."""

        def __init__(self) -> None:
            super().__init__()
            self.schedule = schedule

        def forward(self, x_t: Tensor, t: Tensor, **ignored: object) -> object:
            """Return the posterior's mean at time `t`."""
            return base.DiracPosterior(case.denoiser(x_t, self.schedule(t)[1].item()))

    return Exact()


PEERS: dict[str, tuple[Callable[[Case, str], Tensor], dict[Kernel, str]]] = {
    "k_diffusion": (by_k_diffusion, {ancestral: "sample_euler_ancestral", flow_euler: "sample_euler"}),
    "azula": (by_azula, {ancestral: "DDPMSampler", flow_euler: "EulerSampler"}),
}
"""How each peer is run, and what it calls the same update."""


def _slowest(settings: Settings, peer: str) -> Measurement:
    """Return the largest of four ratios of CPU times, ours over the peer's: two updates at two sizes."""
    run_peer, names = PEERS[peer]
    found: dict[str, Measurement] = {}
    for shape, steps in ((settings.image, settings.image_steps), (settings.point, settings.point_steps)):
        case = Case.of(shape, steps, settings.seed)
        for kernel, name in names.items():
            works = partial(ours, case, kernel), partial(run_peer, case, name)
            found[f"{name} {shape}"] = timing.ratio(*works, settings.pairs)
    worst = max(found.values(), key=lambda measured: measured.value)
    told = {name: [round(v, 3) for v in (m.value, *m.interval)] for name, m in found.items()}
    return worst.model_copy(update={"detail": {"ratio, low, high": told, "pairs": settings.pairs}})


@check("T2.k_diffusion")
def ahead_of_k_diffusion(settings: Settings) -> Measurement:
    """Ours over k-diffusion's: the least favourable of both updates and both sizes."""
    return _slowest(settings, "k_diffusion")


@check("T2.azula")
def ahead_of_azula(settings: Settings) -> Measurement:
    """Ours over azula's: the least favourable of both updates and both sizes."""
    return _slowest(settings, "azula")


def draws(case: Case, seed: int) -> list[Tensor]:
    """Return what `torch.randn_like` gives after `torch.manual_seed(seed)`: one draw a step."""
    torch.manual_seed(seed)
    return [torch.randn_like(case.start) for _ in range(len(case.levels) - 1)]


def deviation(peer: str, kernel: Kernel, settings: Settings) -> float:
    """Return the largest difference of the peer's samples and ours on the same noise, relative to the data's scale."""
    run_peer, names = PEERS[peer]
    case = Case.of(settings.point, settings.point_steps, settings.seed)
    noise = draws(case, settings.seed)
    torch.manual_seed(settings.seed)
    if names[kernel] == "sample_euler":  # draws, and multiplies by zero
        noise = []
    found = run_peer(case, names[kernel])
    return float(np.abs((found - ours_replayed(case, kernel, noise)).numpy()).max())
