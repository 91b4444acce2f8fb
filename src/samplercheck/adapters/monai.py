"""Schedulers of MONAI (https://github.com/Project-MONAI/MONAI): `set_timesteps`, then a network call and `step`.

Settings are arguments of the scheduler, and `eta` of its step. `grid` (8 by default, 1 for the scheduler as configured)
refines the training grid of 1000 timesteps so many times with betas as much smaller. `clip_sample` is off unless set.
`RFlowScheduler` steps from each timestep to the next one and to 0 at last, as its documentation's example does.
"""

import inspect
from importlib.metadata import version
from typing import Any

from torch import Tensor

from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler

PREDICT = {"epsilon": "eps", "sample": "x0", "v_prediction": "v"}
STATED = {"DDIMScheduler": 1, "DDPMScheduler": 1, "PNDMScheduler": None, "RFlowScheduler": 1}


def names() -> list[str]:
    """Return the names of the schedulers."""
    return list(STATED)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a scheduler of MONAI."""
    from monai.networks import schedulers

    kind, flow = getattr(schedulers, name), name == "RFlowScheduler"
    arguments = inspect.signature(kind).parameters
    settings = accepted(settings, kind, "grid", "eta", "beta_start", "beta_end")
    grid, eta = int(settings.pop("grid", 1 if flow else 8)), float(settings.pop("eta", 0.0))
    if "clip_sample" in arguments:
        settings.setdefault("clip_sample", False)
    if not flow and settings.get("schedule") != "cosine":
        for key, value in (("beta_start", 1e-4), ("beta_end", 0.02)):
            settings[key] = settings.get(key, value) / grid
    settings["num_train_timesteps"] = 1000 * grid

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = kind(**settings)
        scheduler.set_timesteps(steps)
        times = [int(t) for t in scheduler.timesteps]
        for t, after in zip(times, [*times[1:], 0], strict=True):
            if flow:  # this scheduler's velocity is x0 - z
                time = t / scheduler.num_train_timesteps
                x = scheduler.step(-network("flow", x, noise_level(1 - time, time)), t, x, after)[0]
            else:
                cumulative = scheduler.alphas_cumprod[t]
                level = noise_level(cumulative.sqrt(), (1 - cumulative).sqrt())
                extra = {"eta": eta} if eta else {}
                x = scheduler.step(network(PREDICT[scheduler.prediction_type], x, level), t, x, **extra)[0]
        return x

    return Sampler(
        f"monai:{name}",
        version("monai"),
        run,
        prior=lambda steps: 1.0,
        order=STATED[name],
        noise=1.0 if name == "DDPMScheduler" else eta,
    )
