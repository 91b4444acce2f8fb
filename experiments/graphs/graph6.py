"""Graphs as graph6, a line of printable characters a graph (McKay, `formats.txt` of nauty).

A line holds the number of nodes, then the upper triangle of the adjacency column by column, six bits a character, each
character 63 above its value.
"""

import numpy as np

from ams.data import Graph

MOST_NODES = 4096
"""Nodes that a graph may have here: its adjacency is a full matrix, 128 MiB at this size."""


def to_graph6(graph: Graph) -> str:
    """Return the line of a graph of at most `MOST_NODES` nodes."""
    n = graph.nodes
    present = np.zeros(n * (n - 1) // 2, dtype=np.uint8)
    present[[v * (v - 1) // 2 + u for u, v in graph.edges]] = 1
    bits = np.pad(present, (0, -len(present) % 6)).reshape(-1, 6)
    head = [n] if n < 63 else [63, n >> 12, n >> 6 & 63, n & 63]
    return bytes([63 + value for value in (*head, *(bits @ (32, 16, 8, 4, 2, 1)).tolist())]).decode()


def from_graph6(line: str) -> Graph:
    """Return the graph of one line. Raises ValueError for a line that is not exactly one graph."""
    values = np.frombuffer(line.encode("latin-1"), dtype=np.uint8).astype(np.int64) - 63
    if not len(values) or values.min() < 0 or values.max() > 63:
        raise ValueError("it is empty, or holds a character that is not one of '?' to '~'")
    nodes, first = _nodes(values)
    bits = ((values[first:, None] >> np.arange(5, -1, -1)) & 1).ravel()
    count = nodes * (nodes - 1) // 2
    if len(bits) != -(-count // 6) * 6 or bits[count:].any():
        raise ValueError(f"{len(values) - first} characters of edges do not describe {nodes} nodes")
    v, u = np.tril_indices(nodes, -1)  # (0, 1), (0, 2), (1, 2), ...: column by column of the upper triangle
    present = bits[:count].astype(bool)
    return Graph(nodes, tuple(sorted(zip(u[present].tolist(), v[present].tolist(), strict=True))))


def _nodes(values: np.ndarray) -> tuple[int, int]:
    """Return the number of nodes, and how many characters hold it: 1 below 63, else 4, the first a `~`."""
    if values[0] < 63:
        return int(values[0]), 1
    if len(values) < 4 or values[1] == 63:
        raise ValueError("its number of nodes is cut short, or too large")
    nodes = int(values[1:4] @ (4096, 64, 1))
    if nodes > MOST_NODES:
        raise ValueError(f"{nodes} nodes; at most {MOST_NODES} can be compared")
    return nodes, 4
