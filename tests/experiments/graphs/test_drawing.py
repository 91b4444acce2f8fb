"""Where nodes of drawn graphs lie: by edges alone, components apart, to one scale."""

import numpy as np
import pytest

from ams.data import Graph
from experiments.graphs.data import community_small
from experiments.graphs.drawing import GAP, node_positions

TRIANGLE = ((0, 1), (0, 2), (1, 2))


def lengths(graph: Graph) -> np.ndarray:
    positions, ends = node_positions(graph), np.array(graph.edges)
    return np.linalg.norm(positions[ends[:, 0]] - positions[ends[:, 1]], axis=1)


def test_edges_are_one_long_on_average() -> None:
    for graph in [Graph(3, TRIANGLE), *community_small(3, seed=0)]:
        assert lengths(graph).mean() == pytest.approx(1.0)
    assert lengths(Graph(3, TRIANGLE)) == pytest.approx(1.0, abs=1e-3)


def test_components_lie_apart_and_keep_their_scale() -> None:
    """Two triangles and an isolated node: each where no other is, a gap between their boxes, all centred on 0."""
    graph = Graph(7, (*TRIANGLE, *((u + 3, v + 3) for u, v in TRIANGLE)))
    positions = node_positions(graph)
    assert np.linalg.norm(positions[:3, None] - positions[None, 3:6], axis=2).min() > GAP - 0.01
    assert np.linalg.norm(positions[6] - positions[:6], axis=1).min() > GAP - 0.01
    assert lengths(graph) == pytest.approx(1.0, abs=1e-3)
    assert positions.max(0) + positions.min(0) == pytest.approx(0.0, abs=1e-12)
