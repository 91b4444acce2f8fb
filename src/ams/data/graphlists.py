"""Lists of undirected graphs, from pickled networkx graphs or from JSON, without networkx.

A pickled `networkx.Graph` is the state of an object: `_node` holds the nodes, `_adj` each node's neighbours. Some are
views of one large graph (`FilterAtlas`, `FilterAdjacency`): the same two dictionaries, and the set of nodes shown.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ams.data.pickled import LARGEST, Machine, Maker, Record
from ams.data.safe_read import guarded, inflated

MOST = 2**22
"""Nodes and edges that a list may hold: graphs that share their nodes are short to write and long to spell out."""


class Graph(NamedTuple):
    """An undirected graph on the nodes `0 .. nodes - 1`; edges `(u, v)` with `u < v`, sorted, each once."""

    nodes: int
    edges: tuple[tuple[int, int], ...]


def load_graphs(content: bytes, where: str) -> list[Graph]:
    """Return the graphs of a list: gzipped JSON `[[n, [[u, v], ...]], ...]`, or a pickled list of networkx graphs.

    Nodes are numbered in the order in which networkx lists them. Raises UserError, one line that names `where`.
    """
    with guarded(where, "a list of graphs"):
        described = _from_json(content) if content[:2] == b"\x1f\x8b" else _from_pickle(content)
        return _checked(described)


def _checked(described: Iterable[Graph]) -> list[Graph]:
    """Return the graphs. Raises ValueError as soon as they are too many to hold."""
    graphs, held = [], 0
    for graph in described:
        held += 1 + graph.nodes + len(graph.edges)
        if held > MOST:
            raise ValueError(f"more than {MOST} nodes and edges")
        graphs.append(graph)
    return graphs


def _from_json(content: bytes) -> Iterable[Graph]:
    for nodes, edges in json.loads(inflated(content, 2 * LARGEST)):
        pairs = sorted((u, v) for u, v in edges)
        whole = all(type(number) is int for number in (nodes, *(end for pair in pairs for end in pair)))
        if not whole or not all(0 <= u < v < nodes for u, v in pairs) or len(set(pairs)) < len(pairs):
            raise ValueError("a graph is [n, edges], each edge [u, v] given once with 0 <= u < v < n")
        yield Graph(nodes, tuple(pairs))


def _int64(kind: Record, value: bytes) -> int:
    """Return a NumPy scalar: a signed number of eight bytes."""
    if kind.name != "numpy.dtype" or kind.arguments[0] != "i8" or kind.state[1] != "<" or len(value) != 8:
        raise ValueError("a NumPy scalar that is no int64")
    return int.from_bytes(value, "little", signed=True)


_MADE = ("classes.graph.Graph", "classes.coreviews.FilterAtlas", "classes.coreviews.FilterAdjacency")
_MAKERS: Mapping[str, Maker | None] = {
    **{f"networkx.{name}": partial(Record, name) for name in (*_MADE, "classes.filters.show_nodes")},
    "networkx.classes.filters.no_filter": None,
    "networkx.classes.function.frozen": None,
    "builtins.dict": None,
    "numpy.dtype": partial(Record, "numpy.dtype"),
    "numpy.core.multiarray.scalar": _int64,
}


def _from_pickle(content: bytes) -> Iterable[Graph]:
    if len(content) > LARGEST:
        raise ValueError(f"a pickle of more than {LARGEST} bytes")
    stream = io.BytesIO(content)
    listed = Machine(stream, _MAKERS).load()
    if type(listed) is not list or stream.read(1):
        raise ValueError("it is no list, or other bytes follow it")
    return map(_graph, listed)


def _graph(record: Record) -> Graph:
    """Return the graph that a record describes. Raises ValueError for one that is not undirected and simple."""
    if record.name != _MADE[0]:
        raise ValueError(f"the list holds {record.name}")
    atlas, shown = _view(record.state["_node"])
    number = {node: index for index, node in enumerate(_order(atlas, shown))}
    adjacency, _ = _view(record.state["_adj"])
    ends = {node: adjacency[node].keys() & number.keys() for node in number}
    if any(u == v or u not in ends[v] for u in number for v in ends[u]):
        raise ValueError("a graph has a loop, or an edge in one direction")
    pairs = ((number[u], number[v]) for u in number for v in ends[u])
    return Graph(len(number), tuple(sorted((u, v) for u, v in pairs if u < v)))


def _view(described: Any) -> tuple[dict[Any, Any], Collection[Any]]:
    """Return a graph's dictionary of nodes (or of neighbours) and those of its keys that are shown."""
    if type(described) is dict:
        return described, described
    return described.state["_atlas"], described.state["NODE_OK"].state["nodes"]


def _order(atlas: dict[Any, Any], shown: Collection[Any]) -> Iterable[Any]:
    """Return the nodes in the order of networkx, which walks the smaller of the two (the views' own rule)."""
    if not all(node in atlas for node in shown):
        raise ValueError("a view shows a node that its graph does not have")
    return shown if 2 * len(shown) < len(atlas) else (node for node in atlas if node in shown)
