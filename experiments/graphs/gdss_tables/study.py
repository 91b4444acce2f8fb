"""What the group computes once: graphs from the authors' checkpoints, and published rows beside
ours.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from ams.data import Graph
from ams.statistics import CONFIDENCE, Interval
from experiments.graphs import discrepancy, generation
from experiments.graphs.data import (
    Split,
    from_graph6,
    published,
    sizes,
    thresholded,
    to_graph6,
    trimmed,
)
from experiments.graphs.gdss_tables import rows
from experiments.graphs.gdss_tables.settings import Settings
from experiments.graphs.intervals import smallest_seen, stretch
from experiments.graphs.statistics import PUBLISHED as STATISTICS, Statistic
from verdicts import InsufficientData
from verdicts.studies import Cell, cell

ROWS: Mapping[str, tuple[float, float, float]] = {
    "community_small": (0.045, 0.086, 0.007),
    "ego_small": (0.021, 0.024, 0.007),
    "ENZYMES": (0.026, 0.061, 0.009),
    "grid": (0.111, 0.005, 0.070),
}
"""Degree, cluster, orbit as published for GDSS (arXiv 2202.02514), 1000 steps."""
PRINTED = 0.0005
"""Half the last printed digit."""
ERRORS = NormalDist().inv_cdf(CONFIDENCE)
"""Standard errors from ours up to which a published row is as near as the check can see: 2.33."""
LARGEST = 2.0
"""No squared MMD with a kernel of at most 1 is larger."""
FEWEST = 20
"""Graphs from which rows show how often a correct row strays: fewer are drawn again and again."""
SETS = ("community_small", "ego_small")
"""Sets whose published row is compared with ours."""
RANGED = (*SETS, "ENZYMES")
"""Sets of which a claim states the floor."""
DATA = (*ROWS, *(generation.PUBLISHED[name].checkpoint for name in ROWS))


class Entry(NamedTuple):
    """A statistic of a set: the published value, ours, and the floor of real graphs.

    `ours` is the mean over sets as large as the test set, with one standard error to each side;
    `spread` the standard deviation of a single set; `each` the mean of every seed alone;
    `resampled` the interval with the test set resampled too; `floor` holds the central 95 % of real
    graphs.
    """

    statistic: str
    published: float
    ours: Interval
    spread: float
    each: list[float]
    resampled: Interval
    floor: Interval

    @property
    def error(self) -> float:
        """Return the standard error of the difference: of the published row, of our mean and of the
        last digit.

        It is lengthened for few graphs, since all statistics of a set are judged together.
        """
        sampled = math.hypot((self.ours.high - self.ours.low) / 2, self.spread)
        return math.hypot(stretch(self.ours.n, len(STATISTICS)) * sampled, PRINTED)

    @property
    def stray(self) -> float:
        """Return how many standard errors the published value is from ours."""
        return abs(self.published - self.ours.value) / self.error

    @property
    def smallest(self) -> float:
        """Return the smallest error of the published value that is seen."""
        return smallest_seen(len(STATISTICS)) * self.error

    def text(self) -> str:
        """Return the published value beside ours, in words for a record."""
        each = ", ".join(f"{mean:.4f}" for mean in self.each)
        return (
            f"published {self.published:g}, ours {self.ours.value:.4f} (each seed: "
            f"{each}), standard error "
            f"{self.error:.4f}, smallest effect seen {self.smallest:.4f}, "
            f"floor {self.floor.value:.4f}"
        )


class TableRow(NamedTuple):
    """The three statistics of a set, and how often a correct row is beyond `ERRORS` (None for
    too few graphs).
    """

    entries: list[Entry]
    false_alarms: float | None

    def strays(self) -> list[float]:
        """Return how many standard errors each published value is from ours.

        Raises InsufficientData where no possible difference would be seen.
        """
        if (seen := max(entry.smallest for entry in self.entries)) > LARGEST:
            graphs = self.entries[0].ours.n
            raise InsufficientData(
                f"{graphs} graphs see no difference below {seen:.3g}: a squared MMD is at most 2"
            )
        return [entry.stray for entry in self.entries]


@cell(data=DATA)
def generated(name: str, steps: int, count: int, seed: int) -> list[str]:
    """`count` graphs of the authors' checkpoint and sampler in one batch, in graph6, without
    isolated nodes.

    Raises DataUnavailable and NonFiniteState.
    """
    nodes = sizes(published(name).train, count, seed)
    matrices = generation.published_samples(name, steps, nodes, seed).adjacency
    return [to_graph6(trimmed(graph)) for graph in thresholded(matrices, nodes)]


@cell(data=DATA)
def table_row(name: str, steps: int, parts: tuple[int, ...], draws: int, seed: int) -> TableRow:
    """The published row of a set beside ours, from runs of `parts` graphs with the seeds from
    `seed` on.
    """
    made = [
        [from_graph6(line) for line in lines] for lines in generated_parts(name, steps, parts, seed)
    ]
    return compared(name, made, draws, seed)


def compared(name: str, made: Sequence[Sequence[Graph]], draws: int, seed: int) -> TableRow:
    """Return the published row of a set beside that of generated graphs, a list for each of
    their seeds.
    """
    real, lengths = published(name), [len(graphs) for graphs in made]
    pool, size = [*real.test, *(graph for graphs in made for graph in graphs)], len(real.test)
    kernels = [statistic.kernel(pool) for statistic in STATISTICS]
    ours = [rows.row(k, size, size, seed) for k in kernels]
    entries = []
    for statistic, value, k, row in zip(STATISTICS, ROWS[name], kernels, ours, strict=True):
        each = rows.means_of_parts(k, size, size, lengths)
        resampled = discrepancy.moved(discrepancy.unbiased_mmd(k, size, seed), row.mean.value)
        floor = _floor((statistic,), real, draws, seed)
        entries.append(Entry(statistic.name, value, row.mean, row.spread, each, resampled, floor))
    return TableRow(entries, rows.false_alarms(ours, ERRORS) if sum(lengths) >= FEWEST else None)


@cell(data=DATA)
def real_floor(name: str, draws: int, seed: int) -> Interval:
    """The mean of the three published MMDs of real graphs in the place of generated ones, over
    random draws.
    """
    return _floor(STATISTICS, published(name), draws, seed)


@cell(data=DATA)
def real_half_range(name: str, draws: int, seed: int) -> Interval:
    """Half the central 95 % range of the mean of the three published MMDs of real graphs, over
    random draws.
    """
    real = published(name)
    k = discrepancy.mean_kernel(STATISTICS, [*real.test, *real.train])
    return rows.half_range(rows.real_rows(k, len(real.test), len(real.test), seed, draws))


def _floor(statistics: tuple[Statistic, ...], real: Split, draws: int, seed: int) -> Interval:
    k = discrepancy.mean_kernel(statistics, [*real.test, *real.train])
    return rows.floor(k, len(real.test), len(real.test), seed, draws)


def generated_parts(name: str, steps: int, parts: tuple[int, ...], seed: int) -> list[list[str]]:
    """Return the graphs of each run, the seeds from `seed` on."""
    return [generated(name, steps, count, seed + number) for number, count in enumerate(parts)]


def parts_of(settings: Settings) -> tuple[int, ...]:
    """Return how many graphs each run makes."""
    return tuple(generation.shares(settings.samples, settings.seeds))


def row_of(settings: Settings, name: str) -> TableRow:
    """Return the row of a set."""
    return table_row(name, settings.steps, parts_of(settings), settings.draws, settings.seed)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    steps, parts = settings.steps, parts_of(settings)
    for name in SETS:
        for number, count in enumerate(parts):
            yield generated.cell(name, steps, count, settings.seed + number)
        yield table_row.cell(name, steps, parts, settings.draws, settings.seed)
    for ranged in RANGED:
        yield real_floor.cell(ranged, settings.draws, settings.seed)
        yield real_half_range.cell(ranged, settings.draws, settings.seed)
