"""The choice of each sampler's hyperparameters, on slices and masks of the development subjects alone.

One hyperparameter after the other is set to the value of the least mean squared error, twice around, from `START`: the
step's factor, the steps per noise level and the first noise level of annealed samplers, the exponent of the noise
levels and the first one of those of one step per noise level. Every sampler has the same slices, masks and noise.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from ams.samplers import NonFiniteState, Score
from ams.samplers.presets import SPECS, Family, Hyperparameters
from experiments.images.runs import generator
from experiments.mri.data import slices, split
from experiments.mri.forward import Scan, measure
from experiments.mri.guidance import HELD_OUT_MASKS, Choice, guidance_images
from experiments.mri.metrics import quality
from verdicts.records.files import write_whole

SAMPLERS = ("annealed Langevin", "adaptive momentum", "adaptive, noise corrected", "annealed BAOAB, tapered")
GRIDS: Mapping[str, tuple[float, ...]] = {
    "factor": (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0),
    "repeats": (1, 2, 3, 5),
    "rho": (0.0, 1.0, 3.0, 7.0),
    "first": (0.15, 0.25, 0.5, 1.0, 2.0),
}
"""What is tried of each hyperparameter."""
NATURAL = (("repeats", 1), ("rho", 0.0))
"""Ends of grids that are not the grid's making: fewer steps or a smaller exponent there is not."""
START = {"factor": 4.0, "repeats": 2, "rho": 0.0, "first": 1.0}
ACCELERATION, EVERY = 4, 30
"""The acceleration that is tuned at, and every which slice of a subject."""


def choose(tried: Mapping[str, tuple[float, ...]], error: Callable[[Mapping[str, float]], float]) -> dict[str, float]:
    """Return the values of least error, one name after the other, twice around."""
    values = {name: START[name] for name in tried}
    for name in (*tried, *tried):
        values[name] = min(tried[name], key=lambda value: error({**values, name: value}))
    return values


def grids(sampler: str) -> dict[str, tuple[float, ...]]:
    """Return what is tried for a sampler."""
    names = ("factor", "repeats", "first") if SPECS[sampler].family is Family.ANNEALED else ("rho", "first")
    return {name: GRIDS[name] for name in names}


def choice(values: Mapping[str, float]) -> Choice:
    """Return hyperparameters and first noise level of named values."""
    whole = {name: int(value) if name == "repeats" else value for name, value in values.items() if name != "first"}
    return Choice(Hyperparameters(**whole), values["first"])  # type: ignore[arg-type]


def scans() -> list[tuple[Tensor, Scan]]:
    """Return development slices and their scans, a subject each."""
    pairs = []
    for subject, mask in zip(split().develop, (*HELD_OUT_MASKS, 0), strict=True):
        x = slices(subject)[EVERY // 2 :: EVERY]
        pairs.append((x, measure(x, ACCELERATION, mask, generator(4, subject))))
    return pairs


def tune(prior: Score, budgets: tuple[int, ...], out: Path) -> int:
    """Write the choices of every sampler and budget, with the errors of all that was tried; returns 0."""
    given, chosen, tried = scans(), dict[str, dict[str, dict[str, float]]](), dict[str, dict[str, float]]()
    for sampler in SAMPLERS:
        for budget in budgets:
            seen = tried[f"{sampler}, {budget}"] = {}

            def error(values: Mapping[str, float], sampler: str = sampler, budget: int = budget) -> float:
                key = ", ".join(f"{name} {value:g}" for name, value in values.items())
                if key not in seen:  # noqa: B023 (called at once)
                    seen[key] = _error(prior, given, sampler, budget, choice(values))  # noqa: B023
                return seen[key]  # noqa: B023

            best = choose(grids(sampler), error)
            chosen.setdefault(sampler, {})[str(budget)] = best
            sys.stdout.write(f"{sampler}, {budget}: {best}, NMSE {min(seen.values()):.5f}\n")
            sys.stdout.flush()
    about = {"chosen": chosen, "nmse": {case: {k: round(v, 6) for k, v in e.items()} for case, e in tried.items()}}
    write_whole(out, f"{json.dumps(about, indent=1)}\n".encode())
    return 0


def _error(prior: Score, given: list[tuple[Tensor, Scan]], sampler: str, budget: int, chosen: Choice) -> float:
    """Return the mean NMSE of development slices; 1e9 for a run that diverges or has no noise level to go to."""
    errors = []
    for number, (x, scan) in enumerate(given):
        try:
            images = guidance_images(prior, scan, sampler, budget, chosen, generator(5, number))
        except (NonFiniteState, ValueError, ZeroDivisionError):
            return 1e9
        errors.append(quality(images, x).nmse.mean())
    return float(np.mean(errors))
