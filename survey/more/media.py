"""Samplers of repositories for sound, images and video, and of flow-matching libraries, as shipped.

- stable-audio-tools: functions for v-diffusion and rectified flow, and `sample_k`, which calls k-diffusion.
- Wan2.1: the schedulers DPM-Solver++ and UniPC for flows. They round timesteps; a million of them leave that behind.
- HunyuanVideo: one scheduler, Euler's method on a flow.
- generative-models: classes of `sgm`, with EDM's noise levels and the scaling of Stable Video Diffusion.
- audio-diffusion-pytorch: DDIM in velocities.
- rectified-flow-pytorch: an ODE solver, and Euler's method where the network predicts clean data.
- flow_matching: torchdiffeq's solvers, also of a flow that is changed to another schedule.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from samplercheck.adapters.diffusers import of_class
from samplercheck.adapters.k_diffusion import sampling
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model
from samplercheck.model import Network, noise_level, one_value
from samplercheck.sampler import Sampler
from survey.more.repository import code, importable, sampler, standing_in

AUDIO, WAN, HUNYUAN = "Stability-AI/stable-audio-tools", "Wan-Video/Wan2.1", "Tencent-Hunyuan/HunyuanVideo"
SGM, ADP = "Stability-AI/generative-models", "archinetai/audio-diffusion-pytorch"
RECTIFIED, FLOW = "lucidrains/rectified-flow-pytorch", "facebookresearch/flow_matching"
TRAINING: tuple[str, ...] = ("einx", "ema_pytorch", "accelerate", "hyper_connections", "x_transformers")
TRAINING += ("hyper_connections.hyper_connections_channel_first", "torch_einops_utils")
"""Modules that rectified-flow-pytorch imports for its networks and their training."""


def _first(name: str) -> str:
    """Return the name of the class or the function: of a variant's name the first word."""
    return name.partition(" ")[0]


def _falling(network: Network, predict: str = "flow") -> Model:
    """Return a network of `(1 - t) x_0 + t z`."""
    return Model(lambda x, t: network(predict, x, noise_level(1 - one_value(t), one_value(t))))


def _rising(network: Network, predict: str = "back") -> Model:
    """Return a network of `t x_0 + (1 - t) z`, by default of `x_0 - z`."""

    def answer(x: Tensor, t: Any) -> Tensor:
        level = noise_level(one_value(t), 1 - one_value(t))
        return -network("flow", x, level) if predict == "back" else network(predict, x, level)

    return Model(answer)


def _cosine(network: Network) -> Model:
    """Return a network of v-diffusion."""
    angle = torch.pi / 2
    return Model(lambda x, t: network("v", x, noise_level(torch.cos(t * angle), torch.sin(t * angle))))


def _audio(name: str, order: int | None, noise: float, settings: dict[str, Any]) -> Sampler:
    sampling()  # k-diffusion without its training code, which the file imports
    function = _first(name)
    k_diffusion = import_module("k_diffusion.external")

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def path(x: Tensor, *_: Any) -> Callable[[Any, Any], Tensor]:
            return lambda a, b: draws.increment(float(a), float(b), x.shape).to(x.dtype)

        network_of = _cosine if function in ("sample", "sample_k") else _falling
        more = {"device": "cpu"} if function in ("sample_k", "sample_rf") else {}
        call = getattr(code(AUDIO, "stable_audio_tools/inference/sampling.py"), function)
        with patch.object(k_diffusion.sampling, "BrownianTreeNoiseSampler", path):
            end: Tensor = call(network_of(network), x / prior, steps=steps, **more, **settings)
        return end

    prior = 100.0 if function == "sample_k" else 1.0  # it multiplies its start itself
    return sampler(AUDIO, name, run, prior, order=order, noise=noise)


def _scheduler(name: str, repository: str, path: str, order: int, settings: dict[str, Any]) -> Sampler:
    made = of_class(getattr(code(repository, path), _first(name)), name, "", settings)
    return sampler(repository, name, made.run, order=order, rounding=made.rounding)


def _sgm(name: str, order: int | None, noise: float) -> Sampler:
    place = "sgm.modules.diffusionmodules"
    importable(SGM)
    with standing_in(["omegaconf"]):
        samplers, denoisers, _ = (import_module(f"{place}.{name}") for name in ("sampling", "denoiser", "guiders"))
    levels = {"target": f"{place}.discretizer.EDMDiscretization"}
    scaling = {"target": f"{place}.denoiser_scaling.VScalingWithEDMcNoise"}

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def v(x: Tensor, c_noise: Tensor, _: Any) -> Tensor:
            sigma = (4 * c_noise).exp()
            norm = (1 + sigma**2).sqrt()
            return network("v", x, noise_level(1 / norm, sigma / norm))

        made = getattr(samplers, _first(name))(discretization_config=levels, num_steps=steps, device="cpu")
        end: Tensor = made(partial(denoisers.Denoiser(scaling), v), x / prior, {})
        return end

    first = denoisers.instantiate_from_config(levels)(10)[0].double()  # of any number of steps
    prior = float((1 + first**2).sqrt())
    return sampler(SGM, name, run, prior, order=order, noise=noise)


def _vsampler(name: str) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        diffusion = code(ADP, "audio_diffusion_pytorch/diffusion.py")
        end: Tensor = diffusion.VSampler(_cosine(network))(x, num_steps=steps)
        return end

    return sampler(ADP, name, run, order=1)


def _rectified(name: str, path: str, order: int, output: str, settings: dict[str, Any]) -> Sampler:
    kind = _first(name)
    falling = kind == "SoFlow"  # noise at time 1

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        model = _falling(network, output or "flow") if falling else _rising(network, output or "back")
        made = getattr(code(RECTIFIED, f"rectified_flow_pytorch/{path}.py", *TRAINING), kind)(model, **settings)
        draws.start = x
        times = steps + 1 if kind == "RectifiedFlow" else steps  # what it calls steps are times
        end: Tensor = made.sample(batch_size=len(x), data_shape=x.shape[1:], steps=times)
        return end

    return sampler(RECTIFIED, name, run, order=order)


def _flow(name: str, order: int, method: str, schedule: str) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        model: Any = _rising(network)
        if schedule:
            schedules = code(FLOW, "flow_matching/path/scheduler/scheduler.py")
            change = code(FLOW, "flow_matching/path/scheduler/schedule_transform.py").ScheduleTransformedModel
            model = change(model, schedules.CondOTScheduler(), getattr(schedules, schedule)())
        solver = code(FLOW, "flow_matching/solver/ode_solver.py").ODESolver(model)
        times = torch.linspace(0, 1, steps + 1, dtype=x.dtype)  # its steps, where no step size is set
        end: Tensor = solver.sample(x, step_size=None, method=method, time_grid=times)
        return end

    return sampler(FLOW, name, run, order=order)


DPM, UNIPC = (WAN, "wan/utils/fm_solvers.py"), (WAN, "wan/utils/fm_solvers_unipc.py")
FLOW_MATCH = (HUNYUAN, "hyvideo/diffusion/schedulers/scheduling_flow_match_discrete.py")
FINE = {"num_train_timesteps": 1_000_000}
AUDIO_ROWS: dict[str, tuple[Any, ...]] = {
    "sample": (1, 0.0, {"eta": 0.0}),
    "sample eta=1": (1, 1.0, {"eta": 1.0}),
    "sample_discrete_euler": (1, 0.0, {}),
    "sample_rk4": (4, 0.0, {}),
    "sample_flow_dpmpp": (2, 0.0, {}),
    "sample_rf": (1, 0.0, {}),
    "sample_rf dpmpp": (2, 0.0, {"sampler_type": "dpmpp"}),
    "sample_k": (None, 1.0, {}),
    "sample_k dpmpp-3m-sde": (None, 1.0, {"sampler_type": "dpmpp-3m-sde"}),
}
WAN_ROWS: dict[str, tuple[Any, ...]] = {
    "FlowDPMSolverMultistepScheduler": (*DPM, 2, {}),
    "FlowDPMSolverMultistepScheduler T=1000000": (*DPM, 2, FINE),
    "FlowUniPCMultistepScheduler": (*UNIPC, 2, {}),
    "FlowUniPCMultistepScheduler T=1000000": (*UNIPC, 2, FINE),
}
SGM_ROWS: dict[str, tuple[Any, ...]] = {
    "EulerEDMSampler": (1, 0.0),
    "HeunEDMSampler": (2, 0.0),
    "EulerAncestralSampler": (1, 1.0),
    "DPMPP2SAncestralSampler": (None, 1.0),
    "DPMPP2MSampler": (2, 0.0),
    "LinearMultistepSampler": (4, 0.0),
}
RECTIFIED_ROWS: dict[str, tuple[Any, ...]] = {
    "RectifiedFlow": ("rectified_flow", 2, "", {"data_unnormalize_fn": None}),
    "RectifiedFlow noise": ("rectified_flow", 2, "eps", {"predict": "noise", "data_unnormalize_fn": None}),
    "SoFlow clean": ("soflow", 1, "x0", {"model_output_clean": True}),
}
FLOW_ROWS: dict[str, tuple[Any, ...]] = {
    "ODESolver": (1, "euler", ""),
    "ODESolver CosineScheduler": (2, "midpoint", "CosineScheduler"),
    "ODESolver VPScheduler": (2, "midpoint", "VPScheduler"),
}
"""Of each sampler its order as stated, and more."""
SAMPLERS: dict[str, dict[str, Callable[[], Sampler]]] = {
    AUDIO: {name: partial(_audio, name, *row) for name, row in AUDIO_ROWS.items()},
    WAN: {name: partial(_scheduler, name, *row) for name, row in WAN_ROWS.items()},
    HUNYUAN: {"FlowMatchDiscreteScheduler": partial(_scheduler, "FlowMatchDiscreteScheduler", *FLOW_MATCH, 1, {})},
    SGM: {name: partial(_sgm, name, *row) for name, row in SGM_ROWS.items()},
    ADP: {"VSampler": partial(_vsampler, "VSampler")},
    RECTIFIED: {name: partial(_rectified, name, *row) for name, row in RECTIFIED_ROWS.items()},
    FLOW: {name: partial(_flow, name, *row) for name, row in FLOW_ROWS.items()},
}
