"""The command `ams train-images`: trains one network, from nothing or a kept state, to a file that says how."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure as Drawing

from ams.errors import UserError, unknown
from ams.plots import legend_above, panels
from experiments import weights
from experiments.images.tasks import PLANS, ClassifyingTask, accuracy, task
from experiments.training import Trainer, altered, trained, writing
from verdicts import save_figure

POINTS = 100
"""Points of the loss's curve in the file of weights."""


def train(name: str, out: Path, resume: bool, device: str, steps: int | None, seed: int) -> int:
    """Train, write weights and the figure of the loss, print what came out; returns the exit code, 0.

    Raises UserError for an unknown name, a device that is not there, a state that cannot be gone on from, and as
    `writing` does; DataUnavailable where MNIST cannot be had.
    """
    trainer, file = _trainer(name, device, steps, seed), out / f"{name}.safetensors"
    with writing(file, resume):
        made = trained(trainer, file.with_suffix(".state"), resume, f"ams train-images {name}", POINTS)
        held_out = f"loss held out {trainer.held[-1][1]:.4f}"
        if isinstance(trainer.task, ClassifyingTask):
            split = trainer.task.split
            made["accuracy"] = accuracy(trainer.averaged, split.test)
            made["accuracy on what it learned from"] = accuracy(trainer.averaged, split.train)
            held_out += f", accuracy {made['accuracy']:.4f}"
        tensors = trainer.averaged.state_dict()
        sha256 = weights.write(file, tensors, made)
        save_figure(draw_training({name: made}), out, f"{name}_loss", f"Training of {name}")
        sys.stdout.write(f"{file}\n  sha256 {sha256}\n  tensors {weights.digest(tensors)}\n  {held_out}\n")
    return 0


def _trainer(name: str, device: str, steps: int | None, seed: int) -> Trainer:
    """Return the run. Raises UserError."""
    if name not in PLANS:
        raise unknown("network", name, PLANS)
    if device not in ("cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise UserError(f"--device {device}: not here; cpu{', cuda' if torch.cuda.is_available() else ''} can be had")
    plan = altered(PLANS[name], steps, seed)
    return Trainer(task(name), plan, device)


def draw_training(runs: dict[str, dict[str, Any]]) -> Drawing:
    """Draw the loss of each run against its steps: on what it learns from, and on what is held out."""
    drawing, axes_of = panels(len(runs), 1.8)
    for axes, (name, about) in zip(axes_of, runs.items(), strict=True):
        axes.plot(*np.array(about["curve"]).T, color="#0072B2", label="learned from, in training")
        axes.plot(*np.array(about["held out"]).T, color="#D55E00", ls="--", label="held out, averaged weights")
        axes.set(xlabel="step", ylabel=f"loss, {name}", yscale="log")
    legend_above(axes_of[0], 1)
    return drawing
