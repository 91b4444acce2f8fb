"""What an evaluation of a network takes: operations, counted, and CPU seconds, measured.

`FlopCounterMode` counts the multiplications and additions of convolutions and matrix products, two for each product
that is added. Activations, norms and resampling are not counted, so a time follows the count only as far as these are
cheap: claim E2 measures how far.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ams.data import smiles
from experiments.benchmarks.costs import Work, median_seconds
from experiments.graphs.data import published
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.images.networks.ncsnpp import NCSNpp
from experiments.images.networks.ncsnpp_architectures import Architecture, random_network

MOLECULES = {"QM9": "qm9-test", "ZINC250k": "zinc250k-test", "ZINC250k_v2": "zinc250k-test"}
"""The registered list of SMILES whose numbers of atoms a set's graphs have."""
_ATOM = re.compile(r"Cl|Br|[BCNOPSFIbcnops]")


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


def image_cost(sizes: Architecture, side: int) -> Counted:
    """Return the cost of an architecture for one image of `side` pixels a side, counted without any arithmetic."""
    with torch.device("meta"):
        network = random_network(sizes)
    return Counted(_parameters(network), counted(image_evaluation(network, 1, side)))


def image_evaluations(sizes: Architecture, batches: Sequence[tuple[int, int]], seed: int) -> list[Work]:
    """Return evaluations of batches, each so many images of so many pixels a side, by a network of random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = random_network(sizes)
    return [image_evaluation(network, count, side) for count, side in batches]


def graph_cost(name: str, graphs: int, runs: int) -> Rate:
    """Return the cost of a set's GDSS networks, on graphs of evenly spaced quantiles of its sizes.

    Raises DataUnavailable without the checkpoint or the set.
    """
    nodes = sum(quantiles(nodes_of(name), graphs)) / graphs
    parameters = sum(map(_parameters, PUBLISHED[name].networks()))
    work = published_evaluation(name, graphs)
    return Rate(parameters, counted(work) / graphs, median_seconds(work, runs) / graphs, nodes)


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
