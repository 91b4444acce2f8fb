"""Schedulers of diffusers (https://github.com/huggingface/diffusers): `set_timesteps`, then a network call and `step`.

Settings are arguments of the scheduler. `grid` (8 by default, 1 for the scheduler as configured) refines the training
grid of 1000 timesteps so many times with betas as much smaller, because an order is seen at step counts that leave the
rounding of timesteps behind. Flow-matching and EDM schedulers have no grid.
"""

import copy
import inspect
import math
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ams.conformance.draws import Draws
from ams.conformance.model import Network, noise_level
from ams.conformance.sampler import Sampler
from ams.schedules import Level

SUFFIX = "Scheduler"
PREDICT = {"epsilon": "eps", "sample": "x0", "v_prediction": "v", "flow_prediction": "flow"}
FIXED_ORDER = {
    "DDIM": 1,
    "DDPM": 1,
    "EulerDiscrete": 1,
    "EulerAncestralDiscrete": 1,
    "HeunDiscrete": 2,
    "KDPM2Discrete": 2,
    "EDMEuler": 1,
    "LMSDiscrete": 4,
    "PNDM": 2,
    "IPNDM": 4,
    "FlowMatchEulerDiscrete": 1,
    "FlowMatchHeunDiscrete": 2,
}
NOISY = ("DDPM", "EulerAncestralDiscrete", "KDPM2AncestralDiscrete", "DPMSolverSDE", "SASolver")
SOLVERS = ("DPMSolverMultistep", "DPMSolverSinglestep", "DEISMultistep", "UniPCMultistep", "EDMDPMSolverMultistep")


def names() -> list[str]:
    """Return the names of the schedulers that solve the reverse ODE or SDE."""
    return [f"{name}{SUFFIX}" for name in (*FIXED_ORDER, *NOISY[2:], *SOLVERS)]


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a scheduler of diffusers."""
    import diffusers

    kind, short, settings = getattr(diffusers, name), name.removesuffix(SUFFIX), dict(settings)
    arguments, grid = inspect.signature(kind).parameters, int(settings.pop("grid", 8))
    if "clip_sample" in arguments:
        settings.setdefault("clip_sample", False)
    if "trained_betas" in arguments and grid > 1:
        settings |= {"num_train_timesteps": 1000 * grid, "trained_betas": refined(settings, grid)}

    kept: dict[torch.dtype, Any] = {}  # some schedulers take seconds to make

    def made() -> Any:
        key = torch.get_default_dtype()
        if key not in kept:
            kept[key] = kind(**settings)
        return copy.deepcopy(kept[key])

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = made()
        scheduler.set_timesteps(steps)
        if short == "DPMSolverSDE":
            scheduler.noise_sampler = lambda a, b: draws.increment(float(a), float(b), x.shape).to(x.dtype)
        eta = {"eta": settings_eta} if settings_eta and "eta" in inspect.signature(scheduler.step).parameters else {}
        for t in scheduler.timesteps:
            value = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            x = scheduler.step(predicted(scheduler, short, network, value, t), t, x, **eta).prev_sample
        return x

    def prior(steps: int) -> float:
        scheduler = made()
        scheduler.set_timesteps(steps)
        return float(getattr(scheduler, "init_noise_sigma", 1.0))

    settings_eta = float(settings.pop("eta", 0.0))
    order = FIXED_ORDER.get(short, int(settings.get("solver_order", 2)) if short in SOLVERS else None)
    stochastic = short in NOISY or "sde" in str(settings.get("algorithm_type", ""))
    return Sampler(
        f"diffusers:{name}",
        version("diffusers"),
        run,
        prior,
        order=order if not stochastic or short in FIXED_ORDER else None,
        noise=1.0 if stochastic else settings_eta,
        data_std=0.5 if short.startswith("EDM") else 1.0,
    )


def refined(settings: dict[str, Any], grid: int) -> np.ndarray:
    """Return betas of a training grid `grid` times finer: linear, or linear in their roots if `scaled_linear`."""
    start, end = float(settings.get("beta_start", 1e-4)), float(settings.get("beta_end", 0.02))
    power = 2 if settings.get("beta_schedule") == "scaled_linear" else 1
    return np.linspace(start ** (1 / power), end ** (1 / power), 1000 * grid) ** power / grid


def predicted(scheduler: Any, short: str, network: Network, x: Tensor, t: Tensor) -> Tensor:
    """Return what a perfectly trained network returns for the input and the timestep that it is given."""
    if short.startswith("EDM"):
        return _preconditioned(scheduler, network, x, math.exp(4 * float(t)))
    if short.startswith("FlowMatch"):
        time = float(t) / scheduler.config.num_train_timesteps
        return network("flow", x, noise_level(1 - time, time))
    return network(PREDICT[scheduler.config.get("prediction_type", "epsilon")], x, trained_level(scheduler, float(t)))


def _preconditioned(scheduler: Any, network: Network, x: Tensor, sigma: float) -> Tensor:
    """Return EDM's network F, with `x0 = c_skip x + c_out F`, for the scaled input `c_in x` (arXiv 2206.00364)."""
    data = scheduler.config.sigma_data
    norm = math.hypot(sigma, data)
    y = x * norm
    denoised = network("x0", y, noise_level(1.0, sigma))
    return (denoised - (data / norm) ** 2 * y) / (sigma * data / norm)


def trained_level(scheduler: Any, t: float) -> Level:
    """Return the noise level on which a network is trained at timestep `t`.

    Between timesteps, where no network is trained, it is linear in `sigma / scale`, as in most of these schedulers.
    """
    table = torch.as_tensor(scheduler.alphas_cumprod, dtype=torch.float64).numpy()
    v = float(np.interp(t, np.arange(len(table)), np.sqrt(1 / table - 1)))
    scale = 1 / math.sqrt(1 + v * v)
    return noise_level(scale, v * scale)
