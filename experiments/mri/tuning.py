"""The choice of each sampler's hyperparameters, on slices and masks of the development subjects alone.

The least mean squared error decides among all that `GRIDS` has: the step's factor with the steps per noise level of
annealed samplers, the exponent of the noise levels of those of one step per noise level. Every sampler has the same
slices, masks and noise.
"""

import json
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
from torch import Tensor

from ams.samplers import NonFiniteState, Score
from ams.samplers.presets import SPECS, Family, Hyperparameters
from experiments.images.runs import generator
from experiments.mri.data import slices, split
from experiments.mri.forward import Scan, measure
from experiments.mri.guidance import HELD_OUT_MASKS, guidance_images, hyperparameters
from experiments.mri.metrics import squared_errors
from verdicts.records.files import write_whole

SAMPLERS = ("annealed Langevin", "adaptive momentum", "adaptive, noise corrected", "annealed BAOAB, tapered")
GRIDS: Mapping[str, tuple[float, ...]] = {
    "factor": (1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 13.0, 20.0),
    "repeats": (1, 2, 4, 8),
    "rho": (0.0, 1.0, 3.0, 7.0, 15.0),
}
"""What is tried of each hyperparameter."""
NATURAL = (("repeats", 1), ("rho", 0.0))
"""Ends of grids that are not the grid's making: fewer steps or a smaller exponent there is not."""
DIVERGED = 1e6
ACCELERATION, EVERY = 4, 30
"""The acceleration that is tuned at, and every which slice of a subject."""


def grids(sampler: str) -> dict[str, tuple[float, ...]]:
    """Return what is tried for a sampler."""
    names = ("factor", "repeats") if SPECS[sampler].family is Family.ANNEALED else ("rho",)
    return {name: GRIDS[name] for name in names}


def scans() -> list[tuple[Tensor, Scan]]:
    """Return development slices and their scans, a subject each."""
    pairs = []
    for subject, mask in zip(split().develop, (*HELD_OUT_MASKS, 0), strict=True):
        x = slices(subject)[EVERY // 2 :: EVERY]
        pairs.append((x, measure(x, ACCELERATION, mask, generator(4, subject))))
    return pairs


def tune(prior: Score, budgets: tuple[int, ...], out: Path) -> int:
    """Write the choices of every sampler and budget, with the errors of all that was tried; returns 0."""
    given, chosen, errors = scans(), dict[str, dict[str, dict[str, float]]](), dict[str, dict[str, float]]()
    for sampler, budget in product(SAMPLERS, budgets):
        tried = [dict(zip(grids(sampler), values, strict=True)) for values in product(*grids(sampler).values())]
        nmse = [_error(prior, given, sampler, budget, hyperparameters(values)) for values in tried]
        best = tried[int(np.argmin(nmse))]
        chosen.setdefault(sampler, {})[str(budget)] = best
        errors[f"{sampler}, {budget}"] = {_named(v): round(e, 6) for v, e in zip(tried, nmse, strict=True)}
        sys.stdout.write(f"{sampler}, {budget}: {_named(best)}, NMSE {min(nmse):.5f}\n")
        sys.stdout.flush()
    write_whole(out, f"{json.dumps({'chosen': chosen, 'nmse': errors}, indent=1)}\n".encode())
    return 0


def _named(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _error(prior: Score, given: list[tuple[Tensor, Scan]], sampler: str, budget: int, chosen: Hyperparameters) -> float:
    """Return the mean NMSE of development slices, at most `DIVERGED`, which is also that of a run that has no end."""
    try:
        images = [
            guidance_images(prior, scan, sampler, budget, chosen, generator(5, number))
            for number, (_, scan) in enumerate(given)
        ]
    except NonFiniteState:
        return DIVERGED
    errors = [squared_errors(made, x).mean() for made, (x, _) in zip(images, given, strict=True)]
    return float(np.nanmin([np.mean(errors), DIVERGED]))
