"""Training from settings to a file of networks, with the record of its training beside it.

Beside `NAME.safetensors`, `NAME.json` is the record: settings, sizes, the sha256 of graphs and file, CPU seconds since
the run was last resumed, versions, both losses in means of 100 steps and on unseen graphs. It is written last. An
unfinished run is in `NAME.state`.
"""

import json
import platform
import sys
import time
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
from verdicts.records.files import write_whole

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
        record["sha256"] = write(out, trainer.averaged.state_dict(), {"origin": record["origin"]})
        write_whole(out.with_suffix(".json"), json.dumps(record) + "\n")
        state.unlink(missing_ok=True)
    sys.stderr.write(f"{out}: written; {out.stem}.json holds its record\n")
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
