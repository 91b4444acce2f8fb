"""Samplers of ComfyUI (https://github.com/comfyanonymous/ComfyUI): functions of a denoiser and of noise levels.

ComfyUI's licence is the GPL: the suite neither has its files nor fetches them, and runs those that a user has put at
`$AMS_DATA/code/`. Settings: `model` is `eps` (default), whose states are `x_0 + sigma z`, or `flow`, whose states are
`(1 - sigma) x_0 + sigma z`. `mesh` is `karras` (default) or `exponential`, between `sigma_max` (14.6) and `sigma_min`
(0.03); a flow's noise levels are its own at even times, with `shift` (3). `tau` is the constant noise of the SA
solvers (1). All others are arguments of the function. `sample_lcm`, which is for distilled models, the samplers with
CFG++ and `sample_dpm_adaptive`, which has no number of steps, are left out.
"""

import math
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ams.errors import unknown
from samplercheck.adapters import accepted, k_diffusion
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler
from survey.by_file.registered import module, version

STATED = k_diffusion.STATED | {  # order as documented or named, noise
    "sample_heunpp2": (None, 0.0),
    "sample_ddpm": (1, 1.0),
    "sample_ipndm": (4, 0.0),
    "sample_ipndm_v": (4, 0.0),
    "sample_deis": (3, 0.0),
    "sample_res_multistep": (2, 0.0),
    "sample_res_multistep_ancestral": (None, 1.0),
    "sample_gradient_estimation": (None, 0.0),
    "sample_er_sde": (None, None),
    "sample_seeds_2": (None, 1.0),
    "sample_seeds_3": (None, 1.0),
    "sample_sa_solver": (3, 1.0),
    "sample_sa_solver_pece": (3, 1.0),
    "sample_unipc": (3, 0.0),
    "sample_unipc_bh2": (3, 0.0),
}
STAGES = {"sample_seeds_2": 2, "sample_seeds_3": 3}  # without noise a method of so many stages has that order
OF_VARIANCE = (*k_diffusion.OF_VARIANCE, *STAGES)  # their eta multiplies a variance
MODELS, MESHES = ("eps", "flow"), ("karras", "exponential")
OWN = ("model", "mesh", "sigma_max", "sigma_min", "shift", "tau")


def names() -> list[str]:
    """Return the names of the samplers."""
    return list(STATED)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of ComfyUI. Raises UserError for a setting that is not there."""
    code = module("comfyui-uni-pc" if "unipc" in name else "comfyui")
    settings = accepted(settings, getattr(code, name), *OWN)
    parametrised, mesh = str(settings.pop("model", "eps")), str(settings.pop("mesh", "karras"))
    for kind, given, known in (("model", parametrised, MODELS), ("mesh", mesh, MESHES)):
        if given not in known:
            raise unknown(kind, given, known)
    high, low = float(settings.pop("sigma_max", 14.6)), float(settings.pop("sigma_min", 0.03))
    flow, shift, tau = parametrised == "flow", float(settings.pop("shift", 3.0)), float(settings.pop("tau", 1.0))

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        sampling = _model_sampling(flow, shift)
        more = dict(settings)
        if name in k_diffusion.PATHS:
            more["noise_sampler"] = lambda a, b: draws.increment(a, b, x.shape)
        if "sa_solver" in name:
            more["tau_func"] = lambda sigma: tau
        model = _Model(network, sampling, flow)
        if flow:
            sigmas = sampling.sigma(1000 * torch.linspace(1, 0, steps + 1))
        else:
            sigmas = getattr(module("comfyui"), f"get_sigmas_{mesh}")(steps, low, high)
        if name == "sample_dpm_fast":  # as ComfyUI calls it
            return code.sample_dpm_fast(model, x, sigmas[-2], sigmas[0], steps, disable=True, **more)
        return getattr(code, name)(model, x, sigmas, extra_args={}, disable=True, **more)

    order, noise = STATED[name]
    if "eta" in settings and noise:
        eta = float(settings["eta"])
        noise = math.sqrt(eta) if name in OF_VARIANCE else eta
    if "sa_solver" in name:
        noise, order = tau, int(settings.get("predictor_order", 3)) if not tau else None
    if noise == 0:
        order = STAGES.get(name, order)
    order = next((int(settings[key]) for key in ("max_order", "order") if key in settings), order)
    return Sampler(f"comfyui:{name}", version("comfyui"), run, lambda steps: 1.0 if flow else high, order, noise)


def _model_sampling(flow: bool, shift: float) -> Any:
    """Return ComfyUI's own description of a model's noise levels."""
    code = module("comfyui-model-sampling")
    if not flow:
        return code.EPS()
    flows: Any = type("Flow", (code.ModelSamplingDiscreteFlow, code.CONST), {})()
    flows.set_parameters(shift=shift)
    return flows


class _Model:
    """A denoiser as ComfyUI's samplers call it, with the places at which they look for `model_sampling`."""

    def __init__(self, network: Network, sampling: Any, flow: bool) -> None:
        self.network, self.flow = network, flow
        patcher = SimpleNamespace(get_model_object=lambda name: sampling)
        self.inner_model = SimpleNamespace(model_patcher=patcher, inner_model=SimpleNamespace(model_sampling=sampling))

    def __call__(self, x: Tensor, sigma: Tensor, **_: Any) -> Tensor:
        return self.network("x0", x, noise_level(1.0 - sigma if self.flow else 1.0, sigma))
