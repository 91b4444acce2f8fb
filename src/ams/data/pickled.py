"""The graph lists that the authors of GDSS pickled: lists of networkx graphs, some of them views of a larger graph.

Only files whose checksum is registered are unpickled. The unpickler also knows no other names than these files have.
"""

import io
import pickle
from typing import Any

from ams.data.graphlists import Graph
from ams.data.safe_read import guarded

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


class _GraphUnpickler(pickle.Unpickler):
    """An unpickler of networkx graphs."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return what a known name stands for. Raises ValueError for any other name."""
        name = f"{module_name}.{global_name}"
        if name not in _NAMES:
            raise ValueError(f"it names {name[:80]!r}, which no list of graphs needs")
        return super().find_class(module_name, global_name)


def unpickled_graphs(content: bytes, where: str) -> list[Graph]:
    """Return the graphs of a pickled list, which must be verified; nodes are numbered in the order of networkx.

    Raises UserError, one line that names `where`, for damage and for anything but simple undirected graphs.
    """
    with guarded(where, "a list of graphs"):
        listed = _GraphUnpickler(io.BytesIO(content)).load()
        if type(listed) is not list:
            raise ValueError("it is no list")
        return [_graph(graph) for graph in listed]


def _graph(graph: Any) -> Graph:
    number = {node: index for index, node in enumerate(graph.nodes)}
    pairs = sorted({tuple(sorted((number[u], number[v]))) for u, v in graph.edges})
    if any(u == v for u, v in pairs):
        raise ValueError("a graph has a loop")
    return Graph(len(number), tuple((u, v) for u, v in pairs))
