"""The defects that the survey found: what the kit measures of the library as shipped, and with the fix in memory.

A fix replaces short texts of one function, which is compiled anew in its own module while a measurement lasts. Where
a library's function no longer has such a text, the library has changed: its claims are not run.
"""

import importlib
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest.mock import patch

import torch

from ams.data.registry import CODE
from ams.errors import DataUnavailable
from samplercheck import Sampler, adapters
from samplercheck.affine_map import read_map
from samplercheck.convergence import STEPS, Data, converge, two_targets
from samplercheck.judgement import end_distance
from samplercheck.order_conditions import order_conditions
from survey import libraries
from verdicts.studies import cell

NEXT = "int(next((later for later in self.timesteps if later < timestep), -1))"
"""The timestep after `timestep` in a schedule, -1 after the last one: where a step must end."""


Fixes = Mapping[str, Mapping[str, str]]
"""Of functions, as `MODULE:CLASS.FUNCTION` or `MODULE:FUNCTION`, the texts to replace, each by its new one."""


class Defect(NamedTuple):
    """A sampler at settings, what is measured of it in the least profile, and the fixes (none for a control)."""

    sampler: str
    settings: dict[str, Any]
    measure: Callable[[Sampler], float]
    profile: str = "full"
    fixes: Fixes = MappingProxyType({})


def order(sampler: Sampler) -> float:
    """Return the order of W2 to the exact marginals, on Gaussian targets."""
    measured_order = converge(sampler, two_targets(sampler.data_std))[0].order
    assert measured_order is not None
    return measured_order.value


def distance_at(steps: int) -> Callable[[Sampler], float]:
    """Return the measurement of W2 to the data after so many steps, in units of the data's scale."""
    return lambda sampler: end_distance(sampler, two_targets(sampler.data_std), steps)


def order_of_steps(sampler: Sampler) -> float:
    """Return the order of the steps, each by itself, of their mean if they draw, from up to 288 steps."""
    local = order_conditions(sampler, tuple(2 * count for count in STEPS)).order
    assert local is not None
    return local.value


def noise_left_at(steps: int) -> Callable[[Sampler], float]:
    """Return the measurement of the standard deviation that is left of data without any, after so many steps."""
    point = Data(torch.zeros(1, dtype=torch.float64), torch.full((1,), 1e-6, dtype=torch.float64))

    def left(sampler: Sampler) -> float:
        variance = sampler.prior(steps) ** 2
        return float(read_map(sampler, point.network(), 1, steps).law(-1, 0.0, variance)[1].sqrt())

    return left


def not_finite(sampler: Sampler) -> float:
    """Return 1 if an entry of the end after 20 steps is not finite, else 0."""
    return float(not math.isfinite(end_distance(sampler, two_targets(sampler.data_std), 20)))


def raises(sampler: Sampler) -> float:
    """Return 1 if a run of 20 steps raises TypeError, else 0."""
    try:
        read_map(sampler, two_targets(sampler.data_std).network(), 8, 20)
    except TypeError:
        return 1.0
    return 0.0


_DIFFUSERS, _MONAI = "diffusers.schedulers.scheduling_", "monai.networks.schedulers."
_DPM, _UNIPC = "diffusers:DPMSolverMultistepScheduler", "diffusers:UniPCMultistepScheduler"
_RES = "comfyui:sample_res_multistep_ancestral"
_TO_SIGMA_MIN = {"final_sigmas_type": "sigma_min"}
_THIRD = "DPMSolverMultistepScheduler.multistep_dpm_solver_third_order_update"
_HALF = {"D2 = (1.0 / (r0 + r1))": "D2 = (2.0 / (r0 + r1))"}
_SIGN = {"- 2.0 * h) / (2.0 * h) ** 2 - 0.5)": "- 2.0 * h) / (2.0 * h) ** 2 + 0.5)"}
_RATIO = "(alpha_prod_t / alpha_prod_t_prev)"
_BEFORE = {"[timestep - 1] if timestep > 0": f"[{NEXT}] if timestep > 0", "self.betas[timestep]": f"(1 - {_RATIO})"}
_FIRST = "(sample, timestep_index, prev_timestep_index, ets)"
_X0 = "(0.0 if self.alphas[timestep_index] else -self.alphas[prev_timestep_index] * model_output)"
_RATIOS = "(h_n * (h_n + h_n_1)) / (h_n_1 * (h_n_1 + h_n_2))"
_UNEVEN = {
    f"(1 - h_n / (3 * (h_n + h_n_1)) * {_RATIOS})": f"((1 - h_n / (3 * (h_n + h_n_1))) * {_RATIOS})",
    "/ 2 + (1 - h_n / (2 * (h_n + h_n_1)))": "/ 2 - (1 - h_n / (2 * (h_n + h_n_1)))",
    "(h_n_2 + h_n_3))) * h_n_1 / h_n_2\n": "(h_n_2 + h_n_3))) * h_n_2 / h_n_3\n",
}
_CHURN = "physicsnemo.diffusion.samplers.edm_stochastic_heun:EDMStochasticHeunSolver.step"
_TRAILING = "refiners.foundationals.latent_diffusion.solvers.solver:Solver.generate_timesteps"
_STEPS = "(max_timestep, offset, -step_ratio)"
_FLOW = "score-sde:euler_maruyama", {"probability_flow": True}
_ZEROS = {"score-sde-lib:SDE.reverse": {"diffusion = 0. if": "diffusion = torch.zeros_like(diffusion) if"}}

DEFECTS = {
    "azula_reab": Defect(
        "azula:REABSampler",
        {"order": 2},
        order,
        "quick",
        {"azula.sample:REABSampler.__call__": {"alpha_s**2 + sigma_t**2": "alpha_s**2 + sigma_s**2"}},
    ),
    "comfyui_ddpm": Defect("comfyui:sample_ddpm", {"model": "flow"}, distance_at(200)),
    "comfyui_ddpm_eps": Defect("comfyui:sample_ddpm", {}, distance_at(200)),
    "comfyui_res": Defect(_RES, {"model": "flow"}, distance_at(200)),
    "comfyui_res_eps": Defect(_RES, {}, distance_at(200)),
    "diffusers_dpmpp_3m": Defect(
        _DPM, {"solver_order": 3}, order_of_steps, "cpu", {f"{_DIFFUSERS}dpmsolver_multistep:{_THIRD}": _HALF}
    ),
    "diffusers_edm_3m": Defect(
        "diffusers:EDMDPMSolverMultistepScheduler",
        {"solver_order": 3},
        order_of_steps,
        "cpu",
        {f"{_DIFFUSERS}edm_dpmsolver_multistep:EDM{_THIRD}": _HALF},
    ),
    "diffusers_sde_3m": Defect(
        _DPM,
        {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"},
        order_of_steps,
        "cpu",
        {f"{_DIFFUSERS}dpmsolver_multistep:{_THIRD}": _HALF | _SIGN},
    ),
    "diffusers_ipndm": Defect(
        "diffusers:IPNDMScheduler",
        {},
        order,
        "quick",
        {f"{_DIFFUSERS}ipndm:IPNDMScheduler.step": {_FIRST: f"{_FIRST} + {_X0}"}},
    ),
    "diffusers_ddim": Defect(
        "diffusers:DDIMScheduler",
        {"grid": 1, "timestep_spacing": "linspace"},
        distance_at(600),
        "cpu",
        {
            f"{_DIFFUSERS}ddim:DDIMScheduler.step": {
                "timestep - self.config.num_train_timesteps // self.num_inference_steps": NEXT
            }
        },
    ),
    "diffusers_unipc_bh1": Defect(_UNIPC, {"solver_type": "bh1"}, not_finite, "cpu"),
    "diffusers_unipc_noise": Defect(_UNIPC, {"predict_x0": False}, not_finite, "cpu"),
    "diffusers_unipc_bh1_last": Defect(_UNIPC, {"solver_type": "bh1"} | _TO_SIGMA_MIN, not_finite, "cpu"),
    "diffusers_unipc_noise_last": Defect(_UNIPC, {"predict_x0": False} | _TO_SIGMA_MIN, not_finite, "cpu"),
    "diffusers_pndm": Defect("diffusers:PNDMScheduler", {"grid": 1}, distance_at(200)),
    "diff_solvers_ipndm_v": Defect(
        "diff-solvers:ipndm_v_sampler", {}, order_of_steps, fixes={"diff-solvers:ipndm_v_sampler": _UNEVEN}
    ),
    "k_diffusion_3m": Defect(
        "k-diffusion:sample_dpmpp_3m_sde",
        {"eta": 0.0},
        order_of_steps,
        "cpu",
        {"k_diffusion.sampling:sample_dpmpp_3m_sde": {"d2 = (d1_0 - d1_1) /": "d2 = 2 * (d1_0 - d1_1) /"}},
    ),
    "monai_ddim": Defect(
        "monai:DDIMScheduler",
        {"grid": 1},
        distance_at(600),
        fixes={
            f"{_MONAI}ddim:DDIMScheduler.step": {
                "timestep - self.num_train_timesteps // self.num_inference_steps": NEXT
            }
        },
    ),
    "monai_ddpm": Defect(
        "monai:DDPMScheduler",
        {"grid": 1},
        distance_at(100),
        fixes={
            f"{_MONAI}ddpm:DDPMScheduler.step": _BEFORE | {"self.alphas[timestep]": _RATIO},
            f"{_MONAI}ddpm:DDPMScheduler._get_variance": _BEFORE,
        },
    ),
    "monai_pndm": Defect(
        "monai:PNDMScheduler",
        {"grid": 1},
        distance_at(200),
        fixes={f"{_MONAI}pndm:PNDMScheduler.set_timesteps": {"self.num_inference_steps = len(self.timesteps)": "pass"}},
    ),
    "physicsnemo_churn": Defect(
        "physicsnemo:edm_stochastic_heun",
        {"schedule": "ve", "S_churn": 5},
        distance_at(80),
        fixes={_CHURN: {"(g_sq_bc / (2 * safe_t_cur_bc)).sqrt()": "1.0"}},
    ),
    "refiners_trailing": Defect(
        "refiners:Euler",
        {"grid": 1, "timesteps_spacing": "trailing"},
        noise_left_at(30),
        fixes={_TRAILING: {_STEPS: f"{_STEPS}[:num_inference_steps]"}},
    ),
    "score_sde_flow": Defect(*_FLOW, raises, fixes=_ZEROS),
    "score_sde_flow_distance": Defect(*_FLOW, distance_at(200), fixes=_ZEROS),
}


@contextmanager
def applied(fixes: Fixes) -> Iterator[None]:
    """Put fixes into a library's functions meanwhile. Raises DataUnavailable where one of them lacks a text."""
    with ExitStack() as stack:
        for place, changes in fixes.items():
            name, _, path = place.partition(":")
            module = libraries.registered(name) if name in CODE else importlib.import_module(name)
            *within, function = path.split(".")
            owner = getattr(module, within[0]) if within else module
            source = textwrap.dedent(inspect.getsource(vars(owner)[function]))
            for old, new in changes.items():
                if old not in source:
                    raise DataUnavailable(f"{place} has changed: no text {old!r}")
                source = source.replace(old, new)
            namespace = dict(vars(module))
            exec(compile(source, f"{name} with a fix", "exec"), namespace)
            stack.enter_context(patch.object(owner, function, namespace[function]))
        yield


@cell
def effect(name: str, release: str, fixed: bool) -> float:
    """What is measured of a defect in a release of its library, as shipped or with the fix."""
    defect = DEFECTS[name]
    sampler = adapters.load(defect.sampler, defect.settings)
    with applied(defect.fixes if fixed else {}):
        return defect.measure(sampler)


def measured(name: str, fixed: bool) -> float:
    """Return the effect of a defect. Raises DataUnavailable where the library is not installed."""
    return effect(name, adapters.release(DEFECTS[name].sampler.split(":")[0]), fixed)
