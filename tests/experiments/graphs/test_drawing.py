"""Where nodes of drawn graphs lie: by edges alone, components apart, to one scale."""

import numpy as np
import pytest

from ams.data import Graph
from experiments.graphs.data import community_small
from experiments.graphs.drawing import GAP, box_corners, node_positions

TRIANGLE = ((0, 1), (0, 2), (1, 2))


def lengths(graph: Graph) -> np.ndarray:
    positions, ends = node_positions(graph), np.array(graph.edges)
    return np.linalg.norm(positions[ends[:, 0]] - positions[ends[:, 1]], axis=1)


def test_edges_are_one_long_on_average() -> None:
    for graph in [Graph(3, TRIANGLE), *community_small(3, seed=0)]:
        assert lengths(graph).mean() == pytest.approx(1.0)
    assert lengths(Graph(3, TRIANGLE)) == pytest.approx(1.0, abs=1e-3)


def test_the_longest_axis_is_upwards() -> None:
    path = Graph(6, tuple((n, n + 1) for n in range(5)))
    across, along = np.ptp(node_positions(path), axis=0)
    assert along == pytest.approx(5.0, abs=0.1) and across < 0.1


def test_components_lie_apart_and_keep_their_scale() -> None:
    """Two triangles and an isolated node: each where no other is, a gap between their boxes, all centred on 0."""
    graph = Graph(7, (*TRIANGLE, *((u + 3, v + 3) for u, v in TRIANGLE)))
    positions = node_positions(graph)
    assert np.linalg.norm(positions[:3, None] - positions[None, 3:6], axis=2).min() > GAP - 0.01
    assert np.linalg.norm(positions[6] - positions[:6], axis=1).min() > GAP - 0.01
    assert lengths(graph) == pytest.approx(1.0, abs=1e-3)
    assert positions.max(0) + positions.min(0) == pytest.approx(0.0, abs=1e-12)


def test_places_are_the_same_at_every_call() -> None:
    (graph,) = community_small(1, seed=4)
    assert np.array_equal(node_positions(graph), node_positions(graph))


def test_a_graph_of_one_node_has_a_place() -> None:
    assert node_positions(Graph(1, ())).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("seed", range(5))
def test_boxes_do_not_touch(seed: int) -> None:
    sizes = np.random.default_rng(seed).uniform(0, 4, (6, 2))
    corners = np.array(box_corners(list(sizes)))
    for one in range(6):
        for other in range(one):
            apart = np.maximum(corners[one] - corners[other] - sizes[other], corners[other] - corners[one] - sizes[one])
            assert apart.max() > GAP - 1e-9
