"""Orbit counts against the definition: every connected set of up to four nodes, looked at one by one."""

from itertools import combinations

import networkx as nx
import numpy as np
from hypothesis import given, settings

from ams.data import Graph
from experiments.graphs.data import adjacency, to_networkx
from experiments.graphs.orbits import ORBITS, orbit_counts
from tests.experiments.graphs.strategies import graphs

# By the sorted degrees of a connected graph of up to four nodes: the orbit of a node by its degree
PLACES = {
    (1, 1): {1: 0},
    (1, 1, 2): {1: 1, 2: 2},
    (2, 2, 2): {2: 3},
    (1, 1, 2, 2): {1: 4, 2: 5},
    (1, 1, 1, 3): {1: 6, 3: 7},
    (2, 2, 2, 2): {2: 8},
    (1, 2, 2, 3): {1: 9, 2: 10, 3: 11},
    (2, 2, 3, 3): {2: 12, 3: 13},
    (3, 3, 3, 3): {3: 14},
}


def looked_at(graph: Graph) -> np.ndarray:
    """Return the orbit counts by the definition."""
    whole, counts = to_networkx(graph), np.zeros((graph.nodes, ORBITS))
    for size in (2, 3, 4):
        for chosen in combinations(range(graph.nodes), size):
            part = whole.subgraph(chosen)
            if nx.is_connected(part):
                degrees = dict(part.degree)
                by_degree = PLACES[tuple(sorted(degrees.values()))]
                for node, degree in degrees.items():
                    counts[node, by_degree[degree]] += 1
    return counts


@given(graph=graphs)
@settings(max_examples=40, deadline=None)
def test_counts_are_those_of_the_definition(graph):
    np.testing.assert_array_equal(orbit_counts(adjacency(graph)[None])[0], looked_at(graph))


def test_large_counts_are_exact():
    """A complete graph of 300 nodes: C(299, 3) = 4,410,549 complete graphs of four at each."""
    counts = orbit_counts((np.ones((300, 300)) - np.eye(300))[None])[0]
    assert set(counts[:, 14]) == {299 * 298 * 297 / 6} and not counts[:, [1, 2, *range(4, 14)]].any()
