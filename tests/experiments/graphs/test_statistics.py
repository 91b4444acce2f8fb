"""Statistics and kernels by their definitions, discrepancies, intervals of few units."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.linalg import eigvalsh
from scipy.stats import wasserstein_distance

from ams.data import Graph
from ams.statistics import Interval, bootstrap_interval
from ams.statistics.bootstrap import combined
from experiments.graphs import statistics
from experiments.graphs.data import adjacency, community_small, to_networkx
from experiments.graphs.discrepancy import (
    difference,
    mean_kernel,
    mmd_estimate,
    published_mmd,
    unbiased_mmd,
)
from experiments.graphs.intervals import (
    QUANTILE,
    farthest,
    half_length,
    joint_quantile,
    lengthened,
    smallest_seen,
    stretched,
)
from experiments.graphs.molecules.nspdk import Molecule, nspdk_kernel
from experiments.graphs.orbits import ORBITS, orbit_counts
from experiments.graphs.statistics import CLUSTER, DEGREE, ORBIT, PUBLISHED, SPECTRAL, STATISTICS
from tests.experiments.graphs.made import disturbed, graphs, random_graph, relabelled

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
    assert (
        set(counts[:, 14]) == {299 * 298 * 297 / 6} and not counts[:, [1, 2, *range(4, 14)]].any()
    )


MIXED = [
    random_graph(nodes, density, seed)
    for seed, (nodes, density) in enumerate([(9, 0.3), (7, 0.8), (1, 0), (9, 1)])
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
    ("statistic", "width", "scale"),
    [(DEGREE, 1.0, 1.0), (CLUSTER, 0.1, 0.01), (SPECTRAL, 1.0, 1.0)],
)
def test_kernels_of_histograms_are_the_published_ones(statistic, width, scale):
    kernel = statistic.kernel(MIXED)
    expected = [
        [transported(statistic.name, one, other, width, scale) for other in MIXED] for one in MIXED
    ]
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-12)


def test_the_orbit_kernel_is_the_published_one():
    means = np.array([looked_at(graph).mean(0) for graph in MIXED])
    distances = np.linalg.norm(means[:, None] - means, axis=2)
    np.testing.assert_allclose(
        ORBIT.kernel(MIXED), np.exp(-(distances**2) / (2 * 30.0**2)), rtol=0, atol=1e-12
    )


def test_graphs_are_described_in_their_order_whatever_is_counted_at_once(monkeypatch):
    listed = [random_graph(nodes, 0.5, seed) for seed, nodes in enumerate([6, 9, 6, 9, 9, 6])]
    whole = [statistic.describe(listed) for statistic in STATISTICS]
    monkeypatch.setattr(statistics, "_ENTRIES", 1)
    for statistic, described in zip(STATISTICS, whole, strict=True):
        np.testing.assert_array_equal(statistic.describe(listed), described)
        alone = statistic.kernel([listed[1], listed[4]])
        assert alone[0, 1] == pytest.approx(statistic.kernel(listed)[1, 4], abs=1e-12)


ETHANOL = Molecule(("C", "C", "O"), ((0, 1, 1), (1, 2, 1)))
ETHANAL = Molecule(("C", "C", "O"), ((0, 1, 1), (1, 2, 2)))
METHANE, WATER = Molecule(("C",), ()), Molecule(("O",), ())
BENZENE = Molecule(("C",) * 6, ((0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (4, 5, 1), (0, 5, 1)))


def test_it_is_a_kernel_of_graphs_not_of_their_numbering():
    turned = Molecule(("O", "C", "C"), ((2, 1, 1), (0, 1, 1)))
    k = nspdk_kernel([ETHANOL, turned, ETHANAL, BENZENE])
    np.testing.assert_allclose(np.diagonal(k), 1.0, rtol=1e-12)
    assert k[0, 1] == pytest.approx(1.0, rel=1e-12) and k[0, 2] < 0.9
    assert np.linalg.eigvalsh(k).min() > -1e-12


def test_fragments_do_not_see_each_other():
    """Two separate methanes have the features of one, twice as often: the same vector."""
    pair = Molecule(("C", "C"), ())
    assert nspdk_kernel([pair, METHANE])[0, 1] == pytest.approx(1.0, rel=1e-12)


def test_a_long_chain_is_seen_as_far_as_four_bonds():
    """A change six bonds away from every atom of one end leaves that end's features alone: the
    kernel stays below 1.
    """
    chain = Molecule(("C",) * 14, tuple((u, u + 1, 1) for u in range(13)))
    tail = Molecule(("C",) * 13 + ("O",), chain.bonds)
    longer = Molecule(("C",) * 15, tuple((u, u + 1, 1) for u in range(14)))
    k = nspdk_kernel([chain, tail, longer])
    assert k[0, 2] > k[0, 1] > 0.5


def test_values_of_eden():
    """EDeN 0.3.1350, complexity 4, with 60 bits for its hashes (none collides): recorded, to
    1e-12.
    """
    k = nspdk_kernel([ETHANOL, ETHANAL, BENZENE])
    assert (k[0, 1], k[0, 2], k[1, 2]) == pytest.approx(
        (0.44642857142857134, 0.08443869154703594, 0.08443869154703594), rel=1e-12
    )


REAL = community_small(120, seed=1)
REFERENCE, OTHERS = REAL[:40], REAL[40:]
NEAR_AND_FAR = tuple(disturbed(OTHERS, share, seed=0) for share in (0.01, 0.1))


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda one: one.name)
def test_equal_sets_have_none_and_names_of_nodes_do_not_matter(statistic):
    renamed = [relabelled(graph, seed) for seed, graph in enumerate(REFERENCE)]
    for same in (REFERENCE, renamed, REFERENCE[::-1]):
        result = published_mmd(statistic.kernel([*REFERENCE, *same]), 40, seed=0)
        assert result.value == pytest.approx(0.0, abs=1e-12) and result.low == 0.0


def test_the_published_value_is_the_biased_estimate():
    k, n = DEGREE.kernel(REAL), len(REFERENCE)
    published, unbiased = published_mmd(k, n, seed=0), unbiased_mmd(k, n, seed=0)
    assert published.value == pytest.approx(
        k[:n, :n].mean() + k[n:, n:].mean() - 2 * k[:n, n:].mean(), rel=1e-9
    )
    assert published.low <= published.value <= published.high
    assert unbiased.low <= 0.0 <= unbiased.high  # of one distribution
    assert published.high - published.value == pytest.approx(
        unbiased.high - unbiased.value, rel=1e-9
    )


def test_the_mean_kernel_gives_the_mean_of_the_discrepancies():
    parts = [unbiased_mmd(one.kernel(REAL), 40, seed=0).value for one in PUBLISHED]
    assert unbiased_mmd(mean_kernel(PUBLISHED, REAL), 40, seed=0).value == pytest.approx(
        np.mean(parts), abs=1e-12
    )


def test_a_difference_that_is_there_is_resolved_and_has_its_sign():
    near, far = (disturbed(OTHERS, share, seed=0) for share in (0.0, 0.1))
    result = difference(REFERENCE, [near[:40], near[40:]], [far[:40], far[40:]], seed=0)
    assert result.resolved and result.interval.low > 0 and result.interval.n == 40
    assert len(result.seeds) == 2 and min(result.seeds) > 0
    swapped = difference(REFERENCE, [far[:40], far[40:]], [near[:40], near[40:]], seed=0)
    assert swapped.resolved and swapped.interval.value == pytest.approx(
        -result.interval.value, abs=1e-12
    )


def test_the_same_graphs_do_not_differ_and_paired_noise_helps():
    same = difference(REFERENCE, [OTHERS], [OTHERS], seed=0)
    assert (
        same.interval.value == 0.0
        and same.smallest == pytest.approx(0.0, abs=1e-12)
        and not same.resolved
    )
    near, far = (disturbed(OTHERS, share, seed=0) for share in (0.03, 0.05))
    paired, shuffled = (
        difference(REFERENCE, [near], [other], seed=0) for other in (far, far[40:] + far[:40])
    )
    assert paired.smallest < shuffled.smallest


def test_a_difference_of_estimates_is_that_of_the_pair() -> None:
    """With common resamples, batch by batch, and lengthened alike."""
    kernels = [DEGREE.kernel([*REFERENCE, *listed]) for listed in NEAR_AND_FAR]
    near, far = (lengthened(mmd_estimate(k, len(REFERENCE), 0, together=8)) for k in kernels)
    of_pair = difference(
        REFERENCE, *([listed] for listed in NEAR_AND_FAR), 0, (DEGREE,), together=8
    ).interval
    assert combined(np.subtract, far, near).interval() == pytest.approx(
        stretched(of_pair), abs=1e-12
    )


def test_part_of_a_batch_is_refused():
    with pytest.raises(ValueError, match="40 observations are no whole number of units of 3"):
        mmd_estimate(DEGREE.kernel([*REFERENCE, *OTHERS[:40]]), len(REFERENCE), 0, together=3)
    with pytest.raises(ValueError, match=r"\[9\] graphs are no whole numbers of batches of 2"):
        difference(REFERENCE, [OTHERS[:9]], [OTHERS[:9]], seed=0, together=2)


def test_a_stretched_interval_of_four_units_covers_as_stated() -> None:
    """400 bootstrap intervals of the mean of 4 normal values: 99 % hold 0 (at least .96: four
    standard errors less).

    Without the stretch about 84 % do.
    """
    generator, held = np.random.default_rng(0), np.zeros(2)
    for _ in range(400):
        x = generator.normal(size=4)
        found = bootstrap_interval(
            lambda w, x=x: w @ x / w.sum(1), [[[i] for i in range(4)]], 1, resamples=500
        )
        held += [one.low <= 0 <= one.high for one in (found, stretched(found))]
    assert held[0] / 400 < 0.93 and held[1] / 400 > 0.96


def test_the_farthest_of_three_differences_is_within_its_joint_interval() -> None:
    """10,000 triples of normal estimates: the interval holds the largest true difference in 99 %,
    and 0 as often.

    A difference of `smallest_seen` is told from 0 in 99 %. Each share is known to five standard
    errors.
    """
    generator, slack = np.random.default_rng(0), 5 * np.sqrt(0.01 * 0.99 / 10_000)
    for truth, seen in (
        ([0.0, 0.0, 0.0], False),
        ([1.0, 2.0, 2.0], False),
        ([0.0, 0.0, smallest_seen(3)], True),
    ):
        found = [
            farthest(np.abs(row + truth).tolist(), 9) for row in generator.normal(size=(10_000, 3))
        ]
        assert np.mean([one.low <= max(truth) <= one.high for one in found]) >= 0.99 - slack
        if seen:
            assert np.mean([one.low > 0 for one in found]) == pytest.approx(0.99, abs=slack)
    assert joint_quantile(1) == pytest.approx(QUANTILE) and farthest([1.0, 9.0], 4).n == 4


def test_half_a_length_has_the_interval_of_a_spread() -> None:
    """2000 intervals of 48 normal units: 99 % hold the true half length (to five standard
    errors).
    """
    x = np.random.default_rng(0).normal(size=(2000, 48))
    halves = QUANTILE * x.std(1, ddof=1)
    found = [half_length(Interval(0.0, -half, half, 48)) for half in halves.tolist()]
    held = np.mean([one.low <= QUANTILE <= one.high for one in found])
    assert held == pytest.approx(0.99, abs=5 * np.sqrt(0.01 * 0.99 / 2000))
