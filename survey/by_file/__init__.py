"""Samplers that no package index has: their authors' code, one file each, of the commit that the registry names.

`survey.by_file.registered` says where a file comes from and what it may import.

- `dpm-solver`, `unipc`, `sa-solver`: classes with their own VP schedule; settings are arguments of the class
  (`algorithm_type`, `variant`) and of `sample` (`order`, `skip_type`, `method`, ...; SA-Solver has `tau`, two orders).
- `edm`, `restart`, `diff-solvers`: functions of a denoiser; settings are their arguments.
- `score-sde` and `comfyui` have adapters of their own, `survey.by_file.score_sde` and `.comfyui`.

An import adds all to `samplercheck.adapters.OTHERS`.
"""

import inspect
from functools import partial
from typing import Any

from torch import Tensor

from samplercheck.adapters import OTHERS, Adapter
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import model_of
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler
from survey.by_file import comfyui, score_sde
from survey.by_file.registered import module, release, version

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
"""The functions of each library with the order that their documentation states, at their default settings."""
ORDER_SETTINGS = ("order", "max_order", "predictor_order")
LIBRARIES = (*CLASSES, *FUNCTIONS, "score-sde", "comfyui")


def _of_class(library: str, name: str, settings: dict[str, Any]) -> Sampler:
    """Return a solver class with its own linear VP schedule; its network predicts eps at a continuous time."""
    code = module(library)
    kind = getattr(code, name)
    of_class = {key: settings.pop(key) for key in inspect.signature(kind).parameters if key in settings}
    tau = float(settings.pop("tau", 1.0 if library == "sa-solver" else 0.0))
    order = int(next((settings[key] for key in ORDER_SETTINGS if key in settings), 3 if library == "sa-solver" else 2))

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        schedule = code.NoiseScheduleVP("linear")

        def eps(x: Tensor, t: Tensor) -> Tensor:
            return network("eps", x, noise_level(schedule.marginal_alpha(t[:1]), schedule.marginal_std(t[:1])))

        solver = kind(eps, schedule, **of_class)
        if library == "sa-solver":
            mode = "few_steps" if steps < 10 else "more_steps"
            return solver.sample(mode, x, tau=lambda t: tau, steps=steps, **settings)
        return solver.sample(x, steps=steps, **settings)

    stated = order if not tau else None  # of the flow; what a solver of the SDE states is not this order
    return Sampler(f"{library}:{name}", version(library), run, lambda steps: 1.0, order=stated, noise=tau)


def _of_function(library: str, name: str, settings: dict[str, Any]) -> Sampler:
    """Return a function `sampler(net, latents, num_steps=..., ...)` of a denoiser at noise sigma."""
    code = module(library)
    order = int(next((settings[key] for key in ORDER_SETTINGS if key in settings), FUNCTIONS[library][name]))

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        denoiser = model_of(network, "x0@sigma")
        denoiser.sigma_min, denoiser.sigma_max = 0.0, float("inf")
        more: dict[str, Any] = {}
        if name == "deis_sampler":
            tables = module("diff-solvers-utils")
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


def _adapter(library: str) -> Adapter:
    """Return the adapter of a library whose code is registered, file by file."""
    modules = {"score-sde": score_sde, "comfyui": comfyui}
    if library in modules:
        names, load = modules[library].names, modules[library].load
    elif library in CLASSES:
        names, load = partial(list, [CLASSES[library]]), partial(_of_class, library)
    else:
        names, load = partial(list, FUNCTIONS[library]), partial(_of_function, library)
    return Adapter(names, load, partial(release, library))


OTHERS.update({library: _adapter(library) for library in LIBRARIES})
