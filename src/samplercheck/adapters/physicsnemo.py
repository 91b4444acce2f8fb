"""Solvers of NVIDIA PhysicsNeMo (https://github.com/NVIDIA/physicsnemo): `sample` with a solver and a noise scheduler.

Settings: `schedule` is `edm` (default), `ve`, `vp` or `iddpm`; all others are arguments of the solver. The solvers that
draw noise are given the scheduler's noise level, its inverse and its diffusion, as their documentation asks.
"""

from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from ams.errors import unknown
from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler

SCHEDULES = {
    "edm": "EDMNoiseScheduler",
    "ve": "VENoiseScheduler",
    "vp": "VPNoiseScheduler",
    "iddpm": "IDDPMNoiseScheduler",
}
SOLVERS = {
    "euler": ("EulerSolver", 1),
    "heun": ("HeunSolver", 2),
    "edm_stochastic_euler": ("EDMStochasticEulerSolver", 1),
    "edm_stochastic_heun": ("EDMStochasticHeunSolver", 2),
}


def names() -> list[str]:
    """Return the names of the solvers."""
    return list(SOLVERS)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a solver of PhysicsNeMo."""
    from physicsnemo.diffusion import noise_schedulers, samplers

    kind, order = SOLVERS[name]
    settings = accepted(settings, getattr(samplers, kind), "schedule")
    schedule = settings.pop("schedule", "edm")
    if schedule not in SCHEDULES:
        raise unknown("schedule of physicsnemo", schedule, SCHEDULES)
    stochastic = name.startswith("edm_stochastic")

    def made() -> Any:
        return getattr(noise_schedulers, SCHEDULES[schedule])()

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = made()

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            return network("x0", x, noise_level(scheduler.alpha(t), scheduler.sigma(t)))

        options = dict(settings)
        if stochastic:
            options |= {
                "num_steps": steps,
                "sigma_fn": scheduler.sigma,
                "sigma_inv_fn": scheduler.sigma_inv,
                "diffusion_fn": scheduler.diffusion,
            }
        denoiser = scheduler.get_denoiser(x0_predictor=denoise)
        return samplers.sample(denoiser, x, scheduler, num_steps=steps, solver=name, solver_options=options)

    def prior(steps: int) -> float:
        scheduler = made()
        return float(scheduler.sigma(scheduler.timesteps(steps, dtype=torch.float64)[:1]))

    churn = bool(stochastic and settings.get("S_churn"))
    return Sampler(
        f"physicsnemo:{name}",
        version("nvidia-physicsnemo"),
        run,
        prior,
        order=None if churn else order,
        noise=None if churn else 0.0,
        data_std=0.5 if schedule == "edm" else 1.0,
    )
