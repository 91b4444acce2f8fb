"""MNIST's 10,000 test images as an exact target, where the file can be had: claims M1 and M2."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ams.data import images as load
from experiments.images import comparison
from experiments.images.comparison import misfit, temperature
from experiments.images.exact import ImageTarget, Results, Settings, image_target, run_all
from experiments.images.features import pooled
from experiments.images.features.extractors import digit_features
from experiments.images.features.pooled import Entry, Pooled
from experiments.images.features.scores import Judge
from experiments.images.runs import denoised
from verdicts import Figure, Measurement, Table, check

__all__ = ["Settings"]

_CLAIMS = ("M1", "M2")
_COMPARED = 1000  # of the law's images, as reference in features
_NOTE = " Denoised by their exact score, samples are copies of the law's images: what can differ is which."


@cache
def images() -> ImageTarget:
    """Return the test images as a target. Raises DataUnavailable where the file cannot be had."""
    return image_target(load("mnist-test"))


class Found(NamedTuple):
    """Of every sampler, budget and batch: the errors, and the features of the denoised samples."""

    errors: Results
    features: dict[tuple[str, int], list[Tensor]]


@cache
def runs(settings: Settings) -> Found:
    """Run everything; computed once for all checks, figures and tables."""
    extractor, subject = digit_features("mnist-classifier"), images().subject(settings.last_sigma)
    features: dict[tuple[str, int], list[Tensor]] = {}

    def seen(name: str, budget: int, x: Tensor) -> None:
        features.setdefault((name, budget), []).append(extractor(denoised(subject, x)))

    return Found(run_all(settings, images(), seen), features)


def results(settings: Settings) -> Results:
    """Return the errors of every sampler, budget and batch."""
    return runs(settings).errors


@check("M1.speed_up")
def adaptive_needs_fewer_evaluations(settings: Settings) -> Measurement:
    """Return annealed Langevin's evaluations over adaptive momentum's, at its second budget and equal misfit."""
    budget = sorted(settings.budgets)[1]
    found = results(settings)
    return comparison.speed_up(found, settings, "adaptive momentum", "annealed Langevin", budget, misfit)


@check("M2.adaptive")
def adaptive_cools(settings: Settings) -> Measurement:
    """Return adaptive momentum's temperature at the largest budget."""
    return comparison.level_of(
        results(settings), settings, "adaptive momentum", max(settings.budgets + settings.long), temperature
    )


@check("M2.langevin")
def langevin_does_not_cool(settings: Settings) -> Measurement:
    """Return annealed Langevin's temperature at the largest budget: the control."""
    return comparison.level_of(
        results(settings), settings, "annealed Langevin", max(settings.budgets + settings.long), temperature
    )


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors against the budget, and grids of samples."""
    what = "MNIST test images (28 x 28)"
    return comparison.figures(results(settings), settings, images(), folder, "mnist", what, _CLAIMS)


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures."""
    found = results(settings)
    return [
        comparison.table(found, settings, "mnist", _CLAIMS),
        comparison.speeds(found, settings, "mnist_speed", _CLAIMS),
        *pooled.tables(in_features(settings), "mnist", comparison.CONFIDENCE, _CLAIMS, _NOTE),
    ]


def in_features(settings: Settings) -> list[Pooled]:
    """Return every run, the law's own draws first, judged in the classifier's features against the law's images."""
    reference = load("mnist-test").x[:_COMPARED]
    judge = Judge(digit_features("mnist-classifier"), f"first {len(reference)} MNIST test images", reference)
    entries = [Entry(name, "defaults", nfe, sets) for (name, nfe), sets in runs(settings).features.items()]
    return pooled.judged(judge, entries, comparison.CONFIDENCE)
