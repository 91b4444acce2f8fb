"""The group's table."""

import math
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

from ams.data import WEIGHTS
from ams.errors import DataUnavailable
from ams.statistics import CONFIDENCE, mean_interval
from ams_suite.drawn import tabled
from experiments.images.colour import study
from experiments.images.colour.settings import Features, Settings
from experiments.images.features.scores import HEADER, Conditions, row, title
from verdicts import Table
from verdicts.records.figures import TableCell


def tables(settings: Settings) -> list[Table]:
    """Return every distance that can be had, with its conditions."""
    lacking = [name for name in settings.also if name not in study.available(settings)]
    also = "".join(
        f" No rows in the features of {name}, which cannot be had here." for name in lacking
    )
    values: dict[str, Any] = {
        "confidence": f"{CONFIDENCE:.1%}",
        "fewer": f"{study.FEWER:,}",
        "also": also,
    }
    return [tabled(colour, HEADER, ("X1", "X2", "X3", "X4"), settings, **values)]


def colour(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Colour images. The kernel distance is a mean over batches with its {confidence} Student
    interval, and has no bias at any n; all else is of all batches together. Fréchet distances have
    a bias that falls as 1/n: they compare at equal n, and are the published FID in Inception's
    features, of 50,000 images. Precision and recall (three neighbours) are of the first {fewer}
    images at most. The Inception score is in the classes that the extractor's network knows.{also}
    """
    for network in settings.networks:
        with suppress(DataUnavailable):  # its claims say so
            yield from rows(settings, network)


def rows(settings: Settings, network: str) -> Iterator[tuple[TableCell, ...]]:
    """Yield a network's rows, as `HEADER` has them. Raises DataUnavailable."""
    setup, asked = study.setup_of(settings, network), settings.of(network)
    for features, sampler, budget in product(setup.features, asked.samplers, asked.budgets):
        judged, name = (
            study.judged(settings, network, sampler, budget, features),
            f"{network}: {sampler}",
        )
        conditions = Conditions(
            setup.size, str(setup.reference), setup.compared, features, _sha256(features)
        )
        yield row(name, budget, "kernel", mean_interval(judged.kernel, CONFIDENCE), conditions)
        n, fewer = judged.images, min(study.FEWER, judged.images)
        of_all = [("frechet", judged.frechet, n), ("inception_score", judged.inception_score, n)]
        of_fewer = [("precision", judged.precision, fewer), ("recall", judged.recall, fewer)]
        for quantity, value, of in (
            *of_all,
            *[("frechet", judged.fewer_frechet, fewer)][: fewer < n],
            *of_fewer,
        ):
            if not math.isnan(value):
                yield (
                    name,
                    budget,
                    title(quantity),
                    value,
                    "",
                    "",
                    asked.batches,
                    of,
                    *conditions.cells(),
                )


def _sha256(features: Features) -> str:
    """Return the checksum of an extractor's weights: of a registered one without its file."""
    return WEIGHTS[features].contents if features in WEIGHTS else study.extractor(features).sha256
