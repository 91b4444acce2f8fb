"""The defects that the survey found: what the kit measures of the library as shipped, and with its
patch in memory.

A patch of `docs/finds` opens with four lines, which `patch` and `git apply` pass over, and a blank
one:

    Project: NAME VERSION, PLACE=SOURCE ...
    License: SPDX, ADDRESS
    Mends: one sentence.
    Find: PAGE.md

PLACE is a path in the project's repository. SOURCE is what lies there: an installed package (of the
distribution NAME), a registered file, a repository of `$AMS_DATA/code/more`, or nothing for a
module that is imported and not used. In memory the functions that the patch changes are compiled
anew in their own modules while a measurement lasts. Where a library no longer has the lines that a
patch changes, the library has changed: its claims are not run.
"""

import ast
import importlib
import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from types import ModuleType
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
from survey import libraries  # noqa: F401 - whose import adds the adapters
from survey.sources import registered
from verdicts.studies import cell

FINDS = Path(__file__).parents[2] / "docs" / "finds"
HEADER = re.compile(
    r"Project: (\S+) (\S+), (.+)\nLicense: \S+, https://.+\nMends: .+\.\nFind: (\S+\.md)\n\n"
)
DIFF = re.compile(r"^diff --git a/(\S+) .+?(?=^diff --git |\Z)", re.DOTALL | re.MULTILINE)
HUNK = re.compile(r"^@@ -(\d+).*\n((?:[ +-].*\n)+)", re.MULTILINE)


class Defect(NamedTuple):
    """A sampler at settings, what is measured of it in the least profile, and the patch (none for a
    control).
    """

    sampler: str
    settings: dict[str, Any]
    measure: Callable[[Sampler], float]
    profile: str = "full"
    patch: str = ""


def order(sampler: Sampler) -> float:
    """Return the order of W2 to the exact marginals, on Gaussian targets."""
    measured_order = converge(sampler, two_targets(sampler.data_std))[0].order
    assert measured_order is not None
    return measured_order.value


def distance_at(steps: int) -> Callable[[Sampler], float]:
    """Return the measurement of W2 to the data after so many steps, in units of the data's
    scale.
    """
    return lambda sampler: end_distance(sampler, two_targets(sampler.data_std), steps)


def order_of_steps(sampler: Sampler) -> float:
    """Return the order of the steps, each by itself, of their mean if they draw, from up to 288
    steps.
    """
    local = order_conditions(sampler, tuple(2 * count for count in STEPS)).order
    assert local is not None
    return local.value


def noise_left_at(steps: int) -> Callable[[Sampler], float]:
    """Return the measurement of the standard deviation that is left of data without any, after so
    many steps.
    """
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


_DPM, _UNIPC = "diffusers:DPMSolverMultistepScheduler", "diffusers:UniPCMultistepScheduler"
_RES = "comfyui:sample_res_multistep_ancestral"
_TO_SIGMA_MIN = {"final_sigmas_type": "sigma_min"}
_SDE = {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"}
_GRID, _THIRD = {"grid": 1}, {"solver_order": 3}
_FLOW = "score-sde:euler_maruyama", {"probability_flow": True}

DEFECTS = {
    "azula_reab": Defect("azula:REABSampler", {"order": 2}, order, "quick", "azula-reab"),
    "comfyui_ddpm": Defect("comfyui:sample_ddpm", {"model": "flow"}, distance_at(200)),
    "comfyui_ddpm_eps": Defect("comfyui:sample_ddpm", {}, distance_at(200)),
    "comfyui_res": Defect(_RES, {"model": "flow"}, distance_at(200)),
    "comfyui_res_eps": Defect(_RES, {}, distance_at(200)),
    "diffusers_dpmpp_3m": Defect(_DPM, _THIRD, order_of_steps, "cpu", "diffusers-dpmpp-3m"),
    "diffusers_edm_3m": Defect(
        "diffusers:EDMDPMSolverMultistepScheduler",
        _THIRD,
        order_of_steps,
        "cpu",
        "diffusers-dpmpp-3m",
    ),
    "diffusers_sde_3m": Defect(_DPM, _SDE, order_of_steps, "cpu", "diffusers-sde-dpmpp-3"),
    "diffusers_ipndm": Defect("diffusers:IPNDMScheduler", {}, order, "quick", "diffusers-ipndm"),
    "diffusers_ddim": Defect(
        "diffusers:DDIMScheduler",
        {"grid": 1, "timestep_spacing": "linspace"},
        distance_at(600),
        "cpu",
        "diffusers-ddim-spacing",
    ),
    "diffusers_ddim_inverse": Defect(
        "diffusers:DDIMInverseScheduler",
        {"grid": 1, "timestep_spacing": "trailing"},
        distance_at(600),
        patch="diffusers-ddim-spacing",
    ),
    "diffusers_unipc_bh1": Defect(_UNIPC, {"solver_type": "bh1"}, not_finite, "cpu"),
    "diffusers_unipc_noise": Defect(_UNIPC, {"predict_x0": False}, not_finite, "cpu"),
    "diffusers_unipc_bh1_last": Defect(
        _UNIPC, {"solver_type": "bh1"} | _TO_SIGMA_MIN, not_finite, "cpu"
    ),
    "diffusers_unipc_noise_last": Defect(
        _UNIPC, {"predict_x0": False} | _TO_SIGMA_MIN, not_finite, "cpu"
    ),
    "diffusers_pndm": Defect("diffusers:PNDMScheduler", _GRID, distance_at(200)),
    "diff_solvers_ipndm_v": Defect(
        "diff-solvers:ipndm_v_sampler", {}, order_of_steps, patch="diff-sampler-ipndm-v"
    ),
    "k_diffusion_3m": Defect(
        "k-diffusion:sample_dpmpp_3m_sde",
        {"eta": 0.0},
        order_of_steps,
        "cpu",
        "k-diffusion-dpmpp-3m-sde",
    ),
    "monai_ddim": Defect("monai:DDIMScheduler", _GRID, distance_at(600), patch="monai-ddim"),
    "monai_ddpm": Defect("monai:DDPMScheduler", _GRID, distance_at(100), patch="monai-ddpm"),
    "monai_pndm": Defect("monai:PNDMScheduler", _GRID, distance_at(200), patch="monai-pndm"),
    "physicsnemo_churn": Defect(
        "physicsnemo:edm_stochastic_heun",
        {"schedule": "ve", "S_churn": 5},
        distance_at(80),
        patch="physicsnemo-churn",
    ),
    "refiners_trailing": Defect(
        "refiners:Euler",
        {"grid": 1, "timesteps_spacing": "trailing"},
        noise_left_at(30),
        patch="refiners-trailing",
    ),
    "score_sde_flow": Defect(*_FLOW, raises, patch="score-sde-flow-predictor"),
    "score_sde_flow_distance": Defect(*_FLOW, distance_at(200), patch="score-sde-flow-predictor"),
}


def read_patch(path: Path) -> tuple[re.Match[str], dict[str, str], list[str]]:
    """Return a patch's header, its diffs by path, and the paths of its new tests."""
    header = HEADER.match(path.read_text(encoding="utf-8"))
    assert header is not None, f"{path.name} has no header"
    diffs = {match[1]: match[0] for match in DIFF.finditer(header.string, header.end())}
    return header, diffs, [name for name, diff in diffs.items() if "\nnew file mode" in diff]


def changed(text: str, diff: str) -> str:
    """Return a text with the hunks of a diff, each where its lines are. Raises DataUnavailable
    where they are not.
    """
    lines = text.splitlines(keepends=True)
    # from the end, so that the numbers of lines stay true
    for number, hunk in reversed(HUNK.findall(diff)):
        old, new = (
            [line[1:] for line in hunk.splitlines(keepends=True) if line[0] in kept]
            for kept in (" -", " +")
        )
        places = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
        if not places:
            raise DataUnavailable(f"a library has changed: no lines {''.join(old)!r}")
        at = min(places, key=lambda at: abs(at + 1 - int(number)))
        lines[at : at + len(old)] = new
    return "".join(lines)


def functions(text: str) -> dict[str, str]:
    """Return the functions of a module, and those of its classes as CLASS.FUNCTION, each with its
    source.
    """
    sources, lines = dict[str, str](), text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        prefix, inner = (
            (f"{node.name}.", node.body) if isinstance(node, ast.ClassDef) else ("", [node])
        )
        for each in inner:
            if isinstance(each, ast.FunctionDef):
                first = min([each.lineno, *(decorator.lineno for decorator in each.decorator_list)])
                sources[prefix + each.name] = textwrap.dedent(
                    "".join(lines[first - 1 : each.end_lineno])
                )
    return sources


def changed_modules(name: str) -> Iterator[tuple[ModuleType, str]]:
    """Yield the modules of a library that a patch changes, with the diff of each; the library's own
    tests are none.
    """
    header, diffs, _ = read_patch(FINDS / f"{name}.patch")
    places = [place.split("=") for place in header[3].split()]
    for path, diff in diffs.items():
        for place, source in places:
            if source and path.startswith(place):
                module = path.removesuffix(".py").replace(place, source, 1).replace("/", ".")
                yield (
                    registered(source) if source in CODE else importlib.import_module(module),
                    diff,
                )


@contextmanager
def applied(name: str) -> Iterator[None]:
    """Put a patch into a library's functions meanwhile. Raises DataUnavailable where it does not
    fit.
    """
    with ExitStack() as stack:
        for module, diff in changed_modules(name):
            text = inspect.getsource(module)
            before = functions(text)
            for place, source in functions(changed(text, diff)).items():
                if before.get(place) != source:
                    *within, function = place.split(".")
                    namespace = dict(vars(module))
                    exec(compile(source, f"{module.__name__} with a patch", "exec"), namespace)
                    owner = getattr(module, within[0]) if within else module
                    stack.enter_context(
                        patch.object(owner, function, namespace[function], create=True)
                    )
        yield


def patch_of(name: str) -> str:
    """Return the checksum of a defect's patch, empty where it has none."""
    place = DEFECTS[name].patch
    return sha256((FINDS / f"{place}.patch").read_bytes()).hexdigest() if place else ""


@cell
def effect(name: str, release: str, patched: str) -> float:
    """What is measured of a defect in a release of its library, as shipped or with the patch of
    this checksum.
    """
    defect = DEFECTS[name]
    sampler = adapters.load(defect.sampler, defect.settings)
    with applied(defect.patch) if patched else nullcontext():
        return defect.measure(sampler)


def measured(name: str, fixed: bool) -> float:
    """Return the effect of a defect. Raises DataUnavailable where the library is not installed."""
    release = adapters.release(DEFECTS[name].sampler.split(":")[0])
    return effect(name, release, patch_of(name) if fixed else "")
