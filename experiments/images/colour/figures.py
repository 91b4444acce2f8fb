"""The group's table."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

from ams.errors import DataUnavailable
from ams.statistics import CONFIDENCE, mean_interval
from ams_suite.drawn import tabled
from experiments.images.colour import study
from experiments.images.colour.settings import CIFAR, Settings
from experiments.images.features.scores import HEADER, row
from verdicts import Table
from verdicts.records.figures import TableCell


def tables(settings: Settings) -> list[Table]:
    """Return every distance that can be had, with its conditions."""
    lacking = [name for name in settings.also if name not in study.available(settings)]
    also = "".join(f" No rows in the features of {name}, which cannot be had here." for name in lacking)
    values: dict[str, Any] = {"confidence": f"{CONFIDENCE:.1%}", "batch": settings.batch, "also": also}
    return [tabled(colour, HEADER, ("X0", "X1", "X2", "X3", "X4"), settings, **values)]


def colour(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Colour images: means over batches with {confidence} Student intervals. The kernel distance has no bias at any n.
    The Fréchet distance has one that no number of batches takes away: of {batch} samples the covariance has a rank
    below {batch}, however many features there are. It compares rows of equal n, and no published FID, which is that of
    50,000 samples; nor do coverages of different n compare.{also}
    """
    for problem in (CIFAR, *settings.networks):
        with suppress(DataUnavailable):  # its claims say so
            yield from _rows(settings, problem)


def _rows(settings: Settings, problem: str) -> Iterator[tuple[TableCell, ...]]:
    setup = study.setup_of(settings, problem)
    for features, sampler, budget in product(setup.features, settings.samplers, settings.budgets):
        scores = [batch.scores[features] for batch in study.batches(settings, problem, sampler, budget)]
        conditions = study.judge(setup.reference, setup.compared, features).conditions(setup.size)
        for quantity in ("frechet", "kernel", "coverage"):
            interval = mean_interval([getattr(one, quantity) for one in scores], CONFIDENCE)
            yield row(f"{problem}: {sampler}", budget, quantity, interval, conditions)
