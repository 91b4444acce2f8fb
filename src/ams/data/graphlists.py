"""Lists of undirected graphs, in JSON or pickled."""

import io
import json
import pickle
from typing import Any, NamedTuple

from ams.data.safe_read import guarded, inflated, pickled

LARGEST = 2**24
"""The most bytes of a list, inflated."""
MOST = 2**22
"""The most graphs, nodes and edges of a list; a number of nodes is short to write."""

_NAMES = {
    "builtins.dict",
    "networkx.classes.coreviews.FilterAdjacency",
    "networkx.classes.coreviews.FilterAtlas",
    "networkx.classes.filters.no_filter",
    "networkx.classes.filters.show_nodes",
    "networkx.classes.function.frozen",
    "networkx.classes.graph.Graph",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
}


class Graph(NamedTuple):
    """An undirected graph on the nodes `0, ..., nodes - 1`, with sorted edges `(u, v)`, `u < v`,
    each once.
    """

    nodes: int
    edges: tuple[tuple[int, int], ...]


def load_graphs(content: bytes, where: str) -> list[Graph]:
    """Return the graphs of gzipped JSON, `[[n, [[u, v], ...]], ...]`.

    Raises UserError, one line that names `where`, for damage, an invalid graph, and a list that is
    too large.
    """
    with guarded(where, "a list of graphs"):
        listed, size = [], 0
        for nodes, edges in json.loads(inflated(content, LARGEST)):
            listed.append(_graph(nodes, edges))
            size += 1 + nodes + len(edges)
            if size > MOST:
                raise ValueError(f"more than {MOST} nodes and edges")
        return listed


def _graph(nodes: int, edges: list[list[int]]) -> Graph:
    pairs = sorted((u, v) for u, v in edges)
    whole = all(type(number) is int for number in (nodes, *(end for pair in pairs for end in pair)))
    if (
        not whole
        or nodes < 0
        or not all(0 <= u < v < nodes for u, v in pairs)
        or len(set(pairs)) < len(pairs)
    ):
        raise ValueError(
            "a graph is [n, edges], with each edge [u, v] given once and 0 <= u < v < n"
        )
    return Graph(nodes, tuple(pairs))


class _GraphUnpickler(pickle.Unpickler):
    """An unpickler of networkx graphs, which knows no other names than the files of GDSS have."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return what a known name stands for. Raises ValueError for any other name."""
        name = f"{module_name}.{global_name}"
        if name not in _NAMES:
            raise ValueError(f"it names {name[:80]!r}, which no list of graphs needs")
        return super().find_class(module_name, global_name)


def unpickled_graphs(content: bytes, where: str) -> list[Graph]:
    """Return the graphs of a list that the authors of GDSS pickled; nodes are numbered in the order
    of networkx.

    They are networkx graphs, some of them views of a larger graph. The checksum of `content` must
    be verified before. Raises UserError, one line that names `where`, for damage and for anything
    but simple undirected graphs.
    """
    with guarded(where, "a list of graphs"):
        listed = _GraphUnpickler(io.BytesIO(pickled(content))).load()
        if type(listed) is not list:
            raise ValueError("it is no list")
        return [_from_networkx(graph) for graph in listed]


def _from_networkx(graph: Any) -> Graph:
    number = {node: index for index, node in enumerate(graph.nodes)}
    pairs = sorted({tuple(sorted((number[u], number[v]))) for u, v in graph.edges})
    if any(u == v for u, v in pairs):
        raise ValueError("a graph has a loop")
    return Graph(len(number), tuple((u, v) for u, v in pairs))
