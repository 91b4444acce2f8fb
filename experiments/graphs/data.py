"""Graphs: community_small from our own generator, the authors' lists split as published, adjacency
and graph6.

`community_small` follows the distribution of the GDSS authors' generator, so no file is needed.
They draw the two communities of a size with the fixed seeds 0 and 1. So these are always the same
two graphs (of each size 6 to 10), and only the size and the bridges between them are random. All of
the 100 published graphs have this form.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import networkx as nx
import numpy as np
from jaxtyping import Float
from torch import Tensor

from ams.data import Graph, graphs

PRESENT = 0.5
"""An edge is present where the adjacency is at least this."""


class Split(NamedTuple):
    """The graphs that samples are compared with, and those that a network was trained on."""

    test: list[Graph]
    train: list[Graph]


def split(listed: Sequence[Graph]) -> Split:
    """Return the published split: the first fifth, rounded down, is the test set."""
    first = len(listed) // 5
    return Split(list(listed[:first]), list(listed[first:]))


def published(name: str) -> Split:
    """Return the authors' list `name`, split. Raises DataUnavailable where no file of it can be
    had.
    """
    return split(graphs(name))


def community_small(count: int, seed: int) -> list[Graph]:
    """Return `count` graphs of two communities: 12 to 20 nodes uniformly, an odd number rounded
    down.
    """
    generator = np.random.default_rng(seed)
    return [_communities(int(nodes) // 2, generator) for nodes in generator.integers(12, 21, count)]


def _communities(size: int, generator: np.random.Generator) -> Graph:
    """Return two communities of `size` nodes each; each pair across is joined with probability 0.1
    / size.

    Where no pair across is drawn, the first nodes of both are joined: the graph is connected.
    """
    bridges = np.argwhere(generator.random((size, size)) < 0.1 / size).tolist() or [[0, 0]]
    return Graph(2 * size, tuple(sorted([*_unbridged(size), *((u, size + v) for u, v in bridges)])))


@cache
def _unbridged(size: int) -> tuple[tuple[int, int], ...]:
    """Return the edges of two graphs G(size, 0.7), drawn with the seeds 0 and 1, side by side."""
    halves = [nx.gnp_random_graph(size, 0.7, seed=index) for index in range(2)]
    return tuple(sorted((min(u, v), max(u, v)) for u, v in nx.disjoint_union(*halves).edges))


def sizes(train: Sequence[Graph], count: int, seed: int) -> list[int]:
    """Return the numbers of nodes of `count` graphs to generate, drawn with replacement from
    training graphs.
    """
    drawn = np.random.default_rng(seed).integers(0, len(train), count)
    return [train[place].nodes for place in drawn.tolist()]


def adjacency(graph: Graph) -> Float[np.ndarray, "nodes nodes"]:
    """Return the adjacency matrix of 0 and 1, float64."""
    matrix = np.zeros((graph.nodes, graph.nodes))
    if graph.edges:
        ends = np.array(graph.edges).T
        matrix[ends[0], ends[1]] = matrix[ends[1], ends[0]] = 1.0
    return matrix


def thresholded(matrices: Float[Tensor, "b n n"], sizes: Sequence[int]) -> list[Graph]:
    """Return the graphs of `sizes` nodes whose edges are where a sampled adjacency is at least
    `PRESENT`.

    A loop is no edge. Isolated nodes stay: `trimmed` drops them.
    """
    present = (matrices >= PRESENT).triu(diagonal=1).cpu().numpy()
    return [
        Graph(nodes, tuple((int(u), int(v)) for u, v in np.argwhere(one)))
        for nodes, one in zip(sizes, present, strict=True)
    ]


def trimmed(graph: Graph) -> Graph:
    """Return the graph without its isolated nodes, the others in their order; one node where
    none is left.
    """
    joined = sorted({end for pair in graph.edges for end in pair})
    if len(joined) == graph.nodes > 0:
        return graph
    number = {node: index for index, node in enumerate(joined)}
    return Graph(max(len(joined), 1), tuple((number[u], number[v]) for u, v in graph.edges))


def to_networkx(graph: Graph) -> nx.Graph:
    """Return the graph as one of networkx."""
    made = nx.empty_graph(graph.nodes)
    made.add_edges_from(graph.edges)
    return made


def to_graph6(graph: Graph) -> str:
    """Return a graph as graph6, a line of printable characters (McKay, `formats.txt` of nauty)."""
    return str(nx.to_graph6_bytes(to_networkx(graph), header=False), "ascii").strip()


def from_graph6(line: str) -> Graph:
    """Return the graph of one line of graph6."""
    made = nx.from_graph6_bytes(line.encode("ascii"))
    return Graph(len(made), tuple(sorted(made.edges)))
