"""The statistics against networkx and SciPy's own earth mover's distance, graph by graph."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import eigvalsh
from scipy.stats import wasserstein_distance

from ams.data import Graph
from experiments.graphs import statistics
from experiments.graphs.data import to_networkx
from experiments.graphs.statistics import CLUSTER, DEGREE, ORBIT, SPECTRAL, STATISTICS
from tests.experiments.graphs.strategies import random_graph
from tests.experiments.graphs.test_orbits import looked_at

MIXED = [
    random_graph(nodes, density, seed) for seed, (nodes, density) in enumerate([(9, 0.3), (7, 0.8), (1, 0), (9, 1)])
]


def histogram(name: str, graph: Graph) -> np.ndarray:
    """Return the published histogram, by networkx."""
    made = to_networkx(graph)
    if name == "degree":
        return np.array(nx.degree_histogram(made))
    if name == "cluster":
        return np.histogram(list(nx.clustering(made).values()), bins=100, range=(0.0, 1.0))[0]
    eigenvalues = eigvalsh(nx.normalized_laplacian_matrix(made).todense())
    return np.histogram(eigenvalues, bins=200, range=(-1e-5, 2))[0]


def transported(name: str, one: Graph, other: Graph, width: float, scale: float) -> float:
    """Return the kernel by the earth mover's distance of two histograms."""
    first, second = histogram(name, one), histogram(name, other)
    distance = scale * wasserstein_distance(range(len(first)), range(len(second)), first, second)
    return float(np.exp(-(distance**2) / (2 * width**2)))


@pytest.mark.parametrize(
    ("statistic", "width", "scale"), [(DEGREE, 1.0, 1.0), (CLUSTER, 0.1, 0.01), (SPECTRAL, 1.0, 1.0)]
)
def test_kernels_of_histograms_are_the_published_ones(statistic, width, scale):
    kernel = statistic.kernel(MIXED)
    expected = [[transported(statistic.name, one, other, width, scale) for other in MIXED] for one in MIXED]
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-12)


def test_the_orbit_kernel_is_the_published_one():
    means = np.array([looked_at(graph).mean(0) for graph in MIXED])
    distances = np.linalg.norm(means[:, None] - means, axis=2)
    np.testing.assert_allclose(ORBIT.kernel(MIXED), np.exp(-(distances**2) / (2 * 30.0**2)), rtol=0, atol=1e-12)


def test_graphs_are_described_in_their_order_whatever_is_counted_at_once(monkeypatch):
    listed = [random_graph(nodes, 0.5, seed) for seed, nodes in enumerate([6, 9, 6, 9, 9, 6])]
    whole = [statistic.describe(listed) for statistic in STATISTICS]
    monkeypatch.setattr(statistics, "_ENTRIES", 1)
    for statistic, expected in zip(STATISTICS, whole, strict=True):
        np.testing.assert_array_equal(statistic.describe(listed), expected)
        alone = statistic.kernel([listed[1], listed[4]])
        assert alone[0, 1] == pytest.approx(statistic.kernel(listed)[1, 4], abs=1e-12)
