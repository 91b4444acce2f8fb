"""The commands `ams train-images` and `ams train-graphs`: from settings, or a kept state, to a file
that says how.

A file of images' networks has its record within. Beside a file of graphs' networks,
`NAME.safetensors`, `NAME.json` is the record: settings, sizes, the sha256 of graphs and file, CPU
seconds since the run was last resumed, versions, both losses in means of 100 steps and on unseen
graphs. It is written last. An unfinished run is in `NAME.state`.
"""

import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure as Drawing

from ams.errors import UserError, unknown
from ams.plots import legend_above, panels
from experiments import weights
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.training import Denoising, plan_of
from experiments.images.tasks import PLANS, ClassifyingTask, accuracy, task
from experiments.training import Trainer, altered, fit, progress_bar, trained, writing
from samplercheck.sampler import one_thread
from verdicts import save_figure
from verdicts.records.files import write_whole

POINTS = 100
"""Points of the loss's curve in the file of weights."""
BIN = 100
"""Steps of which the record holds the mean."""
PACKAGES = ("torch", "numpy", "networkx", "safetensors")


def train_images(
    name: str, out: Path, resume: bool, device: str, steps: int | None, seed: int
) -> int:
    """Train, write weights and the figure of the loss, print what came out; returns the exit code,
    0.

    Raises UserError for an unknown name, a device that is not there, a state that cannot be gone on
    from, and as `writing` does; DataUnavailable where MNIST cannot be had.
    """
    trainer, file = _trainer(name, device, steps, seed), out / f"{name}.safetensors"
    with writing(file, resume):
        made = trained(
            trainer, file.with_suffix(".state"), resume, f"ams train-images {name}", POINTS
        )
        held_out = f"loss held out {trainer.held[-1][1]:.4f}"
        if isinstance(trainer.task, ClassifyingTask):
            split = trainer.task.split
            made["accuracy"] = accuracy(trainer.averaged, split.test)
            made["accuracy on what it learned from"] = accuracy(trainer.averaged, split.train)
            held_out += f", accuracy {made['accuracy']:.4f}"
        tensors = trainer.averaged.state_dict()
        sha256 = weights.write(file, tensors, made)
        save_figure(draw_training({name: made}), out, f"{name}_loss", f"Training of {name}")
        sys.stdout.write(
            f"{file}\n  sha256 {sha256}\n  tensors {weights.digest(tensors)}\n  {held_out}\n"
        )
    return 0


def _trainer(name: str, device: str, steps: int | None, seed: int) -> Trainer:
    """Return the run. Raises UserError."""
    if name not in PLANS:
        raise unknown("network", name, PLANS)
    if device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise UserError(
            f"--device {device}: not here; "
            f"cpu{', cuda' if torch.cuda.is_available() else ''} can be had"
        )
    plan = altered(PLANS[name], steps, seed)
    return Trainer(task(name), plan, device)


def draw_training(runs: dict[str, dict[str, Any]]) -> Drawing:
    """Draw the loss of each run against its steps: on what it learns from, and on what is held
    out.
    """
    drawing, axes_of = panels(len(runs), 1.8)
    for axes, (name, about) in zip(axes_of, runs.items(), strict=True):
        axes.plot(*np.array(about["curve"]).T, color="#0072B2", label="learned from, in training")
        axes.plot(
            *np.array(about["held out"]).T,
            color="#D55E00",
            ls="--",
            label="held out, averaged weights",
        )
        axes.set(xlabel="step", ylabel=f"loss, {name}", yscale="log")
    legend_above(axes_of[0], 1)
    return drawing


def train_graphs(config: TrainConfig, out: Path, resume: bool) -> int:
    """Train, write `out` and the files beside it, and return 0.

    Raises UserError: for a name of another ending, a run that is in the way or cannot be resumed,
    and as `experiments.training.writing`.
    """
    if out.suffix != ".safetensors":
        raise UserError(f"{out}: the file of networks must end in .safetensors")
    with writing(out, resume), one_thread():
        denoising, state, begin = Denoising(config), out.with_suffix(".state"), time.process_time()
        trainer = Trainer(denoising, plan_of(config))
        with progress_bar(config.steps, "train") as report:
            fit(trainer, state, resume, report)
        record = record_of(denoising, trainer) | {
            "cpu_seconds": round(time.process_time() - begin, 1)
        }
        record["sha256"] = weights.write(
            out, trainer.averaged.state_dict(), {"origin": record["origin"]}
        )
        write_whole(out.with_suffix(".json"), json.dumps(record) + "\n")
        state.unlink(missing_ok=True)
    sys.stderr.write(f"{out}: written; {out.stem}.json holds its record\n")
    return 0


def record_of(task: Denoising, trainer: Trainer) -> dict[str, Any]:
    """Return the record of a finished run, as JSON has it."""
    held_out = task.held_out(trainer.averaged, trainer.device).tolist()
    means = [
        np.mean(part, axis=0)
        for part in np.array_split(trainer.curve, range(BIN, trainer.done, BIN))
    ]
    curves = np.round(means, 5).T.tolist()
    return {
        "origin": task.settings.model_dump(mode="json"),
        "bin": BIN,
        "losses": dict(zip(task.parts, curves, strict=True)),
        "held_out": dict(zip(task.parts, np.round(held_out, 5).tolist(), strict=True)),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    }
