"""Samplers of smalldiffusion (https://github.com/yuanchenyang/smalldiffusion): one family `samples(gam, mu)`.

Names are those that the library gives to members of the family: `ddpm` (gam 1, mu 1/2), `ddim` (1, 0), `accelerated`
(2, 0). Settings: `schedule`, one of the library's schedules (`ScheduleLogLinear` by default); `N`, the noise levels of
its training grid (8000 by default, so that rounding to them does not show); `gam` and `mu`. The noise level is sigma
of `x_0 + sigma z`.
"""

from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ams.errors import unknown
from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler

FAMILY = {"ddpm": (1.0, 0.5), "ddim": (1.0, 0.0), "accelerated": (2.0, 0.0)}
SCHEDULES = ("ScheduleLogLinear", "ScheduleDDPM", "ScheduleLDM", "ScheduleSigmoid", "ScheduleCosine")


def names() -> list[str]:
    """Return the names of the samplers."""
    return list(FAMILY)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of smalldiffusion."""
    from smalldiffusion import diffusion

    settings = accepted(settings, diffusion.samples, "schedule", "N")
    kind = settings.pop("schedule", SCHEDULES[0])
    if kind not in SCHEDULES:
        raise unknown("schedule of smalldiffusion", kind, SCHEDULES)
    count, (gam, mu) = int(settings.pop("N", 8000)), FAMILY[name]
    # Betas are those of 1000 levels, as much smaller as there are more.
    betas = {} if kind in ("ScheduleLogLinear", "ScheduleCosine") else {"beta_start": 1e-4, "beta_end": 0.02}
    if kind == "ScheduleLDM":
        betas = {"beta_start": 0.00085, "beta_end": 0.012}
    schedule = getattr(diffusion, kind)(N=count, **{key: value * 1000 / count for key, value in betas.items()})
    settings = {"gam": gam, "mu": mu, **settings}

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        model = SimpleNamespace(
            eval=lambda: None,
            rand_input=lambda rows: torch.randn((rows, *x.shape[1:])),
            predict_eps_cfg=lambda x, sigma, *_: network("eps", x, noise_level(1.0, sigma)),
        )
        sigmas, where = schedule.sample_sigmas(steps).to(x), SimpleNamespace(device=x.device)
        for end in diffusion.samples(model, sigmas, xt=x, accelerator=where, **settings):
            x = end
        return x

    return Sampler(
        f"smalldiffusion:{name}",
        version("smalldiffusion"),
        run,
        prior=lambda steps: float(schedule.sample_sigmas(steps)[0]),
        noise={0.0: 0.0, 0.5: 1.0}.get(settings["mu"]),
        evaluations=lambda steps: steps,
    )
