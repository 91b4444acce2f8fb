"""How many operations an evaluation of a network takes, counted; the group's cells.

`FlopCounterMode` counts the multiplications and additions of convolutions and matrix products, two
for each product that is added. Activations, norms and resampling are not counted.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ams.data import smiles
from experiments.exhibits.configurations import Configuration, listed
from experiments.exhibits.settings import Settings
from experiments.graphs.data import published
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.images.networks.ncsnpp_architectures import (
    ARCHITECTURES,
    Architecture,
    random_network,
)
from verdicts.studies import Cell, cell

MOLECULES = {"QM9": "qm9-test", "ZINC250k": "zinc250k-test", "ZINC250k_v2": "zinc250k-test"}
"""The registered list of SMILES whose numbers of atoms a set's graphs have."""
_ATOM = re.compile(r"Cl|Br|[BCNOPSFIbcnops]")
GRAPH_DATA = (
    *(setting.checkpoint for setting in PUBLISHED.values()),
    *(name for name in PUBLISHED if name not in MOLECULES),
    *dict.fromkeys(MOLECULES.values()),
)


class Cost(NamedTuple):
    """A network's trained numbers, and the operations of one evaluation of one sample.

    Of graphs they are those of both networks together, and the operations a mean.
    """

    parameters: int
    flops: float


def counted(work: Callable[[], object]) -> int:
    """Return the operations of `work`."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return int(counter.get_total_flops())


@cell
def image_cost(sizes: Architecture, side: int) -> Cost:
    """Count the parameters and operations of an architecture for one image of `side` pixels a side.

    No arithmetic is done.
    """
    with torch.device("meta"):
        network = random_network(sizes)
        x = torch.zeros(1, network.channels, side, side)
        time = torch.tensor(1.0)
    return Cost(_parameters(network), counted(lambda: network(x, time)))


@cell(data=GRAPH_DATA)
def graph_cost(name: str, graphs: int) -> Cost:
    """Count both GDSS networks of a set, on graphs of evenly spaced quantiles of its sizes.

    Raises DataUnavailable without the checkpoint or the set.
    """
    parameters = sum(map(_parameters, PUBLISHED[name].networks()))
    return Cost(parameters, counted(published_evaluation(name, graphs)) / graphs)


def published_evaluation(name: str, graphs: int) -> Callable[[], object]:
    """Return an evaluation of a set's GDSS networks on so many graphs, each pair an edge with
    chance 1/2.

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
    """Return the number of atoms in a SMILES of the elements that GDSS's molecules have,
    hydrogen apart.
    """
    return len(_ATOM.findall(molecule))


def quantiles(sizes: Sequence[int], count: int) -> list[int]:
    """Return the values at (i + 1/2)/count of the sizes in ascending order."""
    ordered = sorted(sizes)
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def _parameters(network: torch.nn.Module) -> int:
    return sum(tensor.numel() for tensor in network.parameters())


def cost(settings: Settings, configuration: Configuration) -> Cost | None:
    """Return what one evaluation of a configuration's network costs, None where the network is not
    here.

    Raises DataUnavailable without the files of a graph set.
    """
    if configuration.is_of_graphs:
        return graph_cost(configuration.id, settings.graphs_of(configuration.id))
    if configuration.architecture is None or configuration.side is None:
        return None
    return image_cost(ARCHITECTURES[configuration.architecture], configuration.side)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that tables read."""
    counted = {(each.architecture, each.side) for each in listed().of_images()}
    asked = {
        (ARCHITECTURES[name], side)
        for name, side in counted
        if name is not None and side is not None
    }
    yield from (image_cost.cell(*each) for each in sorted(asked))
    for name in (each.id for each in listed().of_graphs()):
        yield graph_cost.cell(name, settings.graphs_of(name))
