"""T7, T9 and T10: one result by two formulations, of networks, of graphs in a batch and of
their metrics.

A sampler's own part of the time around a network stands beside them.
"""

import itertools

import numpy as np
import pytest
import torch

from experiments.benchmarks import costs, graphs, networks
from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import published_mmd
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.graphs.statistics import CLUSTER, STATISTICS
from experiments.graphs.systems import scores
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL, flips
from verdicts.claims.schema import Verdict

CHECKS = ("annealed", "corrector", "annealed_all", "corrector_all")
HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


def normal_score(x, level):
    """Return the score of a standard normal distribution with the level's noise."""
    return -x / (1 + level.sigma**2)


def test_both_formulations_make_equal_samples():
    """Eleven evaluations in float32 differ by rounding, 1e-5 of the start's 10."""
    theirs, ours = (
        networks.theirs(SMALL, normal_score),
        networks.ours(SMALL, "PC, adaptive", normal_score),
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not torch.equal(ours, networks.start(SMALL)[0])


@pytest.fixture
def set_shares(monkeypatch):
    """Let evaluations take a second and draws `draw` seconds; runs in turn take these shares
    outside the network.
    """

    class Network:
        score = staticmethod(normal_score)

    def set_shares(*shares, draw=0.0):
        evaluations, turns = 0, itertools.cycle(shares)

        def call(timed, *arguments):
            nonlocal evaluations
            evaluations += len(arguments) == 2
            timed.seconds += 1.0 if len(arguments) == 2 else draw
            return timed.function(*arguments)

        def cpu_seconds(work):
            nonlocal evaluations
            evaluations = 0
            work()
            return (1 + next(turns)) * evaluations

        monkeypatch.setattr(networks.Timed, "__call__", call)
        monkeypatch.setattr(costs, "cpu_seconds", cpu_seconds)

    monkeypatch.setattr(networks, "mnist_ve", Network)
    return set_shares


@pytest.mark.parametrize(
    ("share", "draw", "verdicts"),
    [
        (0.03, 0.0, [REFUTED] * 4),
        (0.015, 0.0, [REFUTED] * 2 + [HOLDS] * 2),
        (0.015, 0.008, [HOLDS] * 4),
    ],
)
def test_the_overhead_is_what_is_not_the_networks(set_shares, share, draw, verdicts):
    """Falsifier of T10: a sampler that adds 3 % (or 1.5 %) to the network's time."""
    set_shares(share, draw=draw)
    assert [verdict_of("T10", check, SMALL) for check in CHECKS] == verdicts


@pytest.mark.parametrize(
    ("theirs", "ours", "verdict"), [(0.005, 0.05, REFUTED), (0.01, 0.005, HOLDS)]
)
def test_throughput_is_compared_with_the_authors_formulation(set_shares, theirs, ours, verdict):
    """Falsifier of T10: an authors' formulation that takes less time than ours."""
    set_shares(theirs, ours)
    assert verdict_of("T10", "throughput", SMALL) is verdict


@pytest.mark.parametrize("name", ["community_small", "ego_small", "ENZYMES"])
def test_both_formulations_have_equal_scores(name: str, authors_files: None) -> None:
    """Float32 sums differ in their last digits: 1e-5 of the largest value."""
    problem, side = graphs.published_problem(name, 3, 2, 1), PUBLISHED[name].largest
    layout, generator = Layout.of(problem.sizes), torch.Generator().manual_seed(0)
    x = torch.randn(layout.nodes, problem.setting.features, generator=generator)
    a = torch.randn(layout.pairs, generator=generator)
    real = (torch.arange(side) < torch.tensor(problem.sizes)[:, None]).float()
    level = problem.setting.pair.features.levels(5, 0.1)[2]
    packed = scores(problem.networks, problem.setting.pair, layout)
    other = graphs.padded_scores(problem.setting, real)
    wide, square = layout.pad_rows(x, side), layout.pad_pairs(a, side)
    outputs = (
        layout.pad_rows(packed[0](x, a, level), side),
        layout.pad_pairs(packed[1](a, x, level), side),
    )
    expected = other[0](wide, square, level), other[1](square, wide, level)
    for output, wanted in zip(outputs, expected, strict=True):
        assert (output - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize(
    ("name", "bound"), [("community_small", 1.6), ("ego_small", 3.5), ("ENZYMES", 12.0)]
)
def test_a_slower_packing_breaks_t7(
    name: str, bound: float, authors_files: None, monkeypatch
) -> None:
    """Falsifier of T7: a clock by which a padded run costs less than the bound."""
    assert flips(f"T7.{name}", monkeypatch, 0.9 * bound, 1.1 * bound)


def test_slower_metrics_break_t9(monkeypatch):
    """Falsifier of T9: a clock by which 1/32 of the pairwise work takes 3 times as long as all four
    metrics.
    """
    assert flips("T9.time", monkeypatch, 3.0, 3.2)


def test_the_timed_metrics_are_the_published_ones():
    drawn = community_small(24, seed=0)
    expected = [published_mmd(one.kernel(drawn), 12, seed=0).value for one in STATISTICS]
    assert graphs.metrics(drawn[:12], drawn[12:]) == pytest.approx(expected, abs=1e-12)


def test_parts_of_the_pairwise_work_sum_to_the_kernel():
    """All 32 parts of one row each sum to the kernel of all pairs at width 1, with distances in
    bins.
    """
    drawn = community_small(32, seed=0)
    histograms = np.diff(CLUSTER.describe(drawn), axis=1, prepend=0.0).clip(0.0)
    total = sum(
        graphs.kernel_sum(np.roll(histograms, shift, axis=0), histograms) for shift in range(32)
    )
    assert total == pytest.approx(
        CLUSTER._replace(width=1.0, scale=1.0).kernel(drawn).sum(), rel=1e-9
    )
