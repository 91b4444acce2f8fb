"""The defects that the survey found: what the kit measures of the library as shipped, and with the fix in memory.

A fix replaces short texts of one function, which is compiled anew in its own module while a measurement lasts. Where
a library's function no longer has such a text, the library has changed: its claims are not run.
"""

import importlib
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch

from ams.data.registry import CODE
from ams.errors import DataUnavailable
from samplercheck import Sampler, adapters
from samplercheck.affine_map import read_map
from samplercheck.convergence import STEPS, Data, converge, two_targets
from samplercheck.judgement import end_distance
from samplercheck.order_conditions import order_conditions
from survey import by_file
from verdicts.studies import cell

NEXT = "int(next((later for later in self.timesteps if later < timestep), -1))"
"""The timestep after `timestep` in a schedule, -1 after the last one: where a step must end."""


class Fix(NamedTuple):
    """Texts of a function and what replaces each, everywhere in it; `owner` is its class, empty for none."""

    module: str
    owner: str
    function: str
    changes: tuple[tuple[str, str], ...]


class Defect(NamedTuple):
    """A sampler at settings, the fix (none for a control), and what is measured of it in the least profile."""

    sampler: str
    settings: dict[str, Any]
    fixes: tuple[Fix, ...]
    measure: Callable[[Sampler], float]
    profile: str = "full"


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


_DIFFUSERS = "diffusers.schedulers.scheduling_"
_MONAI = "monai.networks.schedulers."
_HALF = (("D2 = (1.0 / (r0 + r1))", "D2 = (2.0 / (r0 + r1))"),)
_SIGN = ("- 2.0 * h) / (2.0 * h) ** 2 - 0.5)", "- 2.0 * h) / (2.0 * h) ** 2 + 0.5)")
_THIRD = "multistep_dpm_solver_third_order_update"
_RATIO = "(alpha_prod_t / alpha_prod_t_prev)"
_PREVIOUS = ("[timestep - 1] if timestep > 0", f"[{NEXT}] if timestep > 0")
_BETA = ("self.betas[timestep]", f"(1 - {_RATIO})")
_FIRST = "(sample, timestep_index, prev_timestep_index, ets)"
_RATIOS = "(h_n * (h_n + h_n_1)) / (h_n_1 * (h_n_1 + h_n_2))"
_ZEROS = Fix("score-sde-lib", "SDE", "reverse", (("diffusion = 0. if", "diffusion = torch.zeros_like(diffusion) if"),))
_X0 = "(0.0 if self.alphas[timestep_index] else -self.alphas[prev_timestep_index] * model_output)"

DEFECTS = {
    "azula_reab": Defect(
        "azula:REABSampler",
        {"order": 2},
        (Fix("azula.sample", "REABSampler", "__call__", (("alpha_s**2 + sigma_t**2", "alpha_s**2 + sigma_s**2"),)),),
        order,
        "quick",
    ),
    "comfyui_ddpm": Defect("comfyui:sample_ddpm", {"model": "flow"}, (), distance_at(200)),
    "comfyui_ddpm_eps": Defect("comfyui:sample_ddpm", {}, (), distance_at(200)),
    "comfyui_res": Defect("comfyui:sample_res_multistep_ancestral", {"model": "flow"}, (), distance_at(200)),
    "comfyui_res_eps": Defect("comfyui:sample_res_multistep_ancestral", {}, (), distance_at(200)),
    "diffusers_dpmpp_3m": Defect(
        "diffusers:DPMSolverMultistepScheduler",
        {"solver_order": 3},
        (Fix(f"{_DIFFUSERS}dpmsolver_multistep", "DPMSolverMultistepScheduler", _THIRD, _HALF),),
        order_of_steps,
        "cpu",
    ),
    "diffusers_edm_3m": Defect(
        "diffusers:EDMDPMSolverMultistepScheduler",
        {"solver_order": 3},
        (Fix(f"{_DIFFUSERS}edm_dpmsolver_multistep", "EDMDPMSolverMultistepScheduler", _THIRD, _HALF),),
        order_of_steps,
        "cpu",
    ),
    "diffusers_sde_3m": Defect(
        "diffusers:DPMSolverMultistepScheduler",
        {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"},
        (Fix(f"{_DIFFUSERS}dpmsolver_multistep", "DPMSolverMultistepScheduler", _THIRD, (*_HALF, _SIGN)),),
        order_of_steps,
        "cpu",
    ),
    "diffusers_ipndm": Defect(
        "diffusers:IPNDMScheduler",
        {},
        (Fix(f"{_DIFFUSERS}ipndm", "IPNDMScheduler", "step", ((_FIRST, f"{_FIRST} + {_X0}"),)),),
        order,
        "quick",
    ),
    "diffusers_ddim": Defect(
        "diffusers:DDIMScheduler",
        {"grid": 1, "timestep_spacing": "linspace"},
        (
            Fix(
                f"{_DIFFUSERS}ddim",
                "DDIMScheduler",
                "step",
                (("timestep - self.config.num_train_timesteps // self.num_inference_steps", NEXT),),
            ),
        ),
        distance_at(600),
        "cpu",
    ),
    "diffusers_unipc_bh1": Defect("diffusers:UniPCMultistepScheduler", {"solver_type": "bh1"}, (), not_finite, "cpu"),
    "diffusers_unipc_noise": Defect("diffusers:UniPCMultistepScheduler", {"predict_x0": False}, (), not_finite, "cpu"),
    "diffusers_unipc_bh1_last": Defect(
        "diffusers:UniPCMultistepScheduler",
        {"solver_type": "bh1", "final_sigmas_type": "sigma_min"},
        (),
        not_finite,
        "cpu",
    ),
    "diffusers_unipc_noise_last": Defect(
        "diffusers:UniPCMultistepScheduler",
        {"predict_x0": False, "final_sigmas_type": "sigma_min"},
        (),
        not_finite,
        "cpu",
    ),
    "diffusers_pndm": Defect("diffusers:PNDMScheduler", {"grid": 1}, (), distance_at(200)),
    "diff_solvers_ipndm_v": Defect(
        "diff-solvers:ipndm_v_sampler",
        {},
        (
            Fix(
                "diff-solvers",
                "",
                "ipndm_v_sampler",
                (
                    (f"(1 - h_n / (3 * (h_n + h_n_1)) * {_RATIOS})", f"((1 - h_n / (3 * (h_n + h_n_1))) * {_RATIOS})"),
                    ("/ 2 + (1 - h_n / (2 * (h_n + h_n_1)))", "/ 2 - (1 - h_n / (2 * (h_n + h_n_1)))"),
                    ("(h_n_2 + h_n_3))) * h_n_1 / h_n_2\n", "(h_n_2 + h_n_3))) * h_n_2 / h_n_3\n"),
                ),
            ),
        ),
        order_of_steps,
    ),
    "k_diffusion_3m": Defect(
        "k-diffusion:sample_dpmpp_3m_sde",
        {"eta": 0.0},
        (
            Fix(
                "k_diffusion.sampling",
                "",
                "sample_dpmpp_3m_sde",
                (("d2 = (d1_0 - d1_1) / (r0 + r1)", "d2 = 2 * (d1_0 - d1_1) / (r0 + r1)"),),
            ),
        ),
        order_of_steps,
        "cpu",
    ),
    "monai_ddim": Defect(
        "monai:DDIMScheduler",
        {"grid": 1},
        (
            Fix(
                f"{_MONAI}ddim",
                "DDIMScheduler",
                "step",
                (("timestep - self.num_train_timesteps // self.num_inference_steps", NEXT),),
            ),
        ),
        distance_at(600),
    ),
    "monai_ddpm": Defect(
        "monai:DDPMScheduler",
        {"grid": 1},
        (
            Fix(f"{_MONAI}ddpm", "DDPMScheduler", "step", (_PREVIOUS, _BETA, ("self.alphas[timestep]", _RATIO))),
            Fix(f"{_MONAI}ddpm", "DDPMScheduler", "_get_variance", (_PREVIOUS, _BETA)),
        ),
        distance_at(100),
    ),
    "monai_pndm": Defect(
        "monai:PNDMScheduler",
        {"grid": 1},
        (
            Fix(
                f"{_MONAI}pndm",
                "PNDMScheduler",
                "set_timesteps",
                (("self.num_inference_steps = len(self.timesteps)", "pass"),),
            ),
        ),
        distance_at(200),
    ),
    "physicsnemo_churn": Defect(
        "physicsnemo:edm_stochastic_heun",
        {"schedule": "ve", "S_churn": 5},
        (
            Fix(
                "physicsnemo.diffusion.samplers.edm_stochastic_heun",
                "EDMStochasticHeunSolver",
                "step",
                (("(g_sq_bc / (2 * safe_t_cur_bc)).sqrt()", "1.0"),),
            ),
        ),
        distance_at(80),
    ),
    "refiners_trailing": Defect(
        "refiners:Euler",
        {"grid": 1, "timesteps_spacing": "trailing"},
        (
            Fix(
                "refiners.foundationals.latent_diffusion.solvers.solver",
                "Solver",
                "generate_timesteps",
                (("(max_timestep, offset, -step_ratio)", "(max_timestep, offset, -step_ratio)[:num_inference_steps]"),),
            ),
        ),
        noise_left_at(30),
    ),
    "score_sde_flow": Defect("score-sde:euler_maruyama", {"probability_flow": True}, (_ZEROS,), raises),
    "score_sde_flow_distance": Defect(
        "score-sde:euler_maruyama", {"probability_flow": True}, (_ZEROS,), distance_at(200)
    ),
}


@contextmanager
def applied(fix: Fix) -> Iterator[None]:
    """Put a fix into a library's class meanwhile. Raises DataUnavailable where the function lacks a text."""
    registered = fix.module in CODE
    module = by_file.module(fix.module) if registered else importlib.import_module(fix.module)
    owner = getattr(module, fix.owner) if fix.owner else module
    shipped = vars(owner)[fix.function]
    source = textwrap.dedent(inspect.getsource(shipped))
    for old, new in fix.changes:
        if old not in source:
            raise DataUnavailable(f"{fix.module}.{fix.owner}.{fix.function} has changed: no text {old!r}")
        source = source.replace(old, new)
    namespace = dict(vars(module))
    exec(compile(source, f"{fix.module} with a fix", "exec"), namespace)
    setattr(owner, fix.function, namespace[fix.function])
    try:
        yield
    finally:
        setattr(owner, fix.function, shipped)


@cell
def effect(name: str, release: str, fixed: bool) -> float:
    """What is measured of a defect in a release of its library, as shipped or with the fix."""
    defect = DEFECTS[name]
    sampler = adapters.load(defect.sampler, defect.settings)
    with ExitStack() as stack:
        for fix in defect.fixes if fixed else ():
            stack.enter_context(applied(fix))
        return defect.measure(sampler)


def measured(name: str, fixed: bool) -> float:
    """Return the effect of a defect. Raises DataUnavailable where the library is not installed."""
    return effect(name, adapters.release(DEFECTS[name].sampler.split(":")[0]), fixed)
