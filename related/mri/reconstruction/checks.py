"""N4, N4c, N4e: whose error on test subjects is smaller. Subjects are the units, not slices."""

from collections.abc import Callable

import numpy as np

from ams.statistics import CONFIDENCE
from ams_suite.measures import geometric_mean_ratio, mean_of, over_choices
from related.mri.data import split
from related.mri.reconstruction import study
from related.mri.reconstruction.settings import Settings
from related.mri.reconstruction.study import (
    GUIDED,
    UNGUIDED,
    Reconstruction,
    SamplerChoice,
    ScannedSubject,
)
from related.mri.train import BUDGET, SAMPLER
from related.mri.tuning import SAMPLERS
from verdicts import Measurement, Unavailable

LANGEVIN, ADAPTIVE, CORRECTED, KINETIC = SAMPLERS
PGI = "PGI"


def outcomes(settings: Settings, method: str, acceleration: int = 4) -> list[Reconstruction]:
    """Return what a method makes of each test subject; `PGI` is the sampler's image."""
    given = study.cases(settings, acceleration)
    if method == PGI:
        return [study.sampled(case, *study.runs(SAMPLER, BUDGET)[0]) for case in given]
    return [study.reconstructed(case, method) for case in given]


def psnr(settings: Settings, method: str, acceleration: int = 4) -> np.ndarray:
    """Return each subject's PSNR in dB, the mean over slices."""
    return np.array([each.quality.psnr.mean() for each in outcomes(settings, method, acceleration)])


def _gain(settings: Settings, values: np.ndarray) -> Measurement:
    """Return the mean of a difference over subjects, in dB."""
    named = {
        f"subject {subject}": float(value)
        for subject, value in zip(split().test, values, strict=True)
    }
    return mean_of(list(values), CONFIDENCE, settings.seed, settings.slices, "dB", **named)


def sampler_ratio(settings: Settings, sampler: str, budget: int) -> Measurement:
    """Return a sampler's NMSE over annealed Langevin's, the geometric mean over subjects and
    choices.
    """
    if budget not in settings.budgets:
        raise Unavailable(f"{budget} evaluations are none of this profile's budgets")
    return _over_choices(
        settings, sampler, budget, lambda case, run: study.sampled_quality(case, *run).nmse.mean()
    )


def _over_choices(
    settings: Settings,
    sampler: str,
    budget: int,
    value: Callable[[ScannedSubject, SamplerChoice], float],
) -> Measurement:
    """Return a sampler's value over annealed Langevin's, the geometric mean over subjects, with
    both choices.
    """
    ratios = []
    for pair in zip(study.runs(sampler, budget), study.runs(LANGEVIN, budget), strict=True):
        ours, theirs = ([float(value(case, run)) for case in study.cases(settings)] for run in pair)
        ratios.append(geometric_mean_ratio(ours, theirs, CONFIDENCE, settings.seed))
    return over_choices(ratios)


def variance_between_runs(settings: Settings) -> Measurement:
    """Measure the variance between two runs of adaptive momentum over that of annealed Langevin,
    at 30 evaluations.
    """
    return _over_choices(settings, ADAPTIVE, BUDGET, lambda case, run: study.between(case, *run))


def gain(settings: Settings, method: str, over: str, acceleration: int = 4) -> Measurement:
    """Return the PSNR of a method less that of another one on T1 (dB)."""
    return _gain(
        settings, psnr(settings, method, acceleration) - psnr(settings, over, acceleration)
    )


def growth_of_the_advantage_with_less_training(settings: Settings) -> Measurement:
    """Measure what guidance adds with a quarter of the training subjects less what it adds with
    all, 4x, T1.
    """
    few, whole = (
        psnr(settings, GUIDED + part) - psnr(settings, UNGUIDED + part) for part in ("-quarter", "")
    )
    return _gain(settings, few - whole)
