"""The group's table."""

from collections.abc import Iterator
from itertools import product

from ams.errors import DataUnavailable
from ams.statistics import mean_interval
from experiments.images.colour import study
from experiments.images.colour.settings import CIFAR, CONFIDENCE, Settings
from experiments.images.features.rows import HEADER, Row
from verdicts import Table


def tables(settings: Settings) -> list[Table]:
    """Return every distance that can be had, with its conditions."""
    rows: list[Row] = []
    for problem in (CIFAR, *settings.networks):
        try:
            rows += _rows(settings, problem)
        except DataUnavailable:
            continue  # its claims say so
    caption = f"Colour images: means over batches with {CONFIDENCE:.1%} Student intervals."
    for name in settings.also:
        had = name in study.available(settings)
        caption += "" if had else f" No rows in the features of {name}, which cannot be had here."
    cells = tuple(row.cells() for row in rows)
    return [Table(id="colour", caption=caption, header=HEADER, rows=cells, claims=("X0", "X1", "X2", "X3", "X4"))]


def _rows(settings: Settings, problem: str) -> Iterator[Row]:
    setup = study.setup_of(settings, problem)
    for features, sampler, budget in product(setup.features, settings.samplers, settings.budgets):
        distances = [batch.distances[features] for batch in study.batches(settings, problem, sampler, budget)]
        for quantity, values in zip(study.Distances._fields, zip(*distances, strict=True), strict=True):
            value, low, high, sets = mean_interval(values, CONFIDENCE)
            conditions = setup.judge(features).conditions(settings.batch)
            name = f"{problem}: {sampler}"
            yield Row(
                sampler=name,
                nfe=budget,
                quantity=quantity,
                value=value,
                low=low,
                high=high,
                sets=sets,
                conditions=conditions,
            )
