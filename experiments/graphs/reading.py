"""Sets of graphs from files that nobody vouches for: graph6, or edge lists as JSON.

The content decides, not the name. JSON, plain or gzipped, is `[[nodes, [[u, v], ...]], ...]`; everything else is
graph6, a graph a line. As in the published evaluation isolated nodes are dropped, and a graph without an edge is one
node.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ams.data import Graph
from ams.data.safe_read import content_of, guarded, inflated
from ams.errors import UserError
from experiments.graphs.data import trimmed
from experiments.graphs.graph6 import MOST_NODES, from_graph6

LARGEST = 2**24
"""Bytes that a file may have, inflated."""
_GZIP, _HEADER = b"\x1f\x8b", b">>graph6<<"


def read_graphs(path: Path) -> list[Graph]:
    """Return the graphs in a file. Raises UserError, one line, for a file of another format or an empty set."""
    content = content_of(path, LARGEST)
    with guarded(str(path), "a list of graphs"):
        graphs = parse_graphs(content)
    if not graphs:
        raise UserError(f"{path}: no graph in it, at least one is needed")
    if (most := max(graph.nodes for graph in graphs)) > MOST_NODES:
        raise UserError(f"{path}: a graph of {most} nodes; at most {MOST_NODES} can be compared")
    return [trimmed(graph) for graph in graphs]


def parse_graphs(content: bytes) -> list[Graph]:
    """Return the graphs of JSON, plain or gzipped, or of graph6. Raises ValueError for anything malformed."""
    text = inflated(content, LARGEST) if content.startswith(_GZIP) else content
    if text.lstrip().startswith((b"[", b"{")):
        return list(_from_json(text))
    lines = text.removeprefix(_HEADER).splitlines()
    return [
        _numbered(line.strip().decode("latin-1"), number) for number, line in enumerate(lines, start=1) if line.strip()
    ]


def _from_json(text: bytes) -> Iterator[Graph]:
    entries = json.loads(text)
    if type(entries) is not list:
        raise ValueError("a set of graphs is [[nodes, [[u, v], ...]], ...]")
    for number, entry in enumerate(entries, start=1):
        if type(entry) is not list or len(entry) != 2 or type(entry[1]) is not list:
            raise ValueError(f"graph {number} is not [nodes, [[u, v], ...]]")
        yield _checked(entry[0], entry[1], number)


def _checked(nodes: object, edges: list[object], number: int) -> Graph:
    """Return a simple graph, each edge from its smaller end. Raises ValueError for loops, repeats, unknown nodes."""
    if type(nodes) is not int or nodes < 0:
        raise ValueError(f"graph {number} has no whole number of nodes")
    pairs = sorted(_edge(edge, nodes, number) for edge in edges)
    if twice := [edge for edge, following in pairwise(pairs) if edge == following]:
        raise ValueError(f"graph {number} gives the edge {list(twice[0])} twice")
    return Graph(nodes, tuple(pairs))


def _edge(edge: object, nodes: int, number: int) -> tuple[int, int]:
    if type(edge) is not list or len(edge) != 2 or not all(type(end) is int for end in edge):
        raise ValueError(f"graph {number} has an edge that is not two whole numbers")
    u, v = sorted(edge)
    if not 0 <= u < v < nodes:
        raise ValueError(f"graph {number} of {nodes} nodes has an edge {edge}: its ends are two of 0 to {nodes - 1}")
    return u, v


def _numbered(line: str, number: int) -> Graph:
    try:
        return from_graph6(line)
    except ValueError as error:
        raise ValueError(f"graph {number}, graph6: {error}") from None
