"""Sets of graphs from files that nobody vouches for: graph6, or edge lists as JSON.

The content decides, not the name. JSON, plain or gzipped, is `[[nodes, [[u, v], ...]], ...]`; everything else is
graph6, a graph a line. As in the published evaluation isolated nodes are dropped, and a graph without an edge is one
node.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ams.data import Graph
from ams.data.safe_read import content_of, guarded, inflated
from ams.errors import UserError
from experiments.graphs.data import from_graph6, to_graph6, trimmed
from experiments.graphs.statistics import MOST_NODES

LARGEST = 2**24
"""Bytes that a file may have, inflated."""
MOST_GRAPHS, MOST_EDGES, MOST_WORK = 2**12, 2**21, 2**39
"""Graphs and edges in a file, and the sum of (nodes + edges) nodes^2: what the statistics' matrices cost."""
_BITS = bytes(max(byte - 63, 0) for byte in range(256))
_GZIP, _HEADER = b"\x1f\x8b", b">>graph6<<"


def read_graphs(path: Path) -> list[Graph]:
    """Return the graphs in a file. Raises UserError, one line, for another format, an empty set and one too large."""
    content = content_of(path, LARGEST)
    with guarded(str(path), "a list of graphs"):
        graphs = list(islice(parse_graphs(content), MOST_GRAPHS + 1))
    if not graphs:
        raise UserError(f"{path}: no graph in it, at least one is needed")
    if (most := max(graph.nodes for graph in graphs)) > MOST_NODES:
        raise UserError(f"{path}: a graph of {most} nodes; at most {MOST_NODES} can be compared")
    if len(graphs) > MOST_GRAPHS:
        raise UserError(f"{path}: more than {MOST_GRAPHS} graphs; give fewer, since every pair of graphs is compared")
    graphs = [trimmed(graph) for graph in graphs]
    if (work := sum((graph.nodes + len(graph.edges)) * graph.nodes**2 for graph in graphs)) > MOST_WORK:
        limit = f"the sum of (nodes + edges) nodes^2 is {work:.1e}, and may be {MOST_WORK:.1e}"
        raise UserError(f"{path}: too large or too dense graphs to compare: {limit}; give fewer")
    return graphs


def parse_graphs(content: bytes) -> Iterator[Graph]:
    """Yield the graphs of JSON, plain or gzipped, or of graph6. Raises ValueError where one is malformed."""
    text = inflated(content, LARGEST) if content.startswith(_GZIP) else content
    if text.lstrip().startswith((b"[", b"{")):
        yield from _from_json(text)
        return
    if (bits := int.from_bytes(text.translate(_BITS)).bit_count()) > MOST_EDGES:
        raise ValueError(f"{bits} edges; at most {MOST_EDGES} are read")
    for number, line in enumerate(text.removeprefix(_HEADER).splitlines(), start=1):
        if line.strip():
            yield _numbered(line.strip().decode("latin-1"), number)


def _from_json(text: bytes) -> Iterator[Graph]:
    entries = json.loads(text)
    if type(entries) is not list:
        raise ValueError("a set of graphs is [[nodes, [[u, v], ...]], ...]")
    for number, entry in enumerate(entries, start=1):
        try:
            yield _graph(*entry)
        except (TypeError, ValueError):
            raise ValueError(f"graph {number} is not [nodes, [[u, v], ...]], each pair of two nodes once") from None


def _graph(nodes: int, edges: list[list[int]]) -> Graph:
    """Return a simple graph, each edge from its smaller end. Raises ValueError or TypeError for anything else."""
    pairs = sorted((min(u, v), max(u, v)) for u, v in edges)
    whole = all(type(number) is int for number in (nodes, *(end for edge in edges for end in edge)))
    simple = len(set(pairs)) == len(pairs) and all(0 <= u < v < nodes for u, v in pairs)
    if type(edges) is not list or not whole or nodes < 0 or not simple:
        raise ValueError("not a simple graph")
    return Graph(nodes, tuple(pairs))


def _numbered(line: str, number: int) -> Graph:
    try:
        graph = from_graph6(line)
    except ValueError as error:
        raise ValueError(f"graph {number}, graph6: {error}") from None
    if to_graph6(graph) != line:
        raise ValueError(f"graph {number}, graph6: not the line of a graph")
    return graph
