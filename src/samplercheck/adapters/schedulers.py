"""Libraries of schedulers: `set_timesteps`, then a network call and `step`: diffusers, MONAI and
refiners.

Settings are arguments of the scheduler, and `eta` of its step. `grid` (8 by default, 1 for the
scheduler as configured) refines the training grid of 1000 timesteps so many times with betas as
much smaller, because an order is seen at step counts that leave the rounding of timesteps behind.
`clip_sample` is off unless set. LCM's schedulers, and diffusers' `stochastic_sampling`, are for
distilled networks, and get a consistency function; of LCM's original steps, of which a run has a
part, there are 1000 unless they are set.

- diffusers (https://github.com/huggingface/diffusers): flow-matching, EDM and cosine schedulers and
  IPNDM have no grid. `tau` is the constant noise of SASolver in place of its default, which adds
  noise in the middle of a run alone. Inversions state no order.
- MONAI (https://github.com/Project-MONAI/MONAI): `RFlowScheduler` steps from each timestep to the
  next one and to 0 at last, as its documentation's example does.
- refiners (https://github.com/finegrain-ai/refiners), whose solvers are called with the predicted
  noise: settings are fields of its `SolverParams` and `last_step_first_order`.
"""

import copy
import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck.adapters import Adapter, accepted
from samplercheck.answered_draws import Draws
from samplercheck.convergence import ratio
from samplercheck.entry_points import interpolated
from samplercheck.model import (
    Network,
    average,
    noise_level,
    preconditioned,
    predicted as predicted_as,
)
from samplercheck.sampler import Expected, Sampler, inversion

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
    "LCM": None,
    "FlowMatchLCM": None,
    "TCD": None,
    "SCM": None,
    "CMStochasticIterative": None,
    "FlowMapEulerDiscrete": None,
    "DDIMParallel": 1,
    "DDPMParallel": 1,
    "CogVideoXDDIM": 1,
    "CogVideoXDPM": None,
    "DDPMWuerstchen": None,
    "UnCLIP": None,
    "LTXEulerAncestralRF": None,
    "MiniMaxH3": 1,
    "DDIMInverse": None,
    "DPMSolverMultistepInverse": None,
}
NOISY = (
    *(
        "DDPM",
        "DDPMParallel",
        "DDPMWuerstchen",
        "UnCLIP",
        "EulerAncestralDiscrete",
        "KDPM2AncestralDiscrete",
    ),
    *("DPMSolverSDE", "CosineDPMSolverMultistep", "CogVideoXDPM", "LTXEulerAncestralRF"),
)
DISTILLED = ("LCM", "FlowMatchLCM", "TCD", "SCM", "CMStochasticIterative", "FlowMapEulerDiscrete")
ENDING = ("DDPMWuerstchen", "SCM")  # the last of their timesteps is that of the end
_DISCRETE = "its data are discrete: give its step to samplercheck.discrete.chain"
_WITHDRAWN = "diffusers has withdrawn it"
_STAGES = "between the stages of a run it enlarges the image, so that no run has one target"
LEFT_OUT = {
    "AmusedScheduler": _DISCRETE,
    "BlockRefinementScheduler": _DISCRETE,
    "ConsistencyDecoderScheduler": (
        "it belongs to a decoder of images, whose network is told the latent too"
    ),
    "DiscreteDDIMScheduler": _DISCRETE,
    "EntropyBoundScheduler": _DISCRETE,
    "HeliosDMDScheduler": _STAGES,
    "HeliosScheduler": _STAGES,
    "KarrasVeScheduler": _WITHDRAWN,
    "PiflowScheduler": "its network returns a policy for a whole segment, not a prediction",
    "RFD4ProteinaScheduler": (
        "it moves the masked atoms of a protein, by a noise that an option of the model scales"
    ),
    "RePaintScheduler": (
        "it fills a part of an image that is given: there is no distribution that it states"
    ),
    "ScoreSdeVeScheduler": (
        "it has step_pred and step_correct in place of step, by hand as FILE.py:NAME"
    ),
    "ScoreSdeVpScheduler": _WITHDRAWN,
    "VQDiffusionScheduler": _DISCRETE,
}
"""Schedulers of diffusers that are not judged, with the reason."""
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


def diffusers(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a scheduler of diffusers."""
    import diffusers as library

    return of_class(getattr(library, name), f"diffusers:{name}", version("diffusers"), settings)


def of_class(
    kind: Callable[..., Any], name: str, release: str, settings: dict[str, Any]
) -> Sampler:
    """Return the sampler of a scheduler's class, one of diffusers or one of its form in a file."""
    short, inherited = family(kind)
    settings = accepted(settings, kind, "grid", "eta", "tau")
    arguments, grid = inspect.signature(kind).parameters, int(settings.pop("grid", 8))
    if "clip_sample" in arguments:
        settings.setdefault("clip_sample", False)
    if "trained_betas" in arguments and grid > 1 and short != "IPNDM":
        settings |= {"num_train_timesteps": 1000 * grid, "trained_betas": refined(settings, grid)}
    for key, count in (("UnCLIP", 1000 * grid), ("CMStochasticIterative", 4000)):
        if short == key:  # their grid follows from its size
            settings.setdefault("num_train_timesteps", count)
    if "clip_denoised" in arguments:
        settings.setdefault("clip_denoised", False)
    if "original_inference_steps" in arguments:
        settings.setdefault("original_inference_steps", 1000)
    tau = settings.pop("tau", None)
    if short == "SASolver":
        constant = None if tau is None else float(tau)
        settings["tau_func"] = lambda t: (
            float(200 * grid <= t <= 800 * grid) if constant is None else constant
        )

    kept: dict[torch.dtype, Any] = {}  # some schedulers take seconds to make

    def made() -> Any:
        key = torch.get_default_dtype()
        if key not in kept:
            kept[key] = kind(**settings)
        return copy.deepcopy(kept[key])

    def begun(scheduler: Any, steps: int) -> Any:
        scheduler.set_timesteps(
            steps, **({"intermediate_timesteps": None} if short == "SCM" else {})
        )
        return scheduler

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        return once(made(), network, x, steps, draws)

    def again(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = made()
        once(
            scheduler,
            lambda predict, x, level: torch.zeros_like(x),
            torch.ones_like(x),
            steps + 1,
            Draws(),
        )
        return once(scheduler, network, x, steps, draws)

    def once(scheduler: Any, network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        begun(scheduler, steps)
        if short == "LMSDiscrete":
            # it integrates them by quadrature: twenty times faster
            scheduler.sigmas = scheduler.sigmas.tolist()
        if short in PATHS:
            scheduler.noise_sampler = lambda a, b: draws.increment(a, b, x.shape)
        taken = inspect.signature(scheduler.step).parameters
        eta = {"eta": settings_eta} if "eta" in taken else {}
        times = [None, *scheduler.timesteps, *([] if short in ENDING else [None])]
        before: Any = None  # the prediction of x0 that some steps return
        for back, t, after in zip(times, times[1:-1], times[2:], strict=False):
            value = (
                scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            )
            out = predicted(
                scheduler, short, network, value, t, 0 if after is None else after, settings_eta
            )
            beside = {
                "prev_timestep": after,
                "timestep_back": back,
                "old_pred_original_sample": before,
            }
            beside = {name: given for name, given in beside.items() if name in taken}
            at = t.expand(len(x)) if short == "DDPMWuerstchen" else t
            done = scheduler.step(model_output=out, timestep=at, sample=x, **beside, **eta)
            x = done.prev_sample if hasattr(done, "prev_sample") else done[0]
            before = done[1] if "old_pred_original_sample" in taken else None
        return x

    def prior(steps: int) -> float:
        scheduler = begun(made(), steps)
        # by which its pipelines multiply
        unit = scheduler.config.sigma_data if short == "SCM" else 1.0
        return unit * float(getattr(scheduler, "init_noise_sigma", 1.0))

    def rounding(counts: Sequence[int]) -> str:
        words = []
        for steps in counts:
            scheduler = begun(made(), steps)
            off, repeated = rounded(scheduler)
            if off > NOTABLE or repeated:
                none = (
                    f" ({len(repeated)} of length 0, the first step {repeated[0]})"
                    if repeated
                    else ""
                )
                words.append(f"{100 * off:.2g} % in {steps} steps{none}")
        levels = (
            f"the network gets one of {scheduler.config.get('num_train_timesteps')} noise levels"
        )
        return (
            f"{levels}: off from those of the formulas by up to {', '.join(words)}" if words else ""
        )

    def stated(key: str, otherwise: Any) -> Any:
        return settings.get(key, arguments[key].default if key in arguments else otherwise)

    settings_eta = float(settings.pop("eta", 0.3 if short == "TCD" else 0.0))
    order = FIXED_ORDER.get(short, stated("solver_order", None)) if inherited else None
    stochastic = short in NOISY or "sde" in str(settings.get("algorithm_type", ""))
    noise: float | None = settings_eta or Expected(stochastic)
    if short == "SASolver":
        noise = None if tau is None else float(tau)
    # a new z at each step, which is neither solver
    if settings.get("stochastic_sampling") or short in DISTILLED:
        noise = order = None
    sampler = Sampler(
        name,
        release,
        run,
        prior,
        order=order if noise == 0.0 or short in FIXED_ORDER else None,
        noise=noise,
        data_std=float(stated("sigma_data", 1.0)),
        rounding=rounding,
    )
    return inversion(sampler) if short.endswith("Inverse") else sampler


def family(kind: Any) -> tuple[str, bool]:
    """Return the short name of the class of diffusers' that a scheduler's class is, and whether it
    has its order.

    A subclass has the order only if it overrides none of that class's methods. Another class has
    its own name.
    """
    for depth, base in enumerate(kind.__mro__):
        short = base.__name__.removesuffix(SUFFIX)
        if short in FIXED_ORDER or short in SOLVERS:
            own = {
                name
                for each in kind.__mro__[:depth]
                for name, value in vars(each).items()
                if callable(value)
            }
            return short, not own & {*dir(base)} - {"__init__"}
    return kind.__name__.removesuffix(SUFFIX), True


def refined(settings: dict[str, Any], grid: int) -> np.ndarray:
    """Return betas of a training grid `grid` times finer: linear, or linear in their roots if
    `scaled_linear`.
    """
    start, end = float(settings.get("beta_start", 1e-4)), float(settings.get("beta_end", 0.02))
    power = 2 if settings.get("beta_schedule") == "scaled_linear" else 1
    return np.linspace(start ** (1 / power), end ** (1 / power), 1000 * grid) ** power / grid


def predicted(
    scheduler: Any,
    short: str,
    network: Network,
    x: Tensor,
    t: Tensor,
    after: Tensor | float = 0.0,
    eta: float = 0.0,
) -> Tensor:
    """Return what a perfectly trained network returns for the input and the timestep that it is
    given.

    `after` is the timestep at which the step ends, of whose noise TCD's has the share `eta` added
    anew.
    """
    if short == "SCM":  # x0 is cos(t) x - sin(t) times the output
        angle, unit = float(t), scheduler.config.sigma_data
        level = noise_level(max(math.cos(angle), 0.0), unit * math.sin(angle))
        return (math.cos(angle) * x - network("consistency", x, level)) / math.sin(angle)
    if short == "CMStochasticIterative":
        sigma, least = float(scheduler.sigmas[scheduler.step_index]), scheduler.config.sigma_min
        x = x * math.hypot(sigma, scheduler.config.sigma_data)
        skip, out = scheduler.get_scalings_for_boundary_condition(torch.tensor(sigma))
        level = noise_level(1.0, sigma)._replace(next=noise_level(1.0, least))
        return (
            (network("consistency", x, level) - skip * x) / out
            if sigma > least
            else torch.zeros_like(x)
        )
    if short == "DDPMWuerstchen":
        kept = scheduler._alpha_cumprod(t.reshape(1), t.device)
        return network("eps", x, noise_level(kept.sqrt(), (1 - kept).sqrt()))
    if short == "MiniMaxH3":
        return -network("flow", x, noise_level(float(t), 1 - float(t)))
    if short == "FlowMapEulerDiscrete":
        level, to = (noise_level(1 - float(at) / 1000, float(at) / 1000) for at in (t, after))
        return average(network, x, level, to)
    if short == "TCD":  # along a line in x / scale and sigma / scale
        level, to = (
            trained_level(scheduler, at, False) for at in (float(t), math.floor((1 - eta) * after))
        )
        share = to.scale / level.scale
        eps = (network("consistency", x, level._replace(next=to)) - share * x) / (
            to.sigma - share * level.sigma
        )
        x0 = (x - level.sigma * eps) / level.scale
        return predicted_as(PREDICT[scheduler.config.prediction_type], x0, eps, level)
    if "sigma_data" in scheduler.config:
        cosine = short.startswith("Cosine")  # its time is an arc tangent, EDM's a logarithm
        sigma = math.tan(t * math.pi / 2) if cosine else math.exp(4 * float(t))
        sign = -1 if scheduler.config.prediction_type == "v_prediction" else 1
        return sign * preconditioned(network, x, sigma, scheduler.config.sigma_data)
    if of_velocity(scheduler) or short.startswith(("FlowMatch", "LTX")):
        time = float(t) / scheduler.config.num_train_timesteps
        level = noise_level(1 - time, time)
        if short == "FlowMatchLCM" or scheduler.config.get("stochastic_sampling"):
            return distilled(network, "flow", x, level)
        return network("flow", x, level)
    if short == "LCM":
        level = trained_level(scheduler, float(t), False)
        weights = scheduler.get_scalings_for_boundary_condition_discrete(t)
        return distilled(network, PREDICT[scheduler.config.prediction_type], x, level, *weights)
    if short == "IPNDM":
        return network(
            "v", x, noise_level(math.cos(float(t) * math.pi / 2), math.sin(float(t) * math.pi / 2))
        )
    # Between timesteps, where no network is trained, this library interpolates sigma / scale or its
    # logarithm.
    midpoint = short.startswith(("KDPM2", "DPMSolverSDE")) and not scheduler.state_in_first_order
    logarithmic = midpoint or any(scheduler.config.get(key) for key in LOGARITHMIC)
    level = trained_level(scheduler, float(t), logarithmic)
    return network(PREDICT[scheduler.config.get("prediction_type", "epsilon")], x, level)


def distilled(
    network: Network,
    predict: str,
    x: Tensor,
    level: Level,
    skip: float | Tensor = 0.0,
    out: float | Tensor = 1.0,
) -> Tensor:
    """Return what a network predicts of which `skip x + out x0` is the consistency function."""
    x0 = (network("consistency", x, level) - skip * x) / out
    return predicted_as(predict, x0, (x - level.scale * x0) / level.sigma, level)


def of_velocity(scheduler: Any) -> bool:
    """Return whether the scheduler is told a velocity at a flow's time."""
    return bool(
        scheduler.config.get("use_flow_sigmas")
        or scheduler.config.get("prediction_type") == "flow_prediction"
    )


def rounded(scheduler: Any) -> tuple[float, list[int]]:
    """Return how far noise levels of integer timesteps are from the scheduler's, and steps at the
    one before's.
    """
    times, sigmas = torch.as_tensor(scheduler.timesteps), getattr(scheduler, "sigmas", None)
    if times.is_floating_point() or sigmas is None:
        return 0.0, []
    count = scheduler.config.num_train_timesteps
    levels = [
        t / count if of_velocity(scheduler) else ratio(trained_level(scheduler, t, True))
        for t in times.tolist()
    ]
    pairs = zip(levels, torch.as_tensor(sigmas).tolist(), strict=False)
    off = max((abs(level / sigma - 1) for level, sigma in pairs if sigma), default=0.0)
    return off, [k for k, (before, after) in enumerate(pairwise(levels), 1) if before == after]


def trained_level(scheduler: Any, t: float, logarithmic: bool) -> Level:
    """Return the noise level on which a network is trained at timestep `t`, interpolated between
    timesteps.
    """
    table = torch.as_tensor(scheduler.alphas_cumprod, dtype=torch.float64).numpy()
    return interpolated(np.sqrt(1 / table - 1), t, logarithmic)


MONAI = {"DDIMScheduler": 1, "DDPMScheduler": 1, "PNDMScheduler": None, "RFlowScheduler": 1}


def monai(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a scheduler of MONAI."""
    from monai.networks import schedulers

    kind, flow = getattr(schedulers, name), name == "RFlowScheduler"
    arguments = inspect.signature(kind).parameters
    settings = accepted(settings, kind, "grid", "eta", "beta_start", "beta_end")
    grid, eta = int(settings.pop("grid", 1 if flow else 8)), float(settings.pop("eta", 0.0))
    if "clip_sample" in arguments:
        settings.setdefault("clip_sample", False)
    if not flow and settings.get("schedule") != "cosine":
        for key, value in (("beta_start", 1e-4), ("beta_end", 0.02)):
            settings[key] = settings.get(key, value) / grid
    settings["num_train_timesteps"] = 1000 * grid

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        scheduler = kind(**settings)
        scheduler.set_timesteps(steps)
        times = [int(t) for t in scheduler.timesteps]
        for t, after in zip(times, [*times[1:], 0], strict=True):
            if flow:  # this scheduler's velocity is x0 - z
                time = t / scheduler.num_train_timesteps
                x = scheduler.step(-network("flow", x, noise_level(1 - time, time)), t, x, after)[0]
            else:
                cumulative = scheduler.alphas_cumprod[t]
                level = noise_level(cumulative.sqrt(), (1 - cumulative).sqrt())
                extra = {"eta": eta} if eta else {}
                x = scheduler.step(
                    network(PREDICT[scheduler.prediction_type], x, level), t, x, **extra
                )[0]
        return x

    return Sampler(
        f"monai:{name}",
        version("monai"),
        run,
        prior=lambda steps: 1.0,
        order=MONAI[name],
        noise=1.0 if name == "DDPMScheduler" else eta,
    )


REFINERS = {"DDIM": 1, "DPMSolver": 2, "Euler": 1, "LCMSolver": None}


def refiners(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a solver of refiners."""
    from refiners.foundationals.latent_diffusion import solvers

    kind = getattr(solvers, name)
    lcm = name == "LCMSolver"  # its DPM-Solver has betas of its own, so that the grid is as it is
    own = {"LCMSolver": ("num_orig_steps",), "DPMSolver": ("last_step_first_order",)}.get(name, ())
    settings = accepted(
        {"num_orig_steps": 1000, **settings} if lcm else settings,
        solvers.SolverParams,
        "grid",
        *own,
    )
    grid = int(settings.pop("grid", 1 if lcm else 8))
    extra = {key: settings.pop(key) for key in own if key in settings}
    for key, value in (("initial_diffusion_rate", 8.5e-4), ("final_diffusion_rate", 1.2e-2)):
        settings[key] = settings.get(key, value) / grid
    settings["num_train_timesteps"] = 1000 * grid
    if "timesteps_spacing" in settings:
        settings["timesteps_spacing"] = solvers.TimestepSpacing(settings["timesteps_spacing"])
    if "model_prediction_type" in settings:
        settings["model_prediction_type"] = solvers.ModelPredictionType(
            settings["model_prediction_type"]
        )

    def made(steps: int) -> Any:
        params = solvers.SolverParams(**settings)
        return kind(steps, params=params, dtype=torch.get_default_dtype(), **extra)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        solver = made(steps)
        v = (solver.noise_std / solver.cumulative_scale_factors).double().numpy()
        predict = "x0" if solver.params.model_prediction_type == "sample" else "eps"
        for step in solver.inference_steps:
            # Between timesteps, where no network is trained, sigma / scale is linear, as in this
            # library's Euler.
            level = interpolated(v, float(solver.timesteps[step]))
            value = solver.scale_model_input(x, step=step)
            if lcm:
                t = 10 * solver.timesteps[step]
                value = distilled(
                    network, "eps", value, level, 0.25 / (t**2 + 0.25), t / (t**2 + 0.25).sqrt()
                )
            else:
                value = network(predict, value, level)
            x = solver(x, predicted_noise=value, step=step)
        return x

    def prior(steps: int) -> float:
        return float(made(steps).scale_model_input(torch.ones(1), step=-1))

    return Sampler(
        f"refiners:{name}",
        version("refiners"),
        run,
        prior,
        order=REFINERS[name],
        noise=None if lcm else 0.0,
        evaluations=lambda steps: steps,
    )


ADAPTERS = {
    "diffusers": Adapter(
        lambda: [f"{name}{SUFFIX}" for name in (*FIXED_ORDER, *SOLVERS)],
        diffusers,
        left_out=LEFT_OUT,
    ),
    "monai": Adapter(partial(list, MONAI), monai),
    "refiners": Adapter(partial(list, REFINERS), refiners),
}
