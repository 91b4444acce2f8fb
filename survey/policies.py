"""Public steps that state a density, as their projects ship them: `python -m survey.policies`
writes docs/policy_matrix.md.

Each is judged anew by `samplercheck`'s checks of a step, unmodified, at the settings that its
project's scripts use, or at 1 for eta. One whose file or package is not here is left out.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

from samplercheck import __version__
from samplercheck.in_process import Ended, in_process
from samplercheck.policy import conform_policy
from samplercheck.report import Report
from samplercheck.verdict_words import NOTED, REFUTED
from survey.sources import code, registered, standing_in

PAGE = Path(__file__).parents[1] / "docs" / "policy_matrix.md"
LONGEST = 120.0
"""Seconds after which a step is given up."""
FLUX = (
    "accelerate.utils",
    "cv2",
    "einops",
    "fastvideo.dataset.latent_flux_rl_datasets",
    *(
        f"fastvideo.utils.{name}"
        for name in (
            "checkpoint",
            "communications_flux",
            "dataset_utils",
            "fsdp_util",
            "load",
            "logging_",
            "parallel_states",
            "validation",
        )
    ),
    "wandb",
)
"""What DanceGRPO's training script imports, and its step does not call."""
HEAD = f"""# The surveyed steps with log-probabilities

Each step below was judged as its project ships it, by kit {__version__}:
[what is checked](sampler_reference.md#checks-of-a-step-that-states-a-density). A note decides
nothing. Where runs of 10 and more steps end is that of Gaussian data with the exact network.
`python -m survey.policies` makes this page, of the projects whose files are here.

| step | verdict | what is refuted (x) or noted (-), and where runs end |
|---|---|---|"""


class PublicStep(NamedTuple):
    """Where a step stands: `load` returns it, `settings` are of its other parameters."""

    load: Callable[[], Any]
    settings: dict[str, Any]


def _of(repository: str, path: str, name: str, *stand_ins: str) -> Any:
    return getattr(code(repository, path, *stand_ins), name)


def _ddpo() -> Any:
    """Return DDPO's step, whose import is that of a release of diffusers that had the function
    there.
    """
    utils = importlib.import_module("diffusers.utils")
    vars(utils)["randn_tensor"] = importlib.import_module(
        "diffusers.utils.torch_utils"
    ).randn_tensor
    path = "ddpo_pytorch/diffusers_patch/ddim_with_logprob.py"
    return _of("kvablack/ddpo-pytorch", path, "ddim_step_with_logprob")


def _trl() -> Any:
    """Return the step of TRL 0.12, with the function that its package copies from diffusers."""
    from diffusers.utils.torch_utils import randn_tensor

    with standing_in({"diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion": Mock()}):
        module = registered("trl")
    vars(module)["randn_tensor"] = randn_tensor
    return module.scheduler_step


def _flux() -> Any:
    """Return DanceGRPO's step, whose training script is imported whole."""
    importlib.import_module("diffusers.optimization")  # it looks for packages that stand in
    return _of(_DANCE, "fastvideo/train_grpo_flux.py", "flux_step", *FLUX)


_PATCH = "flow_grpo/diffusers_patch/sd3_sde_with_logprob.py"
_DANCE, _MILES = "XueZeyue/DanceGRPO", "radixark/miles_diffusion"
_DDIM = "fastvideo/models/stable_diffusion/ddim_with_logprob.py"
STEPS = {
    "yifan123/flow_grpo: sde_step_with_logprob": PublicStep(
        partial(_of, "yifan123/flow_grpo", _PATCH, "sde_step_with_logprob"), {}
    ),
    "kvablack/ddpo-pytorch: ddim_step_with_logprob": PublicStep(_ddpo, {"eta": 1.0}),
    "trl 0.12: scheduler_step": PublicStep(_trl, {"eta": 1.0}),
    f"{_DANCE}: flux_step": PublicStep(_flux, {"eta": 0.3, "sde_solver": True}),
    f"{_DANCE}: flux_step, sde_solver=False": PublicStep(_flux, {"eta": 0.3, "sde_solver": False}),
    f"{_DANCE}: ddim_step_with_logprob": PublicStep(
        partial(_of, _DANCE, _DDIM, "ddim_step_with_logprob"), {"eta": 1.0}
    ),
    f"{_MILES}: sde_log_prob": PublicStep(
        partial(_of, _MILES, "miles/utils/sde_log_prob.py", "sde_step_with_logprob"), {}
    ),
    f"{_MILES}: flow_grpo": PublicStep(
        partial(_of, _MILES, f"flow_grpo/{_PATCH}", "sde_step_with_logprob"), {}
    ),
    **{
        f"Tencent-Hunyuan/UniRL: {kind}": PublicStep(
            partial(_of, "Tencent-Hunyuan/UniRL", "unirl/sde/kernels.py", kind), {}
        )
        for kind in ("FlowSDEStrategy", "CPSSDEStrategy", "DanceSDEStrategy")
    },
}
"""By project and name."""


def judged(name: str) -> Report:
    """Return the report on a step. Raises ImportError or DataUnavailable where it is not here."""
    step = STEPS[name]
    return conform_policy(step.load(), step.settings)


def line(name: str) -> str:
    """Return the row of a step. Raises as `judged`."""
    report = judged(name)
    marks = {REFUTED: "x", NOTED: "-"}
    words = [
        f"{marks.get(one.verdict, '+')} *{one.check}*: {one.why}"
        for one in report.judgements
        if one.verdict in marks or one.check == "marginals"
    ]
    return f"| {name} | {report.verdict} | {'<br>'.join(words)} |"


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    for name in STEPS:
        print(name, file=sys.stderr, flush=True)
        try:
            yield in_process(line, name, seconds=LONGEST)[0]
        except Ended as reason:
            print(f"  left out: {' '.join(reason.args).strip().splitlines()[-1]}", file=sys.stderr)
    yield ""


if __name__ == "__main__":
    PAGE.write_text("\n".join(page()))
