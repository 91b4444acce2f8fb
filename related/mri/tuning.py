"""Two independent choices of each sampler's hyperparameters, on slices and masks of the development
subjects alone.

The least mean squared error decides among all that `GRIDS` has: the step's factor with the steps
per noise level of annealed samplers, the exponent of the noise levels of those of one step per
noise level. All that are compared try equally many points, 24 at 30 evaluations and 36 at 100, on
the same slices, with the same masks and noise. The second choice repeats the first on other slices,
with other masks and noise: what is measured is averaged over both.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ams.samplers import NonFiniteState, Score
from ams.samplers.presets import SPECS, Family, Hyperparameters
from experiments.images.runs import generator
from related.mri.data import slices, split
from related.mri.forward import Scan, measure
from related.mri.guidance import HELD_OUT_MASKS, guidance_images, hyperparameters
from related.mri.metrics import squared_errors
from verdicts.records.files import write_whole

SAMPLERS = (
    "annealed Langevin",
    "adaptive momentum",
    "adaptive, noise corrected",
    "annealed BAOAB, tapered",
)
COMPARED = {30: SAMPLERS, 100: SAMPLERS[:2]}
"""The samplers that are compared, by score evaluations."""
GRIDS: Mapping[str, tuple[float, ...]] = {
    "factor": (2.0, 3.0, 4.0, 6.0, 9.0, 13.0),
    "repeats": (1, 2, 4, 8, 16, 32),
    "rho": (*(round(1.25**k, 2) for k in range(23)), 0.0),
}
"""What is tried, `repeats` where they leave three noise levels; `rho` 0 stands for geometric noise
levels, the limit of large exponents.
"""
NATURAL = (("repeats", 1), ("rho", 0.0))
"""Ends of grids that are not the grid's making: fewer steps or a larger exponent there is not."""
DIVERGED = 1e6
ACCELERATION, EVERY = 4, 30
"""The acceleration that is tuned at, and every which slice of a subject."""
CHOICES = {1: (EVERY // 2, (*HELD_OUT_MASKS, 0)), 2: (EVERY // 4, (8, 9, 10))}
"""The first slice of each choice, and the seed of each development subject's mask."""


def points(sampler: str, budget: int) -> list[dict[str, float]]:
    """Return what is tried for a sampler at a number of evaluations."""
    if SPECS[sampler].family is not Family.ANNEALED:
        return [{"rho": rho} for rho in GRIDS["rho"]]
    grid = product(GRIDS["factor"], GRIDS["repeats"])
    return [
        {"factor": factor, "repeats": repeats} for factor, repeats in grid if 3 * repeats < budget
    ]


@cache
def scans(choice: int) -> list[tuple[Tensor, Scan]]:
    """Return a choice's development slices and their scans, a subject each."""
    pairs, (first, masks) = [], CHOICES[choice]
    for subject, mask in zip(split().develop, masks, strict=True):
        x = slices(subject)[first::EVERY]
        pairs.append((x, measure(x, ACCELERATION, mask, generator(10 * choice - 6, subject))))
    return pairs


def tune(prior: Score, out: Path) -> int:
    """Write both choices of every sampler and budget compared, with the errors of all that was
    tried; returns 0.
    """
    held: dict[str, Any] = {"chosen": {}, "nmse": {}}
    cases = [(sampler, budget) for budget, samplers in COMPARED.items() for sampler in samplers]
    for choice, (sampler, budget) in product(CHOICES, cases):
        tried = points(sampler, budget)
        nmse = [_error(prior, choice, sampler, budget, hyperparameters(values)) for values in tried]
        best, errors = (
            tried[int(np.argmin(nmse))],
            {_named(v): round(e, 6) for v, e in zip(tried, nmse, strict=True)},
        )
        for kind, value in (("chosen", best), ("nmse", errors)):
            held[kind].setdefault(sampler, {}).setdefault(str(budget), {})[str(choice)] = value
        sys.stdout.write(
            f"{sampler}, {budget}, choice {choice}: {_named(best)}, NMSE {min(nmse):.5f}\n"
        )
        sys.stdout.flush()
    write_whole(out, f"{json.dumps(held, indent=1)}\n".encode())
    return 0


def _named(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _error(prior: Score, choice: int, sampler: str, budget: int, given: Hyperparameters) -> float:
    """Return the mean NMSE of a choice's slices, at most `DIVERGED`, which is also that of a run
    that has no end.
    """
    errors = []
    try:
        for number, (x, scan) in enumerate(scans(choice)):
            draws = generator(10 * choice - 5, number)
            errors.append(
                squared_errors(
                    guidance_images(prior, scan, sampler, budget, given, draws), x
                ).mean()
            )
    except NonFiniteState:
        return DIVERGED
    return float(np.nanmin([np.mean(errors), DIVERGED]))
