"""The group's table."""

from collections.abc import Iterator
from itertools import product

from ams.errors import DataUnavailable
from ams.statistics import CONFIDENCE, mean_interval
from experiments.images.colour import study
from experiments.images.colour.settings import CIFAR, Settings
from experiments.images.features.scores import HEADER, row
from verdicts import Table
from verdicts.records.figures import Cell


def tables(settings: Settings) -> list[Table]:
    """Return every distance that can be had, with its conditions."""
    caption = (
        f"Colour images: means over batches with {CONFIDENCE:.1%} Student intervals. The kernel distance has no bias "
        f"at any n. The Fréchet distance has one that no number of batches takes away: of {settings.batch} samples "
        f"the covariance has a rank below {settings.batch}, however many features there are. It compares rows of "
        "equal n, and no published FID, which is that of 50,000 samples; nor do coverages of different n compare."
    )
    for name in settings.also:
        had = name in study.available(settings)
        caption += "" if had else f" No rows in the features of {name}, which cannot be had here."
    rows: list[tuple[Cell, ...]] = []
    for problem in (CIFAR, *settings.networks):
        try:
            rows += _rows(settings, problem)
        except DataUnavailable:
            continue  # its claims say so
    claims = ("X0", "X1", "X2", "X3", "X4")
    return [Table(id="colour", caption=caption, header=HEADER, rows=tuple(rows), claims=claims)]


def _rows(settings: Settings, problem: str) -> Iterator[tuple[Cell, ...]]:
    setup = study.setup_of(settings, problem)
    for features, sampler, budget in product(setup.features, settings.samplers, settings.budgets):
        scores = [batch.scores[features] for batch in study.batches(settings, problem, sampler, budget)]
        conditions = study.judge(setup.reference, setup.compared, features).conditions(setup.size)
        for quantity in ("frechet", "kernel", "coverage"):
            interval = mean_interval([getattr(one, quantity) for one in scores], CONFIDENCE)
            yield row(f"{problem}: {sampler}", budget, quantity, interval, conditions)
