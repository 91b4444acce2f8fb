"""Training from settings to a file of networks, with the record and the figure of its training beside it.

Beside `NAME.safetensors`, `NAME.png` (and `.svg`, `.pdf`) shows the losses, and `NAME.json` is the record: settings,
sizes, the sha256 of graphs and file, CPU seconds since the run was last resumed, versions, both losses in means of 100
steps and on unseen graphs. It is written last: where it is, the others are. An unfinished run is in `NAME.state`.
"""

import json
import platform
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ams.errors import UserError
from experiments import training
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.training import Denoising, plan_of
from experiments.weights import write
from samplercheck.sampler import one_thread
from verdicts import save_figure
from verdicts.records.files import write_whole
from verdicts.run.drawing import drawing_style

ROOT = Path(__file__).resolve().parents[2]
BIN = 100
"""Steps of which the record holds the mean."""
PACKAGES = ("torch", "numpy", "networkx", "safetensors")


def train(config: TrainConfig, out: Path, resume: bool) -> int:
    """Train, write `out` and the files beside it, and return 0.

    Raises UserError: for a name of another ending, a run that is in the way or cannot be resumed, and as
    `experiments.training.writing`.
    """
    if out.suffix != ".safetensors":
        raise UserError(f"{out}: the file of networks must end in .safetensors")
    with training.writing(out, resume), one_thread():
        task, state, begin = Denoising(config), out.with_suffix(".state"), time.process_time()
        trainer = training.Trainer(task, plan_of(config))
        with training.progress_bar(config.steps, "train") as report:
            training.fit(trainer, state, resume, report)
        record = record_of(task, trainer) | {"cpu_seconds": round(time.process_time() - begin, 1)}
        draw(record, out)
        record["sha256"] = write(out, trainer.averaged.state_dict(), {"origin": record["origin"]})
        write_whole(out.with_suffix(".json"), json.dumps(record) + "\n")
        state.unlink(missing_ok=True)
    sys.stderr.write(f"{out}: written; {out.stem}.json and .png hold its record\n")
    return 0


def record_of(task: Denoising, trainer: training.Trainer) -> dict[str, Any]:
    """Return the record of a finished run, as JSON has it."""
    held_out = task.held_out(trainer.averaged, trainer.device).tolist()
    means = [np.mean(part, axis=0) for part in np.array_split(trainer.curve, range(BIN, trainer.done, BIN))]
    curves = np.round(means, 5).T.tolist()
    return {
        "origin": task.settings.model_dump(mode="json"),
        "bin": BIN,
        "losses": dict(zip(task.parts, curves, strict=True)),
        "held_out": dict(zip(task.parts, np.round(held_out, 5).tolist(), strict=True)),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def draw(record: Mapping[str, Any], out: Path) -> None:
    """Draw the losses of a record beside `out`."""
    with drawing_style(ROOT):
        from matplotlib import pyplot, ticker

        drawing, axes = pyplot.subplots()
        for number, (name, values) in enumerate(record["losses"].items()):
            steps = record["bin"] * (np.arange(len(values)) + 0.5)
            (line,) = axes.plot(steps, values, linewidth=1.2, linestyle=("-", "--")[number], label=name)
            axes.axhline(record["held_out"][name], color=line.get_color(), linestyle=":", linewidth=1.0)
        axes.set(xlabel="step", ylabel="mean square error of the noise", yscale="log")
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0)))
        axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(ticker.NullLocator())
        axes.set_title(f"Training loss, means of {record['bin']} steps (1: no skill)")
        axes.plot([], [], color="0.4", ls=":", lw=1.0, label="at the end: averaged weights, unseen graphs")
        axes.legend()
        save_figure(drawing, out.parent, out.stem, "Losses of the training.")
