"""What the group computes once: the reconstructions of each test subject, and their quality."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.samplers.presets import Hyperparameters
from experiments.images.runs import generator
from related.mri.baselines import compressed_sensing
from related.mri.data import COUNT, slices, split
from related.mri.forward import Scan, measure
from related.mri.guidance import chosen, guidance_images
from related.mri.metrics import Quality, quality
from related.mri.reconstruction.settings import Settings
from related.mri.train import BUDGET, SAMPLER
from related.mri.trained import committed, prior_score
from related.mri.tuning import COMPARED
from related.mri.unrolled import seen
from verdicts.studies import Array, Cell, cell

DATA = tuple(f"nichart-t1-{subject:02d}" for subject in split().test)
ZERO_FILLED, SENSED, MODULE, GUIDED, UNGUIDED = (
    "zero-filled",
    "compressed sensing",
    "module",
    "guided",
    "unguided",
)
PARTS = ("", "-quarter")
"""Networks that learned from all training subjects, and from a quarter of them."""
SamplerChoice = tuple[str, int, Hyperparameters]
"""A sampler, its number of evaluations, its hyperparameters."""


class ScannedSubject(NamedTuple):
    """A test subject's slices: which, how many, how they were measured."""

    subject: int
    slices: int
    seed: int
    acceleration: int = 4


class Reconstruction(NamedTuple):
    """Images and their quality."""

    images: Array
    quality: Quality


def measured(case: ScannedSubject) -> tuple[Float[Tensor, "n 64 64"], Scan]:
    """Return true slices, evenly spaced from vertex to base, and their scan. A subject has a
    mask of its own.
    """
    rows = [int((number + 0.5) * COUNT / case.slices) for number in range(case.slices)]
    x = slices(case.subject)[rows]
    return x, measure(x, case.acceleration, 100 + case.subject, generator(case.seed, case.subject))


def judged(x: Float[Tensor, "n 64 64"], images: Float[Tensor, "n 64 64"]) -> Reconstruction:
    """Return images with their quality."""
    return Reconstruction(images.numpy(), quality(images, x))


@cell(data=DATA)
def truth(case: ScannedSubject) -> Array:
    """The true slices (n, 64, 64)."""
    return measured(case)[0].numpy()


@cell(data=DATA)
def sampled(
    case: ScannedSubject, sampler: str, budget: int, given: Hyperparameters, number: int = 0
) -> Reconstruction:
    """The preliminary guidance images that a sampler makes, in the run of a number."""
    x, scan = measured(case)
    draws = generator(case.seed, 1000 * (number + 1) + case.subject)
    return judged(x, guidance_images(prior_score(), scan, sampler, budget, given, draws))


@cell(data=DATA)
def sampled_quality(
    case: ScannedSubject, sampler: str, budget: int, given: Hyperparameters
) -> Quality:
    """The quality of the images that a sampler makes."""
    return sampled(case, sampler, budget, given).quality


@cell(data=DATA)
def between(case: ScannedSubject, sampler: str, budget: int, given: Hyperparameters) -> float:
    """The variance between two runs of a sampler, half the mean squared difference of their
    images.
    """
    one, other = (sampled(case, sampler, budget, given, number).images for number in (0, 1))
    return float(np.square(one - other).mean() / 2)


@cell(data=DATA)
def reconstructed(case: ScannedSubject, method: str) -> Reconstruction:
    """The reconstruction by a method that is no sampler; the guided ones begin from the
    sampler's images.
    """
    x, scan = measured(case)
    with torch.no_grad():
        return judged(x, _reconstruct(case, method, scan))


def _reconstruct(case: ScannedSubject, method: str, scan: Scan) -> Float[Tensor, "n 64 64"]:
    if method == ZERO_FILLED:
        return scan.b
    if method == SENSED:
        return compressed_sensing(scan)
    kind, part = method.split("-")[0], method.removeprefix(method.split("-")[0])
    if kind == UNGUIDED:
        return committed(method)(scan, scan.b)
    if kind == GUIDED:
        return committed(method)(
            scan, torch.from_numpy(reconstructed(case, MODULE + part).images.copy())
        )
    pgi = torch.from_numpy(
        sampled(case, SAMPLER, BUDGET, chosen()[SAMPLER][BUDGET][0]).images.copy()
    )
    return committed(method)(seen(pgi, prior_score(), scan))


def cases(settings: Settings, acceleration: int = 4) -> list[ScannedSubject]:
    """Return a case a test subject."""
    return [
        ScannedSubject(number, settings.slices, settings.seed, acceleration)
        for number in split().test
    ]


def runs(sampler: str, budget: int) -> list[SamplerChoice]:
    """Return what `sampled` is told of a sampler's runs, one for each choice of its
    hyperparameters.
    """
    return [(sampler, budget, given) for given in chosen()[sampler][budget]]


def compared(settings: Settings) -> list[tuple[str, int]]:
    """Return the samplers that are compared, with their numbers of evaluations."""
    return [(sampler, budget) for budget in settings.budgets for sampler in COMPARED[budget]]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and figures read."""
    for case in cases(settings):
        yield truth.cell(case)
        for sampler, budget in compared(settings):
            yield from (
                sampled_quality.cell(case, *one) for one in dict.fromkeys(runs(sampler, budget))
            )
        for sampler in COMPARED[100]:
            yield from (between.cell(case, *one) for one in dict.fromkeys(runs(sampler, BUDGET)))
        yield from (reconstructed.cell(case, method) for method in (ZERO_FILLED, SENSED))
        yield from (
            reconstructed.cell(case, kind + part)
            for part in PARTS
            for kind in (MODULE, UNGUIDED, GUIDED)
        )
        yield sampled.cell(case, *runs(SAMPLER, BUDGET)[0])
    for case in cases(settings, 8):
        yield sampled.cell(case, *runs(SAMPLER, BUDGET)[0])
        yield from (
            reconstructed.cell(case, method) for method in (SENSED, MODULE, UNGUIDED, GUIDED)
        )
