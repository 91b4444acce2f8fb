"""Random graphs for the tests of graphs."""

import numpy as np
from hypothesis import strategies as st

from ams.data import Graph


def random_graph(nodes: int, density: float, seed: int) -> Graph:
    """Return a graph whose pairs are edges independently, with probability `density`."""
    u, v = np.triu_indices(nodes, 1)
    present = np.random.default_rng(seed).random(len(u)) < density
    return Graph(nodes, tuple(sorted(zip(u[present].tolist(), v[present].tolist(), strict=True))))


def relabelled(graph: Graph, seed: int) -> Graph:
    """Return the graph with its nodes numbered in another order."""
    order = np.random.default_rng(seed).permutation(graph.nodes).tolist()
    return Graph(graph.nodes, tuple(sorted((*sorted((order[u], order[v])),) for u, v in graph.edges)))


graphs = st.builds(random_graph, st.integers(1, 12), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
"""Graphs of 1 to 12 nodes, of any density."""
