"""Samplers of decision-making and of structure prediction.

- CleanDiffuserTeam/CleanDiffuser: the solvers of its diffusion classes, by class and solver. Its
  discrete classes have 8000 training steps here in place of 1000, because they round timesteps.
- jwohlwend/boltz: `AtomDiffusion.sample` of Boltz-1 and Boltz-2: the loop of AlphaFold 3.
- lucidrains/alphafold3-pytorch: `ElucidatedAtomDiffusion.sample`, that of EDM with a step scale.

Structure samplers centre and rotate the atoms before each step. The rotation is left out. An
element of a sample is one coordinate of an atom here, whose mirror image is another atom, so that
the mean is 0 and centring changes nothing.
"""

import ast
import importlib.util
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.overrides import TorchFunctionMode

from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model
from samplercheck.model import Network, noise_level, preconditioned
from samplercheck.sampler import Sampler
from survey.sources import code, empty, first_word, folder, importable, sampler, standing_in

CLEAN, BOLTZ = "CleanDiffuserTeam/CleanDiffuser", "jwohlwend/boltz"
ALPHAFOLD = "lucidrains/alphafold3-pytorch"
FINE = 8000
ORDERS = {
    "ddpm": 1,
    "ddim": 1,
    "ode_dpmsolver_1": 1,
    "ode_dpmsolver++_1": 1,
    "ode_dpmsolver++_2M": 2,
}
ORDERS |= {"euler": 1, "heun": 2}
SDE = (*tuple(ORDERS)[:5], "sde_dpmsolver_1", "sde_dpmsolver++_1", "sde_dpmsolver++_2M")
SOLVERS = {
    "DiscreteDiffusionSDE": SDE,
    "ContinuousDiffusionSDE": SDE,
    "ContinuousEDM": ("euler", "heun"),
    "DiscreteRectifiedFlow": ("euler",),
    "ContinuousRectifiedFlow": ("euler",),
    "DDIM": ("euler",),  # an older class, in a file of its own
}
SIGMA_DATA, FIRST = 16.0, 2560.0  # of AlphaFold 3, and its first noise level


def clean(name: str) -> Sampler:
    """Return a solver of a class of CleanDiffuser, from the start that it draws itself."""
    kind, solver = name.split()
    discrete, karras = kind.startswith("Discrete"), kind.endswith("EDM")
    options: dict[str, Any] = {"diffusion_steps": FINE} if discrete else {}
    if kind == "DiscreteDiffusionSDE":
        options["epsilon"] = 1 / FINE  # the class asks for one that is not above
    first = 80.0 if karras else 0.5 if kind == "DDIM" else 1.0

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def answer(x: Tensor, time: Tensor) -> Tensor:
            t = time[0]
            if karras:
                return preconditioned(network, x, (4 * t).exp(), made.sigma_data)
            if kind.endswith("RectifiedFlow"):
                t = made.t_diffusion[t] if discrete else t
                return -network("flow", x, noise_level(1 - t, t))
            if kind == "ContinuousDiffusionSDE":
                return network("eps", x, noise_level(*made.noise_schedule_funcs["forward"](t)))
            if discrete:
                return network("eps", x, noise_level(made.alpha[t], made.sigma[t]))
            scale = made.alpha_schedule(t)
            return network("eps", x, noise_level(scale, (1 - scale**2).sqrt()))

        made = getattr(_clean(kind), kind)(Model(answer), nn.Identity(), **options)
        draws.start = x / first
        end: Tensor = made.sample(
            torch.zeros_like(x), solver=solver, n_samples=len(x), sample_steps=steps
        )[0]
        return end

    noise = 1.0 if solver == "ddpm" or solver.startswith("sde") else 0.0
    return sampler(
        CLEAN,
        name,
        run,
        first,
        order=ORDERS.get(solver),
        noise=noise,
        data_std=0.5 if karras else 1.0,
    )


def _clean(kind: str) -> ModuleType:
    """Return the module of a class of CleanDiffuser, which is imported by its own name."""
    importable(CLEAN)
    networks = ("classifier", "nn_condition", "nn_diffusion")
    own = ".ddim" if kind == "DDIM" else ""
    with standing_in(empty(f"cleandiffuser.{name}" for name in networks)):
        return importlib.import_module(f"cleandiffuser.diffusion{own}")


@cache
def _file(name: str, path: str) -> ModuleType:
    """Return a file of a repository, with stand-ins for all that it imports and that is not
    installed.
    """
    tree = ast.walk(ast.parse((folder(name) / path).read_text()))
    imports = [each for each in tree if isinstance(each, (ast.Import, ast.ImportFrom))]
    names = {alias.name for each in imports if isinstance(each, ast.Import) for alias in each.names}
    names |= {each.module for each in imports if isinstance(each, ast.ImportFrom) and each.module}
    absent = [
        each.split(".")
        for each in sorted(names)
        if not importlib.util.find_spec(each.split(".")[0])
    ]
    return code(
        name, path, *(".".join(parts[:i]) for parts in absent for i in range(1, len(parts) + 1))
    )


class Atoms(TorchFunctionMode):
    """Answer draws for atoms with draws for the elements `x` that they stand for; the first is
    `x / first`.
    """

    def __init__(self, x: Tensor, first: float, draws: Draws) -> None:
        super().__init__()
        self.rows = x.flatten(1)
        draws.start = self.rows / first

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function, or draw."""
        return (
            self.atoms(torch.randn(self.rows.shape))
            if func is torch.randn
            else func(*args, **(kwargs or {}))
        )

    @staticmethod
    def atoms(rows: Tensor) -> Tensor:
        """Return an atom and its mirror image for each element, as the first of three
        coordinates.
        """
        return pad(torch.cat([rows, -rows], 1)[..., None], (0, 2))

    def elements(self, atoms: Tensor) -> Tensor:
        """Return what the atoms stand for."""
        return atoms[:, : self.rows.shape[1], 0]


def boltz(name: str, **settings: Any) -> Sampler:
    """Return the loop of Boltz, 0 last after its least noise level; with settings it is
    deterministic.
    """
    file = first_word(name)
    steering = {f"{kind}_update": False for kind in ("physical_guidance", "contact_guidance")} | {
        "fk_steering": False
    }

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        module: Any = _file(BOLTZ, f"src/boltz/model/modules/{file}.py")
        utils: Any = code(BOLTZ, "src/boltz/model/modules/utils.py")
        module.default, module.log = utils.default, utils.log
        still = torch.eye(3, dtype=x.dtype).expand(len(x), 3, 3), 0.0
        module.compute_random_augmentation = lambda count, **given: still
        with Atoms(x, FIRST, draws) as mode:

            def update(r_noisy: Tensor, times: Tensor) -> Any:
                sigma = SIGMA_DATA * (4 * times[0]).exp()
                r = mode.atoms(preconditioned(network, mode.elements(r_noisy), sigma, SIGMA_DATA))
                return r if file == "diffusionv2" else {"r_update": r, "token_a": torch.zeros(1)}

            module.DiffusionModule = lambda **given: Model(update)
            made = module.AtomDiffusion({"token_s": 1}, **settings)
            mask, features = (
                torch.ones(1, 2 * mode.rows.shape[1]),
                {"token_index": torch.zeros(1, 1)},
            )
            end = made.sample(mask, steps, len(x), len(x), steering_args=steering, feats=features)
            return mode.elements(end["sample_atom_coords"]).reshape(x.shape)

    order, noise = (1, 0.0) if settings else (None, None)
    return sampler(BOLTZ, name, run, FIRST, order=order, noise=noise, data_std=SIGMA_DATA)


def alphafold(name: str, **settings: Any) -> Sampler:
    """Return Heun's method of EDM with a step scale, deterministic with settings; its network is
    told sigma.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        with Atoms(x, 40.0, draws) as mode:

            def update(scaled: Tensor, times: Tensor) -> Tensor:
                return mode.atoms(
                    preconditioned(network, mode.elements(scaled), times[0], made.sigma_data)
                )

            kind = _alphafold().ElucidatedAtomDiffusion
            made = kind(Model(update).to(x.dtype), augment_during_sampling=False, **settings)
            mask = torch.ones(len(x), 2 * mode.rows.shape[1])
            return mode.elements(made.sample(mask, steps, use_tqdm_pbar=False)).reshape(x.shape)

    order, noise = (2, 0.0) if settings else (None, None)
    return sampler(ALPHAFOLD, name, run, 40.0, order=order, noise=noise, data_std=0.5)


def _alphafold() -> ModuleType:
    """Return the file of alphafold3-pytorch, with a decorator that checks no types."""
    with standing_in(
        {"alphafold3_pytorch.tensor_typing": MagicMock(typecheck=lambda function: function)}
    ):
        return _file(ALPHAFOLD, "alphafold3_pytorch/alphafold3.py")


SAMPLERS: dict[str, dict[str, Callable[[str], Sampler]]] = {
    CLEAN: {f"{kind} {solver}": clean for kind, solvers in SOLVERS.items() for solver in solvers},
    BOLTZ: {
        "diffusion AtomDiffusion.sample": boltz,
        "diffusion AtomDiffusion.sample without noise": partial(boltz, gamma_0=0.0, step_scale=1.0),
        "diffusionv2 AtomDiffusion.sample": boltz,
    },
    ALPHAFOLD: {
        "ElucidatedAtomDiffusion.sample": alphafold,
        "ElucidatedAtomDiffusion.sample without noise": partial(
            alphafold, S_churn=0, step_scale=1.0
        ),
    },
}
