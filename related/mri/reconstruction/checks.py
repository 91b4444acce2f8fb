"""N4 to N4k: who reconstructs test subjects with the smaller error. Subjects are the units, slices are averaged."""

import json
from collections.abc import Callable

import numpy as np
import torch

from ams.statistics import CONFIDENCE
from ams.statistics.tuning import optima_on_edge
from ams_suite.measures import geometric_mean_ratio, largest, mean_of, over_choices
from related.mri.data import SIDE, split
from related.mri.forward import adjoint, forward, row_mask, sensitivities
from related.mri.guidance import ACCELERATIONS, TUNED
from related.mri.reconstruction import study
from related.mri.reconstruction.settings import Settings
from related.mri.reconstruction.study import (
    FLAIR,
    GUIDED,
    MODULE,
    T1,
    UNGUIDED,
    Reconstruction,
    SamplerChoice,
    ScannedSubject,
)
from related.mri.train import BUDGET, SAMPLER
from related.mri.tuning import GRIDS, NATURAL, SAMPLERS
from verdicts import Measurement, Unavailable

LANGEVIN, ADAPTIVE, CORRECTED, KINETIC = SAMPLERS
PGI = "PGI"


def outcomes(settings: Settings, method: str, acceleration: int = 4, sequence: str = T1) -> list[Reconstruction]:
    """Return what a method makes of each test subject; `PGI` is the sampler's image."""
    given = study.cases(settings, acceleration, sequence)
    if method == PGI:
        return [study.sampled(case, *study.runs(SAMPLER, BUDGET)[0]) for case in given]
    return [study.reconstructed(case, method) for case in given]


def psnr(settings: Settings, method: str, acceleration: int = 4, sequence: str = T1) -> np.ndarray:
    """Return each subject's PSNR in dB, the mean over slices."""
    return np.array([each.quality.psnr.mean() for each in outcomes(settings, method, acceleration, sequence)])


def _gain(settings: Settings, values: np.ndarray) -> Measurement:
    """Return the mean of a difference over subjects, in dB."""
    named = {f"subject {subject}": float(value) for subject, value in zip(split().test, values, strict=True)}
    return mean_of(list(values), CONFIDENCE, settings.seed, settings.slices, "dB", **named)


def sampler_ratio(settings: Settings, sampler: str, budget: int) -> Measurement:
    """Return a sampler's NMSE over annealed Langevin's, the geometric mean over subjects and choices."""
    if budget not in settings.budgets:
        raise Unavailable(f"{budget} evaluations are none of this profile's budgets")
    return _over_choices(settings, sampler, budget, lambda case, run: study.sampled_quality(case, *run).nmse.mean())


def _over_choices(
    settings: Settings, sampler: str, budget: int, value: Callable[[ScannedSubject, SamplerChoice], float]
) -> Measurement:
    """Return a sampler's value over annealed Langevin's, the geometric mean over subjects, with both choices."""
    ratios = []
    for pair in zip(study.runs(sampler, budget), study.runs(LANGEVIN, budget), strict=True):
        ours, theirs = ([float(value(case, run)) for case in study.cases(settings)] for run in pair)
        ratios.append(geometric_mean_ratio(ours, theirs, CONFIDENCE, settings.seed))
    return over_choices(ratios)


def variance_between_runs(settings: Settings) -> Measurement:
    """Measure the variance between two runs of adaptive momentum over that of annealed Langevin, at 30 evaluations."""
    return _over_choices(settings, ADAPTIVE, BUDGET, lambda case, run: study.between(case, *run))


def gain(settings: Settings, method: str, over: str, acceleration: int = 4) -> Measurement:
    """Return the PSNR of a method less that of another one on T1 (dB)."""
    return _gain(settings, psnr(settings, method, acceleration) - psnr(settings, over, acceleration))


def growth_of_the_advantage_with_less_training(settings: Settings) -> Measurement:
    """Measure what guidance adds with a quarter of the training subjects less what it adds with all, 4x, T1."""
    few, whole = (psnr(settings, GUIDED + part) - psnr(settings, UNGUIDED + part) for part in ("-quarter", ""))
    return _gain(settings, few - whole)


def excess_loss_of_the_prior_out_of_distribution(settings: Settings) -> Measurement:
    """Measure the PSNR that the PGI loses from T1 to FLAIR less what the guided network loses, 4x."""
    lost = [psnr(settings, method) - psnr(settings, method, 4, FLAIR) for method in (PGI, GUIDED)]
    return _gain(settings, lost[0] - lost[1])


def undetermined_error_after_the_module(settings: Settings) -> Measurement:
    """Measure the squared error in undetermined directions after the denoising module over that before it, 4x, T1."""
    after, before = (
        [float(each.undetermined.mean()) for each in outcomes(settings, method)] for method in (MODULE, PGI)
    )
    return geometric_mean_ratio(after, before, CONFIDENCE, settings.seed)


def error_of_the_adjoint(settings: Settings) -> Measurement:
    """Measure `|<A x, y> - <x, A^H y>| / |<A x, y>|` at its largest, random complex x and y, float64."""
    draws = torch.Generator().manual_seed(settings.seed)
    errors = [_adjoint_error(acceleration, seed, draws) for acceleration in ACCELERATIONS for seed in range(10)]
    return largest(errors, settings.seed)


def _adjoint_error(acceleration: int, seed: int, draws: torch.Generator) -> float:
    mask, coils = row_mask(SIDE, acceleration, seed), sensitivities(SIDE)
    shapes = (1, SIDE, SIDE), (1, len(coils), SIDE, SIDE)
    x, y = (torch.randn(shape, dtype=torch.complex128, generator=draws) for shape in shapes)
    one = torch.vdot(forward(x, mask, coils).flatten(), y.flatten())
    other = torch.vdot(x.flatten(), adjoint(y, mask, coils).flatten())
    return float((one - other).abs() / one.abs())


def subjects_on_two_sides(settings: Settings) -> Measurement:
    """Count the subjects that are in two of training, development and test, and those in none."""
    train, develop, test = map(set, split())
    shared = len(train & develop) + len(train & test) + len(develop & test)
    return Measurement(value=float(shared + abs(23 - len(train | develop | test))), n=23)


def tuned_optima_on_an_edge(settings: Settings) -> Measurement:
    """Count the chosen hyperparameters that are at an end of what was tried."""
    listed = json.loads(TUNED.read_text(encoding="utf-8"))["chosen"]
    best = {
        f"{sampler}, {budget}, choice {choice}": values
        for sampler, each in listed.items()
        for budget, choices in each.items()
        for choice, values in choices.items()
    }
    edges = optima_on_edge(GRIDS, best, NATURAL)
    return Measurement(value=float(len(edges)), n=len(best), detail={"on an edge": "; ".join(edges)})
