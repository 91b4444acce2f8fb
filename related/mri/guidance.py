"""Guidance images: posterior samples by the suite's samplers, and examples of them that networks
learn from.

A preliminary guidance image (PGI) is the denoised end of one run from pure noise. Slices of one
subject run as one batch. Hyperparameters are those of `tuned.json`, chosen twice on the development
subjects; examples have those of the first choice.
"""

import json
from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ams.samplers import Score
from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from experiments.images.runs import Problem, chosen_values, denoised, generator, run
from related.mri.data import slices, split
from related.mri.forward import Scan, measure
from related.mri.posterior import posterior_score
from related.mri.tasks import augmented
from related.mri.unrolled import seen

ACCELERATIONS = (4, 8)
MASKS, HELD_OUT_MASKS = range(6), range(6, 8)
"""Seeds of the masks that networks learn with, and of those on which settings are chosen; tests
draw others.
"""
SIGMAS = SigmaRange(1.0, 0.01)
"""Noise levels of every run: from six times the spread of pixels to the noise of k-space."""
TUNED = Path(__file__).parent / "tuned.json"


@cache
def chosen() -> dict[str, dict[int, tuple[Hyperparameters, ...]]]:
    """Return both choices for each sampler and number of evaluations."""
    listed = json.loads(TUNED.read_text(encoding="utf-8"))["chosen"]
    return {
        sampler: {
            int(budget): tuple(map(hyperparameters, choices.values()))
            for budget, choices in budgets.items()
        }
        for sampler, budgets in listed.items()
    }


def hyperparameters(values: Mapping[str, float]) -> Hyperparameters:
    """Return the hyperparameters that have these values."""
    return chosen_values(Hyperparameters(), values)


def guidance_images(
    prior: Score,
    scan: Scan,
    sampler: str,
    budget: int,
    choice: Hyperparameters,
    draws: torch.Generator,
) -> Float[Tensor, "n 64 64"]:
    """Return a PGI of each slice of a scan, in at most `budget` evaluations, the last denoising
    among them.

    Raises NonFiniteState where the run diverges.
    """
    problem = Problem(posterior_score(prior, scan), (64, 64), SIGMAS)
    outcome = run(problem, SPECS[sampler], budget - 1, choice, len(scan.b), draws)
    return denoised(problem, outcome.x)


class Examples(NamedTuple):
    """Slices of one mask: truth, scan, what the denoising module sees, and whose they are."""

    x: Float[Tensor, "n 64 64"]
    scan: Scan
    seen: Float[Tensor, "n 3 64 64"]
    subject: Int[Tensor, " n"]

    def at(self, rows: Tensor) -> "Examples":
        """Return the examples of some rows, which a mask or numbers name."""
        return Examples(
            self.x[rows],
            self.scan._replace(b=self.scan.b[rows]),
            self.seen[rows],
            self.subject[rows],
        )


def kinds(held_out: bool) -> dict[str, tuple[int, int]]:
    """Return acceleration and seed of each mask of the examples, by the name that these have in
    their file.
    """
    pairs = product(ACCELERATIONS, HELD_OUT_MASKS if held_out else MASKS)
    return {f"{acceleration}.{mask}": (acceleration, mask) for acceleration, mask in pairs}


def examples(prior: Score, sampler: str, budget: int, held_out: bool) -> list[Examples]:
    """Return examples, one entry a mask: of all training slices, each once and moved, or of
    development subjects.
    """
    subjects = split().develop if held_out else split().train
    draws = generator(18, int(held_out))
    x = torch.cat([slices(subject)[:: 3 if held_out else 1] for subject in subjects])
    owner = torch.tensor(subjects).repeat_interleave(len(x) // len(subjects))
    order = torch.randperm(len(x), generator=draws)
    x = x[order] if held_out else augmented(x[order], draws)
    masks, made = kinds(held_out).values(), []
    parts = zip(
        x.tensor_split(len(masks)), owner[order].tensor_split(len(masks)), masks, strict=True
    )
    for part, whose, kind in parts:
        scan = measure(part, *kind, draws)
        pgi = guidance_images(prior, scan, sampler, budget, chosen()[sampler][budget][0], draws)
        made.append(Examples(part, scan, seen(pgi, prior, scan), whose))
    return made
