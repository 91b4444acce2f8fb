"""Graphs of our own and the authors' lists; the ragged layout, where nothing is lost; where nodes
are drawn.
"""

from collections import Counter
from itertools import chain, combinations, pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import stats

from ams.data import Graph
from ams.statistics import SUITE_FALSE_ALARM
from experiments.graphs import graph_layout as module
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
from experiments.graphs.drawing import GAP, node_positions
from experiments.graphs.graph_layout import Layout
from tests.experiments.graphs.made import graphs, random_graph
from tests.monte_carlo import MonteCarlo

SHARE = 0.005  # of the false-alarm budget, of each Monte Carlo test here


def bridges(graph: Graph) -> tuple[tuple[int, int], ...]:
    return tuple(edge for edge in graph.edges if edge[0] < graph.nodes // 2 <= edge[1])


def has_the_two_communities(graph: Graph) -> bool:
    """Tell whether the halves are the two graphs of the authors' fixed seeds, with a bridge between
    them.
    """
    half = graph.nodes // 2
    halves = [nx.gnp_random_graph(half, 0.7, seed=index).edges for index in range(2)]
    fixed = {
        (index * half + u, index * half + v) for index, edges in enumerate(halves) for u, v in edges
    }
    return set(graph.edges) - set(bridges(graph)) == fixed and bool(bridges(graph))


def test_a_community_graph_is_two_fixed_graphs_and_bridges():
    listed = community_small(200, seed=0)
    assert all(has_the_two_communities(graph) for graph in listed)
    assert all(nx.is_connected(to_networkx(graph)) for graph in listed)
    assert not has_the_two_communities(random_graph(16, 0.5, seed=0))


@pytest.mark.monte_carlo(share=SHARE)
def test_sizes_and_bridges_have_the_published_distribution(monte_carlo: MonteCarlo):
    """Exact binomial tests: 12 to 18 nodes have probability 2/9 each, 20 nodes 1/9; how often 20
    nodes have one bridge.

    Seen with probability 0.97 at least: a size of probability off by 0.05, single bridges by 0.17
    (a chance doubled: by 0.33).
    """
    listed = community_small(4000, monte_carlo.seed)
    false_alarm = monte_carlo.share * SUITE_FALSE_ALARM / 6
    seen = Counter(graph.nodes for graph in listed)
    assert seen.keys() == {12, 14, 16, 18, 20}
    for nodes in seen:
        assert (
            stats.binomtest(seen[nodes], 4000, (1 if nodes == 20 else 2) / 9).pvalue > false_alarm
        )
    largest = [len(bridges(graph)) for graph in listed if graph.nodes == 20]
    single = stats.binom.pmf(
        [0, 1], 100, 0.01
    ).sum()  # none is drawn, and then one is put; or one is drawn
    assert stats.binomtest(largest.count(1), len(largest), single).pvalue > false_alarm


def test_the_authors_list_is_of_our_distribution(authors_files):
    listed = published("community_small")
    graphs = [*listed.test, *listed.train]
    assert (len(listed.test), len(graphs)) == (20, 100)
    assert all(has_the_two_communities(graph) for graph in graphs)


@pytest.mark.monte_carlo(share=SHARE)
def test_sizes_are_those_of_training_graphs(monte_carlo: MonteCarlo):
    """An exact binomial test: of 400 draws a probability off by 0.18 is seen with probability
    0.98.
    """
    train = [Graph(3, ()), Graph(5, ())]
    drawn = sizes(train, 400, monte_carlo.seed)
    assert stats.binomtest(drawn.count(3), 400, 0.5).pvalue > monte_carlo.share * SUITE_FALSE_ALARM
    assert set(drawn) == {3, 5}


def test_adjacency_has_the_published_threshold():
    matrices = torch.full((2, 4, 4), 0.49)
    matrices[0, 0, 2] = matrices[0, 2, 0] = 0.5
    matrices[:, 1, 1] = 3.0  # a loop is no edge
    assert thresholded(matrices, [4, 3]) == [Graph(4, ((0, 2),)), Graph(3, ())]


@given(graph=graphs | st.builds(random_graph, st.just(100), st.just(0.1), st.integers(0, 9)))
@settings(max_examples=60, deadline=None)
def test_a_graph_goes_through_graph6_unchanged(graph):
    assert from_graph6(to_graph6(graph)) == graph


def test_isolated_nodes_are_dropped_and_something_is_left():
    assert trimmed(Graph(5, ((1, 3), (3, 4)))) == Graph(3, ((0, 1), (1, 2)))
    assert trimmed(Graph(3, ())) == trimmed(Graph(0, ())) == Graph(1, ())
    np.testing.assert_array_equal(adjacency(Graph(1, ())), [[0.0]])


SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=8)
few = settings(deadline=None, max_examples=30)


@given(sizes=SIZES, more=st.integers(0, 3))
@few
def test_padded_and_back(sizes: list[int], more: int) -> None:
    layout, side = Layout.of(sizes), max(sizes) + more
    rows, pairs = torch.randn(layout.nodes, 2), torch.randn(layout.pairs)
    wide, square = layout.pad_rows(rows, side), layout.pad_pairs(pairs, side)
    assert torch.equal(layout.pack_rows(wide), rows) and torch.equal(
        layout.pack_pairs(square), pairs
    )
    assert torch.equal(square, square.mT) and not square.diagonal(dim1=1, dim2=2).any()
    for number, n in enumerate(sizes):
        assert (
            not wide[number, n:].any()
            and not square[number, n:].any()
            and not square[number, :, n:].any()
        )
        assert wide[number, :n].all() and square[number].count_nonzero() == n * (n - 1)


def cost(sizes: list[int], cuts: tuple[int, ...]) -> int:
    return sum((j - i) * sizes[j - 1] ** 2 + module.BLOCK_COST for i, j in pairwise(cuts))


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=9).map(sorted),
    price=st.integers(0, 300),
)
@few
def test_no_cutting_is_cheaper(sizes: list[int], price: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_COST", price)
        inner = range(1, len(sizes))
        every = chain.from_iterable(combinations(inner, count) for count in range(len(sizes)))
        best = min(cost(sizes, (0, *cuts, len(sizes))) for cuts in every)
        assert cost(sizes, tuple(module._cuts(sizes))) == best


def test_a_block_fits_the_cache_unless_it_is_one_graph() -> None:
    layout = Layout.of([30] * 40 + [200, 201] + [5] * 900)
    assert sum(block.graphs for block in layout.blocks) == 942
    assert all(
        block.graphs * block.side**2 <= module.BLOCK_LIMIT
        for block in layout.blocks
        if block.graphs > 1
    )
    assert [block.side for block in layout.blocks if block.graphs == 1] == [200, 201]


@pytest.mark.parametrize("sizes", [[], [3, 0], [-1]])
def test_no_graph_or_an_empty_one_is_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one node each"):
        Layout.of(sizes)


TRIANGLE = ((0, 1), (0, 2), (1, 2))


def lengths(graph: Graph) -> np.ndarray:
    positions, ends = node_positions(graph), np.array(graph.edges)
    return np.linalg.norm(positions[ends[:, 0]] - positions[ends[:, 1]], axis=1)


def test_edges_are_one_long_on_average() -> None:
    for graph in [Graph(3, TRIANGLE), *community_small(3, seed=0)]:
        assert lengths(graph).mean() == pytest.approx(1.0)
    assert lengths(Graph(3, TRIANGLE)) == pytest.approx(1.0, abs=1e-3)


def test_components_lie_apart_and_keep_their_scale() -> None:
    """Two triangles and an isolated node: each where no other is, a gap between their boxes, all
    centred on 0.
    """
    graph = Graph(7, (*TRIANGLE, *((u + 3, v + 3) for u, v in TRIANGLE)))
    positions = node_positions(graph)
    assert np.linalg.norm(positions[:3, None] - positions[None, 3:6], axis=2).min() > GAP - 0.01
    assert np.linalg.norm(positions[6] - positions[:6], axis=1).min() > GAP - 0.01
    assert lengths(graph) == pytest.approx(1.0, abs=1e-3)
    assert positions.max(0) + positions.min(0) == pytest.approx(0.0, abs=1e-12)
