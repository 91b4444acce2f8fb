"""Libraries of samplers that run by themselves and call a network: azula, k-diffusion and three
more.

Settings beside arguments of the sampler itself:

- azula (https://github.com/probabilists/azula): `schedule` is `vp` (default), `ve`, `cosine` or
  `rectified`.
- k-diffusion (https://github.com/crowsonkb/k-diffusion): `mesh` is `karras` (default),
  `exponential` or `vp`, made by k-diffusion itself between `sigma_max` (14.6) and `sigma_min`
  (0.03).
- smalldiffusion (https://github.com/yuanchenyang/smalldiffusion), one family `samples(gam, mu)`,
  whose members have the names that the library gives them: `schedule`, one of the library's
  (`ScheduleLogLinear` by default); `N`, the noise levels of its training grid (8000 by default, so
  that rounding to them does not show). The noise level is sigma of `x_0 + sigma z`.
- PhysicsNeMo (https://github.com/NVIDIA/physicsnemo), `sample` with a solver and a noise scheduler:
  `schedule` is `edm` (default), `ve`, `vp` or `iddpm`. The solvers that draw noise are given the
  scheduler's noise level, its inverse and its diffusion, as their documentation asks.
- denoising-diffusion-pytorch (https://github.com/lucidrains/denoising-diffusion-pytorch): `ddpm`
  and `ddim` are `GaussianDiffusion` without and with `sampling_timesteps`; `continuous` and
  `v_continuous` its continuous-time classes; `edm` and `dpmpp` the two samplers of
  `ElucidatedDiffusion`. The library clips images to [-1, 1], in some classes without a switch: the
  adapter clips only if `clip` is set.
"""

import importlib.util
import math
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from samplercheck.adapters import Adapter, accepted, bare_package, chosen
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model
from samplercheck.model import Network, noise_level, preconditioned
from samplercheck.sampler import Sampler, places

AZULA_SCHEDULES = {
    "vp": "VPSchedule",
    "ve": "VESchedule",
    "cosine": "CosineSchedule",
    "rectified": "RectifiedSchedule",
}
AZULA_ORDERS = {
    "DDPMSampler": 1,
    "DDIMSampler": 1,
    "EulerSampler": 1,
    "HeunSampler": 2,
    "ItoSampler": 1,
}
MULTISTEP = ("zABSampler", "vABSampler", "zEABSampler", "xEABSampler", "REABSampler")


def of_azula() -> list[str]:
    """Return the names of the samplers that the installed version of azula has."""
    from azula import sample

    return [name for name in sample.__all__ if name not in ("Sampler", "PCSampler")]


def azula(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of azula: it asks a denoiser for `E[x_0 | x_t]` at time t."""
    from azula import denoise, noise, sample

    settings = accepted(settings, getattr(sample, name), "schedule")
    schedule = getattr(
        noise, AZULA_SCHEDULES[chosen(settings, "schedule", AZULA_SCHEDULES, "schedule of azula")]
    )()

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
    order = settings.get("order", 2) if name in MULTISTEP else AZULA_ORDERS[name]
    return Sampler(f"azula:{name}", version("azula"), run, prior, order=order, noise=noisy)


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
# they ask for increments of one path
PATHS = (
    "sample_dpmpp_sde",
    "sample_dpmpp_2m_sde",
    "sample_dpmpp_3m_sde",
)

# their eta multiplies a variance, others' a deviation
OF_VARIANCE = (
    "sample_dpmpp_2m_sde",
    "sample_dpmpp_3m_sde",
)


def sampling() -> ModuleType:
    """Return the module `k_diffusion.sampling` without the package's `__init__`, which imports its
    training code.
    """
    if "k_diffusion" not in sys.modules:
        spec = importlib.util.find_spec("k_diffusion")
        assert spec is not None and spec.submodule_search_locations is not None
        bare_package("k_diffusion", list(spec.submodule_search_locations))
    return importlib.import_module("k_diffusion.sampling")


def k_diffusion(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of k-diffusion: a function of a denoiser and of noise levels."""
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
    return Sampler(
        f"k-diffusion:{name}", version("k-diffusion"), run, prior, order, noise=eta, uneven=uneven
    )


FAMILY = {"ddpm": (1.0, 0.5), "ddim": (1.0, 0.0), "accelerated": (2.0, 0.0)}
SMALL_SCHEDULES = (
    "ScheduleLogLinear",
    "ScheduleDDPM",
    "ScheduleLDM",
    "ScheduleSigmoid",
    "ScheduleCosine",
)


def smalldiffusion(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of smalldiffusion."""
    from smalldiffusion import diffusion

    settings = accepted(settings, diffusion.samples, "schedule", "N")
    kind = chosen(settings, "schedule", SMALL_SCHEDULES, "schedule of smalldiffusion")
    count, (gam, mu) = int(settings.pop("N", 8000)), FAMILY[name]
    # Betas are those of 1000 levels, as much smaller as there are more.
    betas = (
        {}
        if kind in ("ScheduleLogLinear", "ScheduleCosine")
        else {"beta_start": 1e-4, "beta_end": 0.02}
    )
    if kind == "ScheduleLDM":
        betas = {"beta_start": 0.00085, "beta_end": 0.012}
    schedule = getattr(diffusion, kind)(
        N=count, **{key: value * 1000 / count for key, value in betas.items()}
    )
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


NOISE_SCHEDULERS = ("edm", "ve", "vp", "iddpm")
SOLVERS = {
    "euler": ("EulerSolver", 1),
    "heun": ("HeunSolver", 2),
    "edm_stochastic_euler": ("EDMStochasticEulerSolver", 1),
    "edm_stochastic_heun": ("EDMStochasticHeunSolver", 2),
}


def physicsnemo(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a solver of PhysicsNeMo."""
    from physicsnemo.diffusion import noise_schedulers, samplers

    kind, order = SOLVERS[name]
    settings = accepted(settings, getattr(samplers, kind), "schedule")
    schedule = chosen(settings, "schedule", NOISE_SCHEDULERS, "schedule of physicsnemo")
    stochastic = name.startswith("edm_stochastic")
    made = getattr(noise_schedulers, f"{schedule.upper()}NoiseScheduler")

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
        return samplers.sample(
            denoiser, x, scheduler, num_steps=steps, solver=name, solver_options=options
        )

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


CLASSES = {
    "ddpm": "GaussianDiffusion",
    "ddim": "GaussianDiffusion",
    "continuous": "ContinuousTimeGaussianDiffusion",
    "v_continuous": "VParamContinuousTimeGaussianDiffusion",
    "edm": "ElucidatedDiffusion",
    "dpmpp": "ElucidatedDiffusion",
}
PREDICT = {"pred_noise": "eps", "pred_x0": "x0", "pred_v": "v"}
CLAMPS = (torch.clamp, torch.Tensor.clamp, torch.Tensor.clamp_)


class _Start(TorchFunctionMode):
    """Answer the first draw, which is the start of a run, with `start`; unless `clip`, leave out
    clamps to [-1, 1].
    """

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

    def __init__(
        self, answer: Callable[[Tensor, Tensor], Tensor], continuous: bool, channels: int
    ) -> None:
        super().__init__(answer)
        self.random_or_learned_sinusoidal_cond = continuous
        self.channels = self.out_dim = channels


def denoising_diffusion_pytorch(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of denoising-diffusion-pytorch."""
    import denoising_diffusion_pytorch as library
    from denoising_diffusion_pytorch import (
        elucidated_diffusion,
        v_param_continuous_time_gaussian_diffusion,
    )

    modules = (library, elucidated_diffusion, v_param_continuous_time_gaussian_diffusion)
    kind = next(
        getattr(module, CLASSES[name]) for module in modules if hasattr(module, CLASSES[name])
    )
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

        # images of one pixel, since some classes take square images alone
        rows = x.reshape(len(x), -1, 1, 1)
        count = {"ddpm": "timesteps", "ddim": "sampling_timesteps"}.get(name, "num_sample_steps")
        more: dict[str, Any] = {"timesteps": 8000} if name == "ddim" else {}
        if not discrete:
            more["channels"] = rows.shape[1]
        made = kind(
            _Network(predict, not discrete, rows.shape[1]),
            **more | settings,
            image_size=1,
            **{count: steps},
        )
        with _Start(rows / started(steps), clip):
            draw = made.sample_using_dpmpp if name == "dpmpp" else made.sample
            return (2 * draw(batch_size=len(x)) - 1).reshape(x.shape)

    def started(steps: int) -> float:
        return float(settings.get("sigma_max", 80.0)) if edm else 1.0

    noise = {
        "edm": None if churn else 0.0,
        "dpmpp": 0.0,
        "ddim": float(settings.get("ddim_sampling_eta", 0.0)),
    }
    return Sampler(
        f"denoising-diffusion-pytorch:{name}",
        version("denoising-diffusion-pytorch"),
        run,
        prior=started,
        order=None if churn else 2 if edm else 1,
        noise=noise.get(name, 1.0),
        data_std=float(settings.get("sigma_data", 0.5)) if edm else 1.0,
    )


ADAPTERS = {
    "azula": Adapter(of_azula, azula),
    "denoising-diffusion-pytorch": Adapter(partial(list, CLASSES), denoising_diffusion_pytorch),
    "k-diffusion": Adapter(partial(list, STATED), k_diffusion),
    "physicsnemo": Adapter(partial(list, SOLVERS), physicsnemo),
    "smalldiffusion": Adapter(partial(list, FAMILY), smalldiffusion),
}
