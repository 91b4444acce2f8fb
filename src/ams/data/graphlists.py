"""Lists of undirected graphs in JSON."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from ams.data.safe_read import guarded, inflated

LARGEST = 2**24
"""The most bytes of a list, inflated."""
MOST = 2**22
"""The most graphs, nodes and edges of a list; a number of nodes is short to write."""


class Graph(NamedTuple):
    """An undirected graph on the nodes `0, ..., nodes - 1`, with sorted edges `(u, v)`, `u < v`, each once."""

    nodes: int
    edges: tuple[tuple[int, int], ...]


def load_graphs(content: bytes, where: str) -> list[Graph]:
    """Return the graphs of gzipped JSON, `[[n, [[u, v], ...]], ...]`.

    Raises UserError, one line that names `where`, for damage, an invalid graph, and a list that is too large.
    """
    with guarded(where, "a list of graphs"):
        return _bounded(_graph(nodes, edges) for nodes, edges in json.loads(inflated(content, LARGEST)))


def _graph(nodes: int, edges: list[list[int]]) -> Graph:
    pairs = sorted((u, v) for u, v in edges)
    whole = all(type(number) is int for number in (nodes, *(end for pair in pairs for end in pair)))
    if not whole or not all(0 <= u < v < nodes for u, v in pairs) or len(set(pairs)) < len(pairs):
        raise ValueError("a graph is [n, edges], with each edge [u, v] given once and 0 <= u < v < n")
    return Graph(nodes, tuple(pairs))


def _bounded(listed: Iterable[Graph]) -> list[Graph]:
    """Return the graphs. Raises ValueError as soon as they are too many."""
    graphs, size = [], 0
    for graph in listed:
        size += 1 + graph.nodes + len(graph.edges)
        if size > MOST:
            raise ValueError(f"more than {MOST} nodes and edges")
        graphs.append(graph)
    return graphs
