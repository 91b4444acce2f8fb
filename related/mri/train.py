"""The command `ams train-mri`: trains one network of the reconstruction to a file of weights that
says how.

In order: the prior; the examples, which its samples guide; the modules, with one for each fold of
the subjects; the unrolled networks. All lie in one folder.
"""

import json
import sys
from pathlib import Path

from torch import Tensor

from ams.errors import unknown
from experiments import weights
from experiments.training import Plan, Task, Trainer, altered, trained, writing
from related.mri.guidance import examples, kinds
from related.mri.pairs import FOLDS, PairTask, module_name
from related.mri.tasks import Prior, PriorTask
from related.mri.trained import prior_of
from samplercheck.sampler import one_thread
from verdicts.records.files import write_whole

POINTS = 20
"""Points of the loss's curve in the recipe, and states that are kept on the way."""
SAMPLER, BUDGET = "annealed Langevin", 30
"""Whose samples guide, and at how many evaluations."""
_MODULE = Plan(steps=800, rate=2e-3, average=0.99)
_UNROLLED = Plan(steps=3000, rate=2e-3, average=0.995)
"""The module's loss on the development subjects is flat from 800 steps on, the unrolled
networks' from 2,500.
"""
MODULES = {
    module_name(quarter, number): (quarter, number)
    for quarter in (False, True)
    for number in range(FOLDS + 1)
}
"""The denoising modules by name: of a quarter of the subjects or not, and the fold left out."""
UNROLLED = {
    f"{kind}{part}": (kind, bool(part))
    for kind in ("guided", "unguided")
    for part in ("", "-quarter")
}
"""The unrolled networks by name."""
PLANS = (
    {"prior": Plan(steps=5400, rate=1e-3, average=0.999)}
    | dict.fromkeys(MODULES, _MODULE)
    | dict.fromkeys(UNROLLED, _UNROLLED)
)
"""How the networks are trained, by their names; those of folds only guide others, and are not
kept.
"""
EXAMPLES = "examples"


def train(name: str, out: Path, resume: bool, steps: int | None, seed: int) -> int:
    """Train, write weights and recipe, print where they are; returns the exit code, 0.

    Raises UserError for an unknown name, numbers that make no run, what has to be trained before,
    and as `writing` does; DataUnavailable where a volume cannot be had.
    """
    with writing(out / f"{name}.safetensors", resume), one_thread():
        if name == EXAMPLES:
            _exemplified(out)
        else:
            _trained(name, out, resume, steps, seed)
    return 0


def task(name: str, out: Path) -> Task:
    """Return what a network of `PLANS` learns."""
    if name == "prior":
        return PriorTask(Prior())
    if name in MODULES:
        quarter, number = MODULES[name]
        return PairTask("module", quarter, out, number)
    return PairTask(*UNROLLED[name], out)


def _exemplified(out: Path) -> None:
    """Write the examples: training slices, their scans, and what the prior's samples make of
    them.
    """
    prior = prior_of(out / "prior.safetensors")
    held: dict[str, Tensor] = {}
    for kept_out in (False, True):
        for part, key in zip(
            examples(prior, SAMPLER, BUDGET, kept_out), kinds(kept_out), strict=True
        ):
            tensors = {"x": part.x, "b": part.scan.b, "seen": part.seen, "subject": part.subject}
            held |= {f"{key}.{name}": tensor for name, tensor in tensors.items()}
    sha256 = weights.write(
        out / f"{EXAMPLES}.safetensors", held, {"command": f"ams train-mri {EXAMPLES}"}
    )
    sys.stdout.write(f"{out / EXAMPLES}.safetensors\n  sha256 {sha256}\n")


def _trained(name: str, out: Path, resume: bool, steps: int | None, seed: int) -> None:
    """Train, write and print. Raises UserError."""
    if name not in PLANS:
        raise unknown("network", name, [*PLANS, EXAMPLES])
    plan = altered(PLANS[name], steps, seed)
    trainer = Trainer(task(name, out), plan)
    about = trained(trainer, out / f"{name}.state", resume, f"ams train-mri {name}", POINTS)
    tensors = trainer.averaged.state_dict()
    sha256 = weights.write(out / f"{name}.safetensors", tensors, {"command": about["command"]})
    text = json.dumps(about | {"sha256": sha256, "tensors": weights.digest(tensors)}, indent=1)
    write_whole(out / f"{name}.json", f"{text}\n".encode())
    sys.stdout.write(
        f"{out / name}.safetensors\n  sha256 {sha256}\n  loss held out {trainer.held[-1][1]:.5f}\n"
    )
