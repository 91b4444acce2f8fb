"""Samplers of denoising-diffusion-pytorch (https://github.com/lucidrains/denoising-diffusion-pytorch).

Names: `ddpm` and `ddim` are `GaussianDiffusion` without and with `sampling_timesteps`; `continuous` and `v_continuous`
its continuous-time classes; `edm` and `dpmpp` the two samplers of `ElucidatedDiffusion`. Settings are arguments of the
class. The library clips images to [-1, 1], in some classes without a switch: the adapter clips only if `clip` is set.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model
from samplercheck.model import Network, noise_level, preconditioned
from samplercheck.sampler import Sampler

CLASSES = {
    "ddpm": "GaussianDiffusion",
    "ddim": "GaussianDiffusion",
    "continuous": "ContinuousTimeGaussianDiffusion",
    "v_continuous": "VParamContinuousTimeGaussianDiffusion",
    "edm": "ElucidatedDiffusion",
    "dpmpp": "ElucidatedDiffusion",
}
PREDICT = {"pred_noise": "eps", "pred_x0": "x0", "pred_v": "v"}
ORDERS = {"edm": 2, "dpmpp": 2}
CLAMPS = (torch.clamp, torch.Tensor.clamp, torch.Tensor.clamp_)


class _Start(TorchFunctionMode):
    """Answer the first draw, which is the start of a run, with `start`; unless `clip`, leave out clamps to [-1, 1]."""

    def __init__(self, start: Tensor, clip: bool) -> None:
        super().__init__()
        self.start: Tensor | None = start
        self.clip = clip

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.randn and self.start is not None:
            start, self.start = self.start, None
            return start
        if func in CLAMPS and not self.clip and -1.0 in (*args[1:], (kwargs or {}).get("min")):
            return args[0]
        return func(*args, **(kwargs or {}))


class _Network(Model):
    """A network with the attributes that the library asks for."""

    self_condition = False

    def __init__(self, answer: Callable[[Tensor, Tensor], Tensor], continuous: bool, channels: int) -> None:
        super().__init__(answer)
        self.random_or_learned_sinusoidal_cond = continuous
        self.channels = self.out_dim = channels


def names() -> list[str]:
    """Return the names of the samplers."""
    return list(CLASSES)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of denoising-diffusion-pytorch."""
    import denoising_diffusion_pytorch as library
    from denoising_diffusion_pytorch import elucidated_diffusion, v_param_continuous_time_gaussian_diffusion

    modules = (library, elucidated_diffusion, v_param_continuous_time_gaussian_diffusion)
    kind = next(getattr(module, CLASSES[name]) for module in modules if hasattr(module, CLASSES[name]))
    settings = accepted(settings, kind, "clip")
    clip, discrete = bool(settings.pop("clip", False)), name in ("ddpm", "ddim")
    churn = name == "edm" and bool(settings.get("S_churn", 80))
    edm = CLASSES[name] == "ElucidatedDiffusion"

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def predict(x: Tensor, time: Tensor) -> Tensor:
            if discrete:
                cumulative = made.alphas_cumprod[time[0]]
                level = noise_level(cumulative.sqrt(), (1 - cumulative).sqrt())
                return network(PREDICT[made.objective], x, level)
            if not edm:
                level = noise_level(time[0].sigmoid().sqrt(), (-time[0]).sigmoid().sqrt())
                return network("v" if name == "v_continuous" else "eps", x, level)
            return preconditioned(network, x, (4 * time[0]).exp(), made.sigma_data)

        rows = x.reshape(len(x), -1, 1, 1)  # images of one pixel, since some classes take square images alone
        count = {"ddpm": "timesteps", "ddim": "sampling_timesteps"}.get(name, "num_sample_steps")
        more: dict[str, Any] = {"timesteps": 8000} if name == "ddim" else {}
        if not discrete:
            more["channels"] = rows.shape[1]
        made = kind(_Network(predict, not discrete, rows.shape[1]), **more | settings, image_size=1, **{count: steps})
        with _Start(rows / started(steps), clip):
            draw = made.sample_using_dpmpp if name == "dpmpp" else made.sample
            return (2 * draw(batch_size=len(x)) - 1).reshape(x.shape)

    def started(steps: int) -> float:
        return float(settings.get("sigma_max", 80.0)) if edm else 1.0

    noise = {"edm": None if churn else 0.0, "dpmpp": 0.0, "ddim": float(settings.get("ddim_sampling_eta", 0.0))}
    return Sampler(
        f"denoising-diffusion-pytorch:{name}",
        version("denoising-diffusion-pytorch"),
        run,
        prior=started,
        order=None if churn else ORDERS.get(name, 1),
        noise=noise.get(name, 1.0),
        data_std=float(settings.get("sigma_data", 0.5)) if edm else 1.0,
    )
