"""Graphs as graph6, a line of printable characters a graph (McKay, `formats.txt` of nauty)."""

import networkx as nx

from ams.data import Graph


def to_graph6(graph: Graph) -> str:
    """Return the line of a graph."""
    made = nx.empty_graph(graph.nodes)
    made.add_edges_from(graph.edges)
    return str(nx.to_graph6_bytes(made, header=False), "ascii").strip()


def from_graph6(line: str) -> Graph:
    """Return the graph of one line. Raises ValueError for a line of another length than its graph needs."""
    try:
        made = nx.from_graph6_bytes(line.encode("ascii"))
    except (nx.NetworkXError, IndexError) as error:
        raise ValueError(str(error)) from None
    return Graph(len(made), tuple(sorted((min(u, v), max(u, v)) for u, v in made.edges)))
