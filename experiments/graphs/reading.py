"""Sets of graphs from untrusted files: graph6 and edge lists as JSON.

The content decides, not the name: JSON (plain or gzipped) is `[[nodes, [[u, v], ...]], ...]`, everything else is graph6,
a graph a line (McKay's formats, `formats.txt` of nauty). Pickles are refused, since reading one may run code.
As in the published evaluation isolated nodes are dropped, and a graph without an edge is one node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from ams.data import Graph
from ams.data.safe_read import content_of, guarded, inflated
from ams.errors import UserError
from experiments.graphs.data import trimmed
from experiments.graphs.statistics import MOST_NODES

LARGEST = 2**24
"""Bytes that a file may have, inflated."""

_GZIP, _PICKLE, _HEADER = b"\x1f\x8b", b"\x80", b">>graph6<<"


def read_graphs(path: Path) -> list[Graph]:
    """Return the graphs in a file. Raises UserError, one line, for a file that is none or an empty set."""
    content = content_of(path, LARGEST)
    if content.startswith(_PICKLE):
        raise UserError(f"{path}: a pickle, which may run code when it is read; give JSON or graph6")
    with guarded(str(path), "a list of graphs"):
        listed = parse_graphs(content)
    if not listed:
        raise UserError(f"{path}: no graph in it, at least one is needed")
    if (most := max(graph.nodes for graph in listed)) > MOST_NODES:
        raise UserError(f"{path}: a graph of {most} nodes; at most {MOST_NODES} can be compared")
    return [trimmed(graph) for graph in listed]


def parse_graphs(content: bytes) -> list[Graph]:
    """Return the graphs of JSON, plain or gzipped, or of graph6. Raises ValueError for anything malformed."""
    text = inflated(content, LARGEST) if content.startswith(_GZIP) else content
    if text.lstrip().startswith((b"[", b"{")):
        return list(_from_json(text))
    lines = text.removeprefix(_HEADER).splitlines()
    return [_numbered(line.strip(), number) for number, line in enumerate(lines, start=1) if line.strip()]


def _from_json(text: bytes) -> Iterator[Graph]:
    described = json.loads(text)
    if type(described) is not list:
        raise ValueError("a set of graphs is [[nodes, [[u, v], ...]], ...]")
    for number, entry in enumerate(described, start=1):
        if type(entry) is not list or len(entry) != 2 or type(entry[1]) is not list:
            raise ValueError(f"graph {number} is not [nodes, [[u, v], ...]]")
        yield _checked(entry[0], entry[1], number)


def _checked(nodes: object, edges: list[object], number: int) -> Graph:
    """Return a simple graph, each edge from its smaller end. Raises ValueError for one that is not."""
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


def _numbered(line: bytes, number: int) -> Graph:
    try:
        return from_graph6(line)
    except ValueError as error:
        raise ValueError(f"graph {number}, graph6: {error}") from None


def from_graph6(line: bytes) -> Graph:
    """Return the graph of one line of graph6. Raises ValueError for a line that is not exactly one."""
    values = np.frombuffer(line, dtype=np.uint8).astype(np.int64) - 63
    if not len(values) or values.min() < 0 or values.max() > 63:
        raise ValueError("it is empty, or holds a character that is not one of '?' to '~'")
    nodes, taken = _size(values)
    bits = ((values[taken:, None] >> np.arange(5, -1, -1)) & 1).ravel()
    count = nodes * (nodes - 1) // 2
    if len(bits) != -(-count // 6) * 6 or bits[count:].any():
        raise ValueError(f"{len(values) - taken} characters of edges do not describe {nodes} nodes")
    v, u = np.tril_indices(nodes, -1)  # (0, 1), (0, 2), (1, 2), ...: column by column of the upper triangle
    present = bits[:count].astype(bool)
    return Graph(nodes, tuple(sorted(zip(u[present].tolist(), v[present].tolist(), strict=True))))


def _size(values: np.ndarray) -> tuple[int, int]:
    """Return the number of nodes, and how many characters tell it: 1 below 63, else 4 after a `~`."""
    if values[0] < 63:
        return int(values[0]), 1
    if len(values) < 4 or values[1] == 63:
        raise ValueError("its number of nodes is cut short, or too large")
    nodes = int(values[1:4] @ (4096, 64, 1))
    if nodes > MOST_NODES:
        raise ValueError(f"{nodes} nodes; at most {MOST_NODES} can be compared")
    return nodes, 4
