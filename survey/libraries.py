"""Samplers that no package index has: their authors' code, of the commits that `survey.sources`
names.

By registered file, at settings:

- `dpm-solver`, `unipc`, `sa-solver`: classes with their own VP schedule; settings are arguments of
  the class (`algorithm_type`, `variant`) and of `sample` (`order`, `skip_type`, `method`, ...;
  SA-Solver has `tau`, two orders).
- `edm`, `restart`, `diff-solvers`: functions of a denoiser; settings are their arguments.
- `score-sde`: predictors and correctors of score_sde_pytorch
  (https://github.com/yang-song/score_sde_pytorch), by its own loop. Names are those of the
  predictors in its registry. Settings: `sde` is `vp` (default), `subvp` or `ve`; `corrector` is
  `none` (default), `langevin` or `ald`, with `snr` (0.16) and `n_steps` (1); `probability_flow` and
  `denoise` are arguments of its `get_pc_sampler`. The network is the continuous one of its score
  models: of `vp` and `subvp` it returns eps at time t, of `ve` the score at the noise level that it
  is passed.
- `comfyui`: functions of ComfyUI (https://github.com/comfyanonymous/ComfyUI), whose licence is the
  GPL: the suite neither has its files nor fetches them, and runs those that a user has put at
  `$AMS_DATA/code/`. `model` is `eps` (default), whose states are `x_0 + sigma z`, or `flow`, whose
  states are `(1 - sigma) x_0 + sigma z`. `mesh` is `karras` (default) or `exponential`, between
  `sigma_max` (14.6) and `sigma_min` (0.03); a flow's noise levels are its own at even times, with
  `shift` (3). `tau` is the constant noise of the SA solvers (1). All others are arguments of the
  function. `sample_lcm`, which is for distilled models, the samplers with CFG++ and
  `sample_dpm_adaptive`, which has no number of steps, are left out.

By repository, at their defaults: `MORE`, as `openai/guided-diffusion:p_sample_loop`.

An import adds all to `samplercheck.adapters.OTHERS`; a checkout names it in
`src/ams_suite.dist-info`.
"""

import inspect
import math
from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ams.errors import UserError, unknown
from samplercheck.adapters import OTHERS, Adapter, accepted, chosen, denoisers
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model, model_of
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler
from survey import images, media, structures
from survey.sources import adapter, registered, release, version

CLASSES = {"dpm-solver": "DPM_Solver", "unipc": "UniPC", "sa-solver": "SASolver"}
FUNCTIONS = {
    "edm": {"edm_sampler": 2},
    "restart": {"restart_sampler": 2},
    "diff-solvers": {
        "euler_sampler": 1,
        "heun_sampler": 2,
        "dpm_2_sampler": 2,
        "ipndm_sampler": 4,
        "ipndm_v_sampler": 4,
        "deis_sampler": 4,
        "dpm_pp_sampler": 3,
        "unipc_sampler": 3,
    },
}
"""The functions of each library with the order that their documentation states, at their default
settings.
"""
ORDER_SETTINGS = ("order", "max_order", "predictor_order")


def _of_class(library: str, name: str, settings: dict[str, Any]) -> Sampler:
    """Return a solver class with its own linear VP schedule; its network predicts eps at a
    continuous time.
    """
    code = registered(library)
    kind = getattr(code, name)
    of_class = {
        key: settings.pop(key) for key in inspect.signature(kind).parameters if key in settings
    }
    tau = float(settings.pop("tau", 1.0 if library == "sa-solver" else 0.0))
    order = int(
        next(
            (settings[key] for key in ORDER_SETTINGS if key in settings),
            3 if library == "sa-solver" else 2,
        )
    )

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        schedule = code.NoiseScheduleVP("linear")

        def eps(x: Tensor, t: Tensor) -> Tensor:
            return network(
                "eps", x, noise_level(schedule.marginal_alpha(t[:1]), schedule.marginal_std(t[:1]))
            )

        solver = kind(eps, schedule, **of_class)
        if library == "sa-solver":
            mode = "few_steps" if steps < 10 else "more_steps"
            return solver.sample(mode, x, tau=lambda t: tau, steps=steps, **settings)
        return solver.sample(x, steps=steps, **settings)

    # of the flow; what a solver of the SDE states is not this order
    stated = order if not tau else None
    return Sampler(
        f"{library}:{name}", version(library), run, lambda steps: 1.0, order=stated, noise=tau
    )


def _of_function(library: str, name: str, settings: dict[str, Any]) -> Sampler:
    """Return a function `sampler(net, latents, num_steps=..., ...)` of a denoiser at noise
    sigma.
    """
    code = registered(library)
    order = int(
        next((settings[key] for key in ORDER_SETTINGS if key in settings), FUNCTIONS[library][name])
    )

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        denoiser = model_of(network, "x0@sigma")
        denoiser.sigma_min, denoiser.sigma_max = 0.0, float("inf")
        more: dict[str, Any] = {}
        if name == "deis_sampler":
            tables = registered("diff-solvers-utils")
            levels = tables.get_schedule(steps, 0.002, 80.0)
            more = {"coeff_list": tables.get_deis_coeff_list(levels, order, deis_mode="tab")}
        # The functions multiply what they are given by their first noise level.
        return getattr(code, name)(denoiser, x / 80.0, num_steps=steps, **more, **settings)

    churned = float(settings.get("S_churn", 0.0)) > 0 or bool(settings.get("restart_info"))
    return Sampler(
        f"{library}:{name}",
        version(library),
        run,
        lambda steps: 80.0,
        order=None if churned else order,
        noise=None if churned else 0.0,
        data_std=0.5,
    )


SDES = {"vp": ("VPSDE", 1e-3), "subvp": ("subVPSDE", 1e-3), "ve": ("VESDE", 1e-5)}
"""Each process with its class and the time at which its configurations end a run."""
PREDICTORS = ("euler_maruyama", "reverse_diffusion", "ancestral_sampling")
CORRECTORS = ("none", "langevin", "ald")
OF_SCORE_SDE = ("sde", "corrector", "snr", "n_steps", "probability_flow", "denoise")


def _score_sde(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a predictor, with a corrector if one is set. Raises UserError for a setting that is
    not there.
    """
    for key in settings:
        if key not in OF_SCORE_SDE:
            raise unknown("setting of score-sde", key, OF_SCORE_SDE)
    process = chosen(settings, "sde", SDES, "sde")
    corrector = chosen(settings, "corrector", CORRECTORS, "corrector")
    if name == "ancestral_sampling" and (process == "subvp" or settings.get("probability_flow")):
        raise UserError(
            "ancestral_sampling: score_sde_pytorch has it for the reverse SDE of vp and ve alone"
        )
    snr, flow = float(settings.pop("snr", 0.16)), bool(settings.get("probability_flow", False))
    code, library = registered("score-sde"), registered("score-sde-lib")
    kind, end = SDES[process]

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def answer(x: Tensor, labels: Tensor) -> Tensor:  # 999 t, of `ve` the noise level
            if process == "ve":
                return network("score", x, noise_level(1.0, labels))
            scale, sigma = sde.marginal_prob(torch.ones_like(x[:, :1, :1, :1]), labels / 999)
            return network("eps", x, noise_level(scale, sigma))

        sde = getattr(library, kind)(N=steps)
        sde.prior_sampling = lambda shape: x
        chosen = code.get_predictor(name), code.get_corrector(corrector)
        options = {"snr": snr, "continuous": True, "eps": end, "device": "cpu", **settings}
        sampler = code.get_pc_sampler(sde, x.shape, *chosen, lambda x: x, **options)
        return sampler(Model(answer))[0]

    return Sampler(
        f"score-sde:{name}",
        version("score-sde"),
        run,
        lambda steps: 50.0 if process == "ve" else 1.0,
        order=1 if corrector == "none" else None,
        noise=None if corrector != "none" else 0.0 if flow else 1.0,
        coupling="its norms are means over the batch" if corrector == "langevin" else "",
    )


STATED = denoisers.STATED | {  # order as documented or named, noise
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
# without noise a method of so many stages has that order
STAGES = {
    "sample_seeds_2": 2,
    "sample_seeds_3": 3,
}
OF_VARIANCE = (*denoisers.OF_VARIANCE, *STAGES)  # their eta multiplies a variance
OF_COMFYUI = ("model", "mesh", "sigma_max", "sigma_min", "shift", "tau")


def _comfyui(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of ComfyUI. Raises UserError for a setting that is not there."""
    code = registered("comfyui-uni-pc" if "unipc" in name else "comfyui")
    settings = accepted(settings, getattr(code, name), *OF_COMFYUI)
    flow = chosen(settings, "model", ("eps", "flow"), "model") == "flow"
    mesh = chosen(settings, "mesh", ("karras", "exponential"), "mesh")
    high, low = float(settings.pop("sigma_max", 14.6)), float(settings.pop("sigma_min", 0.03))
    shift, tau = float(settings.pop("shift", 3.0)), float(settings.pop("tau", 1.0))

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        sampling = _model_sampling(flow, shift)
        more = dict(settings)
        if name in denoisers.PATHS:
            more["noise_sampler"] = lambda a, b: draws.increment(a, b, x.shape)
        if "sa_solver" in name:
            more["tau_func"] = lambda sigma: tau
        model = _Model(network, sampling, flow)
        if flow:
            sigmas = sampling.sigma(1000 * torch.linspace(1, 0, steps + 1))
        else:
            sigmas = getattr(registered("comfyui"), f"get_sigmas_{mesh}")(steps, low, high)
        if name == "sample_dpm_fast":  # as ComfyUI calls it
            return code.sample_dpm_fast(
                model, x, sigmas[-2], sigmas[0], steps, disable=True, **more
            )
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
    return Sampler(
        f"comfyui:{name}",
        version("comfyui"),
        run,
        lambda steps: 1.0 if flow else high,
        order,
        noise,
    )


def _model_sampling(flow: bool, shift: float) -> Any:
    """Return ComfyUI's own description of a model's noise levels."""
    code = registered("comfyui-model-sampling")
    if not flow:
        return code.EPS()
    flows: Any = type("Flow", (code.ModelSamplingDiscreteFlow, code.CONST), {})()
    flows.set_parameters(shift=shift)
    return flows


class _Model:
    """A denoiser as ComfyUI's samplers call it, with the places at which they look for
    `model_sampling`.
    """

    def __init__(self, network: Network, sampling: Any, flow: bool) -> None:
        self.network, self.flow = network, flow
        patcher = SimpleNamespace(get_model_object=lambda name: sampling)
        self.inner_model = SimpleNamespace(
            model_patcher=patcher, inner_model=SimpleNamespace(model_sampling=sampling)
        )

    def __call__(self, x: Tensor, sigma: Tensor, **_: Any) -> Tensor:
        return self.network("x0", x, noise_level(1.0 - sigma if self.flow else 1.0, sigma))


LOADED: dict[str, tuple[Iterable[str], Callable[[str, dict[str, Any]], Sampler]]] = {
    **{library: ([name], partial(_of_class, library)) for library, name in CLASSES.items()},
    **{library: (names, partial(_of_function, library)) for library, names in FUNCTIONS.items()},
    "score-sde": (PREDICTORS, _score_sde),
    "comfyui": (STATED, _comfyui),
}
"""The names of each library's samplers, and what returns one."""
OTHERS.update(
    {
        name: Adapter(partial(list, names), load, partial(release, name))
        for name, (names, load) in LOADED.items()
    }
)
MORE = images.SAMPLERS | media.SAMPLERS | structures.SAMPLERS
OTHERS.update({name: adapter(name, samplers) for name, samplers in MORE.items()})
