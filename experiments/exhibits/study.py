"""What the group computes once: operations and CPU seconds of one evaluation of each network.

Seconds belong to the machine that they were measured on, one thread; everything else follows from them by counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from experiments.benchmarks.costs import in_turn
from experiments.exhibits import arithmetic
from experiments.exhibits.arithmetic import MOLECULES, Counted, Rate
from experiments.exhibits.configurations import Configuration, listed
from experiments.exhibits.settings import Settings
from experiments.graphs.generation import PUBLISHED
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES, Architecture
from verdicts.studies import Cell, cell

SMALL, WIDE = (ARCHITECTURES[name] for name in ("cifar10_ncsnpp_continuous", "celebahq_256_ncsnpp_continuous"))
"""The two architectures that are timed."""
COMMUNITY = "community_small"
GRAPH_DATA = (
    *(setting.checkpoint for setting in PUBLISHED.values()),
    *(name for name in PUBLISHED if name not in MOLECULES),
    *dict.fromkeys(MOLECULES.values()),
)


class Rounds(NamedTuple):
    """Operations of several works, and their CPU seconds in rounds in which each is done once."""

    flops: list[int]
    seconds: list[tuple[float, ...]]

    def ratios(self, later: int) -> list[float]:
        """Return, in each round, the time of a work over what the work before it predicts by the operations."""
        growth = self.flops[later] / self.flops[later - 1]
        return [row[later] / row[later - 1] / growth for row in self.seconds]


@cell
def image_cost(sizes: Architecture, side: int) -> Counted:
    """Count the parameters and operations of an architecture for images of `side` pixels a side."""
    return arithmetic.image_cost(sizes, side)


@cell
def image_rounds(sizes: Architecture, batches: tuple[tuple[int, int], ...], rounds: int, seed: int) -> Rounds:
    """Time batches, each so many images of so many pixels a side, in turn."""
    flops = [count * image_cost(sizes, side).flops for count, side in batches]
    return Rounds(flops, in_turn(arithmetic.image_evaluations(sizes, batches, seed), rounds))


@cell(data=GRAPH_DATA)
def graph_cost(name: str, graphs: int, runs: int) -> Rate:
    """Count and time both networks of a set. Raises DataUnavailable."""
    return arithmetic.graph_cost(name, graphs, runs)


@cell(data=(PUBLISHED[COMMUNITY].checkpoint, COMMUNITY))
def graph_rounds(batches: tuple[int, ...], rounds: int) -> Rounds:
    """Time community_small's networks on batches of several sizes, in turn. Raises DataUnavailable."""
    works = [arithmetic.published_evaluation(COMMUNITY, count) for count in batches]
    return Rounds([arithmetic.counted(work) for work in works], in_turn(works, rounds))


def small_rounds(settings: Settings) -> Rounds:
    """Return the rounds of the network for CIFAR-10."""
    return image_rounds(SMALL, settings.small, settings.pairs, settings.seed)


def wide_rounds(settings: Settings) -> Rounds:
    """Return the rounds of the network for 256 pixels."""
    return image_rounds(WIDE, settings.wide, _wide_count(settings), settings.seed)


def _wide_count(settings: Settings) -> int:
    return settings.pairs if len(settings.wide) > 1 else settings.runs


def rate(settings: Settings, configuration: Configuration) -> Rate | None:
    """Return what one evaluation of a configuration's network costs, None where the network is not here.

    A resolution that is not timed has the time of the nearest one below, times the ratio of the operations. Raises
    DataUnavailable without the files of a graph set.
    """
    if configuration.is_of_graphs:
        return graph_cost(configuration.id, settings.graphs_of(configuration.id), settings.runs)
    if configuration.architecture is None or configuration.side is None:
        return None
    return _image_rate(settings, ARCHITECTURES[configuration.architecture], configuration.side)


def _image_rate(settings: Settings, sizes: Architecture, side: int) -> Rate:
    wide = len(sizes.multiples) > len(SMALL.multiples)
    rounds, batches = (wide_rounds(settings), settings.wide) if wide else (small_rounds(settings), settings.small)
    place = max((n for n, (_, timed) in enumerate(batches) if timed <= side), default=0)
    cost = image_cost(sizes, side)
    seconds = sorted(row[place] for row in rounds.seconds)[len(rounds.seconds) // 2]
    return Rate(cost.parameters, cost.flops, seconds * cost.flops / rounds.flops[place], batches[place][1])


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and tables read."""
    counted = {(each.architecture, each.side) for each in listed().of_images()}
    asked = {(ARCHITECTURES[name], side) for name, side in counted if name is not None and side is not None}
    asked |= {(SMALL, side) for _, side in settings.small} | {(WIDE, side) for _, side in settings.wide}
    yield from (image_cost.cell(*each) for each in sorted(asked))
    yield image_rounds.cell(SMALL, settings.small, settings.pairs, settings.seed)
    yield image_rounds.cell(WIDE, settings.wide, _wide_count(settings), settings.seed)
    for name in (each.id for each in listed().of_graphs()):
        yield graph_cost.cell(name, settings.graphs_of(name), settings.runs)
    yield graph_rounds.cell(settings.batches, settings.pairs)
