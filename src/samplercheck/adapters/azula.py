"""Samplers of azula (https://github.com/probabilists/azula): a sampler asks a denoiser for `E[x_0 | x_t]` at time t.

Settings: `schedule` is `vp` (default), `ve`, `cosine` or `rectified`; all others are arguments of the sampler.
"""

from importlib.metadata import version
from typing import Any

from torch import Tensor

from ams.errors import unknown
from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler

SCHEDULES = {"vp": "VPSchedule", "ve": "VESchedule", "cosine": "CosineSchedule", "rectified": "RectifiedSchedule"}
ORDERS = {"DDPMSampler": 1, "DDIMSampler": 1, "EulerSampler": 1, "HeunSampler": 2, "ItoSampler": 1}
MULTISTEP = ("zABSampler", "vABSampler", "zEABSampler", "xEABSampler", "REABSampler")


def names() -> list[str]:
    """Return the names of the samplers that the installed version has."""
    from azula import sample

    return [name for name in sample.__all__ if name not in ("Sampler", "PCSampler")]


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of azula."""
    import torch
    from azula import denoise, noise, sample

    settings = accepted(settings, getattr(sample, name), "schedule")
    kind = settings.pop("schedule", "vp")
    if kind not in SCHEDULES:
        raise unknown("schedule of azula", kind, SCHEDULES)
    schedule = getattr(noise, SCHEDULES[kind])()

    class Exact(denoise.Denoiser):
        def __init__(self, network: Network) -> None:
            super().__init__()
            self.network, self.schedule = network, schedule

        def forward(self, x_t: Tensor, t: Tensor, **_: Any) -> Any:
            return denoise.DiracPosterior(self.network("x0", x_t, noise_level(*schedule(t))))

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        return getattr(sample, name)(Exact(network), steps=steps, silent=True, **settings)(x)

    def prior(steps: int) -> float:
        return float(schedule(torch.tensor(1.0))[1])

    eta = float(settings.get("eta", 1.0 if name == "ItoSampler" else 0.0))
    noisy = {"DDPMSampler": 1.0, "DDIMSampler": eta**0.5, "ItoSampler": eta}.get(name, 0.0)
    order = settings.get("order", 2) if name in MULTISTEP else ORDERS[name]
    return Sampler(f"azula:{name}", version("azula"), run, prior, order=order, noise=noisy)
