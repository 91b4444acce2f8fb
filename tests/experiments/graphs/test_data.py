"""Graphs of our own, the authors' lists, and the way from adjacency to graphs."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import stats

from ams.data import Graph
from ams.statistics import SUITE_FALSE_ALARM
from experiments.graphs.data import (
    adjacency,
    community_small,
    from_graph6,
    published,
    sizes,
    thresholded,
    to_graph6,
    to_networkx,
    trimmed,
)
from tests.experiments.graphs.strategies import graphs, random_graph
from tests.monte_carlo import MonteCarlo

SHARE = 0.005  # of the false-alarm budget, of each Monte Carlo test here


def bridges(graph: Graph) -> tuple[tuple[int, int], ...]:
    return tuple(edge for edge in graph.edges if edge[0] < graph.nodes // 2 <= edge[1])


def has_the_two_communities(graph: Graph) -> bool:
    """Tell whether the halves are the two graphs of the authors' fixed seeds, with a bridge between them."""
    half = graph.nodes // 2
    halves = [nx.gnp_random_graph(half, 0.7, seed=index).edges for index in range(2)]
    fixed = {(index * half + u, index * half + v) for index, edges in enumerate(halves) for u, v in edges}
    return set(graph.edges) - set(bridges(graph)) == fixed and bool(bridges(graph))


def test_a_community_graph_is_two_fixed_graphs_and_bridges():
    listed = community_small(200, seed=0)
    assert all(has_the_two_communities(graph) for graph in listed)
    assert all(nx.is_connected(to_networkx(graph)) for graph in listed)
    assert not has_the_two_communities(random_graph(16, 0.5, seed=0))


@pytest.mark.monte_carlo(share=SHARE)
def test_sizes_and_bridges_have_the_published_distribution(monte_carlo: MonteCarlo):
    """Exact binomial tests: 12 to 18 nodes have probability 2/9 each, 20 nodes 1/9; how often 20 nodes have one bridge.

    Seen with probability 0.97 at least: a size of probability off by 0.05, single bridges by 0.17 (a chance doubled: by
    0.33).
    """
    listed = community_small(4000, monte_carlo.seed)
    false_alarm = monte_carlo.share * SUITE_FALSE_ALARM / 6
    seen = Counter(graph.nodes for graph in listed)
    assert seen.keys() == {12, 14, 16, 18, 20}
    for nodes in seen:
        assert stats.binomtest(seen[nodes], 4000, (1 if nodes == 20 else 2) / 9).pvalue > false_alarm
    largest = [len(bridges(graph)) for graph in listed if graph.nodes == 20]
    single = stats.binom.pmf([0, 1], 100, 0.01).sum()  # none is drawn, and then one is put; or one is drawn
    assert stats.binomtest(largest.count(1), len(largest), single).pvalue > false_alarm


def test_the_authors_list_is_of_our_distribution(authors_files):
    listed = published("community_small")
    graphs = [*listed.test, *listed.train]
    assert (len(listed.test), len(graphs)) == (20, 100)
    assert all(has_the_two_communities(graph) for graph in graphs)


@pytest.mark.monte_carlo(share=SHARE)
def test_sizes_are_those_of_training_graphs(monte_carlo: MonteCarlo):
    """An exact binomial test: of 400 draws a probability off by 0.18 is seen with probability 0.98."""
    train = [Graph(3, ()), Graph(5, ())]
    drawn = sizes(train, 400, monte_carlo.seed)
    assert stats.binomtest(drawn.count(3), 400, 0.5).pvalue > monte_carlo.share * SUITE_FALSE_ALARM
    assert set(drawn) == {3, 5}


def test_adjacency_has_the_published_threshold():
    matrices = torch.full((2, 4, 4), 0.49)
    matrices[0, 0, 2] = matrices[0, 2, 0] = 0.5
    matrices[:, 1, 1] = 3.0  # a loop is no edge
    assert thresholded(matrices, [4, 3]) == [Graph(4, ((0, 2),)), Graph(3, ())]


def test_a_graph_goes_through_adjacency_unchanged():
    graph = trimmed(random_graph(10, 0.5, seed=0))
    assert thresholded(torch.from_numpy(adjacency(graph))[None], [graph.nodes]) == [graph]


@given(graph=graphs | st.builds(random_graph, st.just(100), st.just(0.1), st.integers(0, 9)))
@settings(max_examples=60, deadline=None)
def test_a_graph_goes_through_graph6_unchanged(graph):
    assert from_graph6(to_graph6(graph)) == graph


def test_isolated_nodes_are_dropped_and_something_is_left():
    assert trimmed(Graph(5, ((1, 3), (3, 4)))) == Graph(3, ((0, 1), (1, 2)))
    assert trimmed(Graph(3, ())) == trimmed(Graph(0, ())) == Graph(1, ())
    np.testing.assert_array_equal(adjacency(Graph(1, ())), [[0.0]])
