"""Solvers of refiners (https://github.com/finegrain-ai/refiners): a solver is called with the predicted noise.

Settings are fields of its `SolverParams` and `last_step_first_order`. `grid` (8 by default, 1 for the solver as
configured) refines the training grid of 1000 timesteps so many times with diffusion rates as much smaller.
"""

from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler

STATED = {"DDIM": 1, "DPMSolver": 2, "Euler": 1}


def names() -> list[str]:
    """Return the names of the solvers; `LCMSolver` needs a distilled network and is left out."""
    return list(STATED)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a solver of refiners."""
    from refiners.foundationals.latent_diffusion import solvers

    kind = getattr(solvers, name)
    own = ("last_step_first_order",) if name == "DPMSolver" else ()
    settings = accepted(settings, solvers.SolverParams, "grid", *own)
    grid = int(settings.pop("grid", 8))
    extra = {key: settings.pop(key) for key in own if key in settings}
    for key, value in (("initial_diffusion_rate", 8.5e-4), ("final_diffusion_rate", 1.2e-2)):
        settings[key] = settings.get(key, value) / grid
    settings["num_train_timesteps"] = 1000 * grid
    if "timesteps_spacing" in settings:
        settings["timesteps_spacing"] = solvers.TimestepSpacing(settings["timesteps_spacing"])
    if "model_prediction_type" in settings:
        settings["model_prediction_type"] = solvers.ModelPredictionType(settings["model_prediction_type"])

    def made(steps: int) -> Any:
        params = solvers.SolverParams(**settings)
        return kind(steps, params=params, dtype=torch.get_default_dtype(), **extra)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        solver = made(steps)
        v = (solver.noise_std / solver.cumulative_scale_factors).double().numpy()
        predict = "x0" if solver.params.model_prediction_type == "sample" else "eps"
        for step in solver.inference_steps:
            # Between timesteps, where no network is trained, sigma / scale is linear, as in this library's Euler.
            ratio = float(np.interp(float(solver.timesteps[step]), np.arange(len(v)), v))
            scale = (1 + ratio**2) ** -0.5
            value = network(predict, solver.scale_model_input(x, step=step), noise_level(scale, ratio * scale))
            x = solver(x, predicted_noise=value, step=step)
        return x

    def prior(steps: int) -> float:
        return float(made(steps).scale_model_input(torch.ones(1), step=-1))

    return Sampler(
        f"refiners:{name}",
        version("refiners"),
        run,
        prior,
        order=STATED[name],
        evaluations=lambda steps: steps,
    )
