"""What an evaluation of a network takes: operations, counted, and CPU seconds, measured; the group's cells.

`FlopCounterMode` counts the multiplications and additions of convolutions and matrix products, two for each product
that is added. Activations, norms and resampling are not counted, so a time follows the count only as far as these are
cheap: claim E2 measures how far. Seconds belong to the machine that they were measured on, one thread; everything else
follows from them by counts.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ams.data import smiles
from experiments.benchmarks.costs import Work, in_turn, median_seconds
from experiments.exhibits.configurations import Configuration, listed
from experiments.exhibits.settings import Settings
from experiments.graphs.data import published
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.images.networks.ncsnpp import NCSNpp
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES, Architecture, random_network
from verdicts.studies import Cell, cell

MOLECULES = {"QM9": "qm9-test", "ZINC250k": "zinc250k-test", "ZINC250k_v2": "zinc250k-test"}
"""The registered list of SMILES whose numbers of atoms a set's graphs have."""
_ATOM = re.compile(r"Cl|Br|[BCNOPSFIbcnops]")
SMALL, WIDE = (ARCHITECTURES[name] for name in ("cifar10_ncsnpp_continuous", "celebahq_256_ncsnpp_continuous"))
"""The two architectures that are timed."""
COMMUNITY = "community_small"
GRAPH_DATA = (
    *(setting.checkpoint for setting in PUBLISHED.values()),
    *(name for name in PUBLISHED if name not in MOLECULES),
    *dict.fromkeys(MOLECULES.values()),
)


class Counted(NamedTuple):
    """A network's trained numbers, and the operations of one evaluation of one image."""

    parameters: int
    flops: int


class Rate(NamedTuple):
    """One evaluation of one sample: parameters, operations, CPU seconds; `timed` at so many pixels a side, or nodes.

    Of graphs they are means, and those of both networks together.
    """

    parameters: int
    flops: float
    seconds: float
    timed: float


class Rounds(NamedTuple):
    """Operations of several works, and their CPU seconds in rounds in which each is done once."""

    flops: list[int]
    seconds: list[tuple[float, ...]]

    def ratios(self, later: int) -> list[float]:
        """Return, in each round, the time of a work over what the work before it predicts by the operations."""
        growth = self.flops[later] / self.flops[later - 1]
        return [row[later] / row[later - 1] / growth for row in self.seconds]


def counted(work: Work) -> int:
    """Return the operations of `work`."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return int(counter.get_total_flops())


def image_evaluation(network: NCSNpp, count: int, side: int) -> Work:
    """Return an evaluation of `count` images of `side` pixels a side, on the network's own device."""
    device = next(network.parameters()).device
    x, time = torch.zeros(count, network.channels, side, side, device=device), torch.tensor(1.0, device=device)
    return torch.inference_mode()(partial(network, x, time))


@cell
def image_cost(sizes: Architecture, side: int) -> Counted:
    """Count the parameters and operations of an architecture for one image of `side` pixels a side.

    No arithmetic is done.
    """
    with torch.device("meta"):
        network = random_network(sizes)
    return Counted(_parameters(network), counted(image_evaluation(network, 1, side)))


@cell
def image_rounds(sizes: Architecture, batches: tuple[tuple[int, int], ...], rounds: int, seed: int) -> Rounds:
    """Time batches, each so many images of so many pixels a side, in turn, on a network of random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = random_network(sizes)
    works = [image_evaluation(network, count, side) for count, side in batches]
    return Rounds([count * image_cost(sizes, side).flops for count, side in batches], in_turn(works, rounds))


@cell(data=GRAPH_DATA)
def graph_cost(name: str, graphs: int, runs: int) -> Rate:
    """Count and time both GDSS networks of a set, on graphs of evenly spaced quantiles of its sizes.

    Raises DataUnavailable without the checkpoint or the set.
    """
    nodes = sum(quantiles(nodes_of(name), graphs)) / graphs
    parameters = sum(map(_parameters, PUBLISHED[name].networks()))
    work = published_evaluation(name, graphs)
    return Rate(parameters, counted(work) / graphs, median_seconds(work, runs) / graphs, nodes)


@cell(data=(PUBLISHED[COMMUNITY].checkpoint, COMMUNITY))
def graph_rounds(batches: tuple[int, ...], rounds: int) -> Rounds:
    """Time community_small's networks on batches of several sizes, in turn. Raises DataUnavailable."""
    works = [published_evaluation(COMMUNITY, count) for count in batches]
    return Rounds([counted(work) for work in works], in_turn(works, rounds))


def published_evaluation(name: str, graphs: int) -> Work:
    """Return an evaluation of a set's GDSS networks on so many graphs, each pair an edge with chance 1/2.

    Raises as `graph_cost`.
    """
    setting, draws = PUBLISHED[name], torch.Generator().manual_seed(graphs)
    both, layout = setting.networks(), Layout.of(quantiles(nodes_of(name), graphs))
    x = torch.randn(layout.nodes, setting.features, generator=draws)
    a = torch.randint(2, (layout.pairs,), generator=draws).float()

    @torch.inference_mode()
    def evaluation() -> tuple[Tensor, Tensor]:
        return both.features(x, a, layout), both.adjacency(x, a, layout)

    return evaluation


def nodes_of(name: str) -> list[int]:
    """Return the numbers of nodes of a set's training graphs, or of atoms in its listed molecules.

    Raises DataUnavailable.
    """
    largest = PUBLISHED[name].largest
    if name in MOLECULES:
        return [min(atoms(one), largest) for one in smiles(MOLECULES[name])]
    return [graph.nodes for graph in published(name).train]


def atoms(molecule: str) -> int:
    """Return the number of atoms in a SMILES of the elements that GDSS's molecules have, hydrogen apart."""
    return len(_ATOM.findall(molecule))


def quantiles(sizes: Sequence[int], count: int) -> list[int]:
    """Return the values at (i + 1/2)/count of the sizes in ascending order."""
    ordered = sorted(sizes)
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def _parameters(network: torch.nn.Module) -> int:
    return sum(tensor.numel() for tensor in network.parameters())


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
