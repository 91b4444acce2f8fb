"""Samplers of k-diffusion (https://github.com/crowsonkb/k-diffusion): functions of a denoiser and of noise levels.

Settings: `mesh` is `karras` (default), `exponential` or `vp`, made by k-diffusion itself between `sigma_max` (14.6) and
`sigma_min` (0.03); all others are arguments of the function.
"""

import importlib.util
import math
import sys
from functools import partial
from importlib.metadata import version
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from samplercheck.adapters import accepted, bare_package
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler, places

STATED = {  # order as documented, noise
    "sample_euler": (1, 0.0),
    "sample_euler_ancestral": (1, 1.0),
    "sample_heun": (2, 0.0),
    "sample_dpm_2": (2, 0.0),
    "sample_dpm_2_ancestral": (None, 1.0),
    "sample_lms": (4, 0.0),
    "sample_dpm_fast": (3, 0.0),
    "sample_dpmpp_2s_ancestral": (None, 1.0),
    "sample_dpmpp_sde": (None, 1.0),
    "sample_dpmpp_2m": (2, 0.0),
    "sample_dpmpp_2m_sde": (None, 1.0),
    "sample_dpmpp_3m_sde": (None, 1.0),
}
PATHS = ("sample_dpmpp_sde", "sample_dpmpp_2m_sde", "sample_dpmpp_3m_sde")  # they ask for increments of one path

OF_VARIANCE = ("sample_dpmpp_2m_sde", "sample_dpmpp_3m_sde")  # their eta multiplies a variance, others' a deviation


def sampling() -> ModuleType:
    """Return the module `k_diffusion.sampling` without the package's `__init__`, which imports its training code."""
    if "k_diffusion" not in sys.modules:
        spec = importlib.util.find_spec("k_diffusion")
        assert spec is not None and spec.submodule_search_locations is not None
        bare_package("k_diffusion", list(spec.submodule_search_locations))
    return importlib.import_module("k_diffusion.sampling")


def names() -> list[str]:
    """Return the names of the samplers."""
    return list(STATED)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of k-diffusion."""
    module = sampling()
    settings = accepted(settings, getattr(module, name), "mesh", "sigma_max", "sigma_min")
    mesh = settings.pop("mesh", "karras")
    high, low = float(settings.pop("sigma_max", 14.6)), float(settings.pop("sigma_min", 0.03))

    def run(network: Network, x: Tensor, steps: int, draws: Draws, uneven: bool = False) -> Tensor:
        def model(x: Tensor, sigma: Tensor) -> Tensor:
            return network("x0", x, noise_level(1.0, sigma))

        more = dict(settings)
        if name in PATHS:
            more["noise_sampler"] = lambda a, b: draws.increment(a, b, x.shape)
        if name == "sample_dpm_fast":
            return module.sample_dpm_fast(model, x, low, high, steps, disable=True, **more)
        if uneven:
            sigmas = torch.cat([high * (low / high) ** places(steps - 1, uneven), torch.zeros(1)])
        elif mesh == "vp":
            sigmas = module.get_sigmas_vp(steps)
        else:
            sigmas = getattr(module, f"get_sigmas_{mesh}")(steps, low, high)
        return getattr(module, name)(model, x, sigmas, disable=True, **more)

    def prior(steps: int) -> float:
        return float(module.get_sigmas_vp(2)[0]) if mesh == "vp" else high

    order, noise = STATED[name]
    eta = float(settings.get("eta", noise))
    if name in OF_VARIANCE:
        eta = math.sqrt(eta)
    uneven = None if name == "sample_dpm_fast" else partial(run, uneven=True)
    return Sampler(f"k-diffusion:{name}", version("k-diffusion"), run, prior, order, noise=eta, uneven=uneven)
