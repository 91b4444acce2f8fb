"""Schedulers of diffusers (https://github.com/huggingface/diffusers): `set_timesteps`, then a network call and `step`.

Settings are arguments of the scheduler, and `eta` of its step. `grid` (8 by default, 1 for the scheduler as configured)
refines the training grid of 1000 timesteps so many times with betas as much smaller, because an order is seen at step
counts that leave the rounding of timesteps behind. Flow-matching, EDM and cosine schedulers and IPNDM have no grid.
`tau` is the constant noise of SASolver in place of its default, which adds noise in the middle of a run alone.
"""

import copy
import inspect
import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck.adapters import accepted
from samplercheck.answered_draws import Draws
from samplercheck.convergence import ratio
from samplercheck.model import Network, noise_level, preconditioned
from samplercheck.sampler import Sampler

SUFFIX = "Scheduler"
PREDICT = {"epsilon": "eps", "sample": "x0", "v_prediction": "v", "flow_prediction": "flow"}
FIXED_ORDER = {  # as documented; of PNDM its paper proves the order (arXiv 2202.09778)
    "DDIM": 1,
    "DDPM": 1,
    "EulerDiscrete": 1,
    "EulerAncestralDiscrete": 1,
    "HeunDiscrete": 2,
    "KDPM2Discrete": 2,
    "EDMEuler": 1,
    "LMSDiscrete": 4,
    "PNDM": 2,
    "IPNDM": 4,
    "FlowMatchEulerDiscrete": 1,
    "FlowMatchHeunDiscrete": 2,
    "SASolver": None,
    "KDPM2AncestralDiscrete": None,
    "DPMSolverSDE": None,
}
NOISY = ("DDPM", "EulerAncestralDiscrete", "KDPM2AncestralDiscrete", "DPMSolverSDE", "CosineDPMSolverMultistep")
SOLVERS = (
    "DPMSolverMultistep",
    "DPMSolverSinglestep",
    "DEISMultistep",
    "UniPCMultistep",
    "EDMDPMSolverMultistep",
    "CosineDPMSolverMultistep",
)
PATHS = ("DPMSolverSDE", "CosineDPMSolverMultistep")  # they ask for increments of one path
NOTABLE = 1e-3  # of a noise level: float32 keeps it better
LOGARITHMIC = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")


def names() -> list[str]:
    """Return the names of the schedulers that solve the reverse ODE or SDE."""
    return [f"{name}{SUFFIX}" for name in (*FIXED_ORDER, *SOLVERS)]


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a scheduler of diffusers."""
    import diffusers

    return of_class(getattr(diffusers, name), f"diffusers:{name}", version("diffusers"), settings)


def of_class(kind: Callable[..., Any], name: str, release: str, settings: dict[str, Any]) -> Sampler:
    """Return the sampler of a scheduler's class, one of diffusers or one of its form in a file."""
    short = kind.__name__.removesuffix(SUFFIX)
    settings = accepted(settings, kind, "grid", "eta", "tau")
    arguments, grid = inspect.signature(kind).parameters, int(settings.pop("grid", 8))
    if "clip_sample" in arguments:
        settings.setdefault("clip_sample", False)
    if "trained_betas" in arguments and grid > 1 and short != "IPNDM":
        settings |= {"num_train_timesteps": 1000 * grid, "trained_betas": refined(settings, grid)}
    tau = settings.pop("tau", None)
    if short == "SASolver":
        constant = None if tau is None else float(tau)
        settings["tau_func"] = lambda t: float(200 * grid <= t <= 800 * grid) if constant is None else constant

    kept: dict[torch.dtype, Any] = {}  # some schedulers take seconds to make

    def made() -> Any:
        key = torch.get_default_dtype()
        if key not in kept:
            kept[key] = kind(**settings)
        return copy.deepcopy(kept[key])

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = made()
        scheduler.set_timesteps(steps)
        if short == "LMSDiscrete":
            scheduler.sigmas = scheduler.sigmas.tolist()  # it integrates them by quadrature: twenty times faster
        if short in PATHS:
            scheduler.noise_sampler = lambda a, b: draws.increment(a, b, x.shape)
        eta = {"eta": settings_eta} if settings_eta and "eta" in inspect.signature(scheduler.step).parameters else {}
        for t in scheduler.timesteps:
            value = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            x = scheduler.step(predicted(scheduler, short, network, value, t), t, x, **eta).prev_sample
        return x

    def prior(steps: int) -> float:
        scheduler = made()
        scheduler.set_timesteps(steps)
        return float(getattr(scheduler, "init_noise_sigma", 1.0))

    def rounding(counts: Sequence[int]) -> str:
        scheduler, words = made(), []
        for steps in counts:
            scheduler.set_timesteps(steps)
            off, repeated = rounded(scheduler)
            if off > NOTABLE or repeated:
                none = f" ({len(repeated)} of length 0, the first step {repeated[0]})" if repeated else ""
                words.append(f"{100 * off:.2g} % in {steps} steps{none}")
        levels = f"the network gets one of {scheduler.config.get('num_train_timesteps')} noise levels"
        return f"{levels}: off from those of the formulas by up to {', '.join(words)}" if words else ""

    settings_eta = float(settings.pop("eta", 0.0))
    solver_order = settings.get(
        "solver_order", arguments["solver_order"].default if "solver_order" in arguments else None
    )
    order = FIXED_ORDER.get(short, solver_order)
    stochastic = short in NOISY or "sde" in str(settings.get("algorithm_type", ""))
    noise: float | None = 1.0 if stochastic else settings_eta
    if short == "SASolver":
        noise = None if tau is None else float(tau)
    if settings.get("stochastic_sampling"):  # draws a new z at each step, which is neither solver
        noise = order = None
    return Sampler(
        name,
        release,
        run,
        prior,
        order=order if noise == 0.0 or short in FIXED_ORDER else None,
        noise=noise,
        data_std=float(settings.get("sigma_data", arguments["sigma_data"].default))
        if "sigma_data" in arguments
        else 1.0,
        rounding=rounding,
    )


def refined(settings: dict[str, Any], grid: int) -> np.ndarray:
    """Return betas of a training grid `grid` times finer: linear, or linear in their roots if `scaled_linear`."""
    start, end = float(settings.get("beta_start", 1e-4)), float(settings.get("beta_end", 0.02))
    power = 2 if settings.get("beta_schedule") == "scaled_linear" else 1
    return np.linspace(start ** (1 / power), end ** (1 / power), 1000 * grid) ** power / grid


def predicted(scheduler: Any, short: str, network: Network, x: Tensor, t: Tensor) -> Tensor:
    """Return what a perfectly trained network returns for the input and the timestep that it is given."""
    if "sigma_data" in scheduler.config:
        cosine = short.startswith("Cosine")  # its time is an arc tangent, EDM's a logarithm
        sigma = math.tan(t * math.pi / 2) if cosine else math.exp(4 * float(t))
        sign = -1 if scheduler.config.prediction_type == "v_prediction" else 1
        return sign * preconditioned(network, x, sigma, scheduler.config.sigma_data)
    if of_velocity(scheduler) or short.startswith("FlowMatch"):
        time = float(t) / scheduler.config.num_train_timesteps
        return network("flow", x, noise_level(1 - time, time))
    if short == "IPNDM":
        return network("v", x, noise_level(math.cos(float(t) * math.pi / 2), math.sin(float(t) * math.pi / 2)))
    # Between timesteps, where no network is trained, this library interpolates sigma / scale or its logarithm.
    midpoint = short.startswith(("KDPM2", "DPMSolverSDE")) and not scheduler.state_in_first_order
    logarithmic = midpoint or any(scheduler.config.get(key) for key in LOGARITHMIC)
    level = trained_level(scheduler, float(t), logarithmic)
    return network(PREDICT[scheduler.config.get("prediction_type", "epsilon")], x, level)


def of_velocity(scheduler: Any) -> bool:
    """Return whether the scheduler is told a velocity at a flow's time."""
    return bool(scheduler.config.get("use_flow_sigmas") or scheduler.config.get("prediction_type") == "flow_prediction")


def rounded(scheduler: Any) -> tuple[float, list[int]]:
    """Return how far noise levels of integer timesteps are from the scheduler's, and steps at the one before's."""
    times, sigmas = torch.as_tensor(scheduler.timesteps), getattr(scheduler, "sigmas", None)
    if times.is_floating_point() or sigmas is None:
        return 0.0, []
    count = scheduler.config.num_train_timesteps
    levels = [t / count if of_velocity(scheduler) else ratio(trained_level(scheduler, t, True)) for t in times.tolist()]
    pairs = zip(levels, torch.as_tensor(sigmas).tolist(), strict=False)
    off = max((abs(level / sigma - 1) for level, sigma in pairs if sigma), default=0.0)
    return off, [k for k, (before, after) in enumerate(pairwise(levels), 1) if before == after]


def trained_level(scheduler: Any, t: float, logarithmic: bool) -> Level:
    """Return the noise level on which a network is trained at timestep `t`, interpolated between timesteps."""
    table = torch.as_tensor(scheduler.alphas_cumprod, dtype=torch.float64).numpy()
    v = np.sqrt(1 / table - 1)
    there = float(np.interp(t, np.arange(len(v)), np.log(v) if logarithmic else v))
    ratio = math.exp(there) if logarithmic else there
    scale = 1 / math.sqrt(1 + ratio**2)
    return noise_level(scale, ratio * scale)
