"""Samplers of repositories for sound, images and video, and of flow-matching libraries, as shipped.

- stable-audio-tools: functions for v-diffusion and rectified flow, and `sample_k`, which calls
  k-diffusion.
- Wan2.1: the schedulers DPM-Solver++ and UniPC for flows. They round timesteps; a million of them
  leave that behind.
- HunyuanVideo: one scheduler, Euler's method on a flow.
- generative-models: classes of `sgm`, with EDM's noise levels and the scaling of Stable Video
  Diffusion.
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

from samplercheck.adapters.denoisers import sampling
from samplercheck.adapters.schedulers import of_class
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model, model_of
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler
from survey.sources import code, empty, first_word, importable, sampler, standing_in

AUDIO, WAN, HUNYUAN = (
    "Stability-AI/stable-audio-tools",
    "Wan-Video/Wan2.1",
    "Tencent-Hunyuan/HunyuanVideo",
)
SGM, ADP = "Stability-AI/generative-models", "archinetai/audio-diffusion-pytorch"
RECTIFIED, FLOW = "lucidrains/rectified-flow-pytorch", "facebookresearch/flow_matching"
TRAINING: tuple[str, ...] = (
    "einx",
    "ema_pytorch",
    "accelerate",
    "hyper_connections",
    "x_transformers",
)
TRAINING += ("hyper_connections.hyper_connections_channel_first", "torch_einops_utils")
"""Modules that rectified-flow-pytorch imports for its networks and their training."""


def _cosine(network: Network) -> Model:
    """Return a network of v-diffusion, whose angles have the type of the run."""
    angle = torch.pi / 2
    return Model(
        lambda x, t: network("v", x, noise_level(torch.cos(t * angle), torch.sin(t * angle)))
    )


def _audio(name: str, order: int | None, noise: float = 0.0, **settings: Any) -> Sampler:
    sampling()  # k-diffusion without its training code, which the file imports
    function = first_word(name)
    k_diffusion = import_module("k_diffusion.external")

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def path(x: Tensor, *_: Any) -> Callable[[Any, Any], Tensor]:
            return lambda a, b: draws.increment(a, b, x.shape)

        model = (
            _cosine(network)
            if function in ("sample", "sample_k")
            else model_of(network, "flow@flow")
        )
        more = {"device": "cpu"} if function in ("sample_k", "sample_rf") else {}
        call = getattr(code(AUDIO, "stable_audio_tools/inference/sampling.py"), function)
        with patch.object(k_diffusion.sampling, "BrownianTreeNoiseSampler", path):
            end: Tensor = call(model, x / prior, steps=steps, **more, **settings)
        return end

    prior = 100.0 if function == "sample_k" else 1.0  # it multiplies its start itself
    return sampler(AUDIO, name, run, prior, order=order, noise=noise)


def _scheduler(name: str, repository: str, path: str, order: int, **settings: Any) -> Sampler:
    made = of_class(getattr(code(repository, path), first_word(name)), name, "", settings)
    return sampler(repository, name, made.run, order=order, rounding=made.rounding)


def _sgm(name: str, order: int | None, noise: float = 0.0) -> Sampler:
    place = "sgm.modules.diffusionmodules"
    importable(SGM)
    with standing_in(empty(["omegaconf"])):
        samplers, denoisers, _ = (
            import_module(f"{place}.{name}") for name in ("sampling", "denoiser", "guiders")
        )
    levels = {"target": f"{place}.discretizer.EDMDiscretization"}
    scaling = {"target": f"{place}.denoiser_scaling.VScalingWithEDMcNoise"}

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def v(x: Tensor, c_noise: Tensor, _: Any) -> Tensor:
            sigma = (4 * c_noise).exp()
            norm = (1 + sigma**2).sqrt()
            return network("v", x, noise_level(1 / norm, sigma / norm))

        made = getattr(samplers, first_word(name))(
            discretization_config=levels, num_steps=steps, device="cpu"
        )
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


def _rectified(name: str, path: str, order: int, convention: str, **settings: Any) -> Sampler:
    kind = first_word(name)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        module = code(RECTIFIED, f"rectified_flow_pytorch/{path}.py", *TRAINING)
        made = getattr(module, kind)(model_of(network, convention), **settings)
        draws.start = x
        times = steps + 1 if kind == "RectifiedFlow" else steps  # what it calls steps are times
        end: Tensor = made.sample(batch_size=len(x), data_shape=x.shape[1:], steps=times)
        return end

    return sampler(RECTIFIED, name, run, order=order)


def _flow(name: str, order: int, method: str, schedule: str = "") -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        model: Any = model_of(network, "back@rising")
        if schedule:
            schedules = code(FLOW, "flow_matching/path/scheduler/scheduler.py")
            change = code(
                FLOW, "flow_matching/path/scheduler/schedule_transform.py"
            ).ScheduleTransformedModel
            model = change(model, schedules.CondOTScheduler(), getattr(schedules, schedule)())
        solver = code(FLOW, "flow_matching/solver/ode_solver.py").ODESolver(model)
        # its steps, where no step size is set
        times = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
        end: Tensor = solver.sample(x, step_size=None, method=method, time_grid=times)
        return end

    return sampler(FLOW, name, run, order=order)


_DPM = partial(_scheduler, repository=WAN, path="wan/utils/fm_solvers.py", order=2)
_UNIPC = partial(_scheduler, repository=WAN, path="wan/utils/fm_solvers_unipc.py", order=2)
_MATCH = "hyvideo/diffusion/schedulers/scheduling_flow_match_discrete.py"
_RECTIFIED = partial(_rectified, path="rectified_flow", order=2, data_unnormalize_fn=None)
FINE = 1_000_000  # timesteps, in place of 1000
SAMPLERS: dict[str, dict[str, Callable[[str], Sampler]]] = {
    AUDIO: {
        "sample": partial(_audio, order=1, eta=0.0),
        "sample eta=1": partial(_audio, order=1, noise=1.0, eta=1.0),
        "sample_discrete_euler": partial(_audio, order=1),
        "sample_rk4": partial(_audio, order=4),
        "sample_flow_dpmpp": partial(_audio, order=2),
        "sample_rf": partial(_audio, order=1),
        "sample_rf dpmpp": partial(_audio, order=2, sampler_type="dpmpp"),
        "sample_k": partial(_audio, order=None, noise=1.0),
        "sample_k dpmpp-3m-sde": partial(
            _audio, order=None, noise=1.0, sampler_type="dpmpp-3m-sde"
        ),
    },
    WAN: {
        "FlowDPMSolverMultistepScheduler": _DPM,
        "FlowDPMSolverMultistepScheduler T=1000000": partial(_DPM, num_train_timesteps=FINE),
        "FlowUniPCMultistepScheduler": _UNIPC,
        "FlowUniPCMultistepScheduler T=1000000": partial(_UNIPC, num_train_timesteps=FINE),
    },
    HUNYUAN: {
        "FlowMatchDiscreteScheduler": partial(_scheduler, repository=HUNYUAN, path=_MATCH, order=1)
    },
    SGM: {
        "EulerEDMSampler": partial(_sgm, order=1),
        "HeunEDMSampler": partial(_sgm, order=2),
        "EulerAncestralSampler": partial(_sgm, order=1, noise=1.0),
        "DPMPP2SAncestralSampler": partial(_sgm, order=None, noise=1.0),
        "DPMPP2MSampler": partial(_sgm, order=2),
        "LinearMultistepSampler": partial(_sgm, order=4),
    },
    ADP: {"VSampler": _vsampler},
    RECTIFIED: {
        "RectifiedFlow": partial(_RECTIFIED, convention="back@rising"),
        "RectifiedFlow noise": partial(_RECTIFIED, convention="eps@rising", predict="noise"),
        "SoFlow clean": partial(
            _rectified, path="soflow", order=1, convention="x0@flow", model_output_clean=True
        ),
    },
    FLOW: {
        "ODESolver": partial(_flow, order=1, method="euler"),
        "ODESolver CosineScheduler": partial(
            _flow, order=2, method="midpoint", schedule="CosineScheduler"
        ),
        "ODESolver VPScheduler": partial(_flow, order=2, method="midpoint", schedule="VPScheduler"),
    },
}
