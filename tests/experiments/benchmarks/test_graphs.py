"""T7 to T9: packed graphs against padded ones, their arithmetic and memory, and the metrics of graphs."""

import numpy as np
import pytest
import torch

from experiments.benchmarks import graphs
from experiments.graphs import graph_layout
from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import published_mmd
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership
from experiments.graphs.statistics import CLUSTER, STATISTICS
from experiments.graphs.systems import scores
from tests.claims import verdict_of
from tests.experiments.benchmarks.tools import SMALL, flips
from verdicts.claims.schema import Verdict


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
    outputs = layout.pad_rows(packed[0](x, a, level), side), layout.pad_pairs(packed[1](a, x, level), side)
    expected = other[0](wide, square, level), other[1](square, wide, level)
    for output, wanted in zip(outputs, expected, strict=True):
        assert (output - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize(("name", "bound"), [("community_small", 1.6), ("ego_small", 3.5), ("ENZYMES", 12.0)])
def test_a_slower_packing_breaks_t7(name: str, bound: float, authors_files: None, monkeypatch) -> None:
    """Falsifier of T7: a clock by which a padded run costs less than the bound."""
    assert flips(f"T7.{name}", monkeypatch, 0.9 * bound, 1.1 * bound)


def test_waste_breaks_t8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of T8: a run that costs three times its arithmetic, norms that allocate for all pairs of graphs, and
    evaluations without blocks."""
    assert flips("T8.arithmetic", monkeypatch, 3.0, 1.5)
    wide = SMALL.model_copy(update={"graph_batches": {"community_small": 16}})
    assert verdict_of("T8", "T8.memory", wide) is verdict_of("T8", "T8.evaluation", wide) is Verdict.HOLDS
    with monkeypatch.context() as patch:
        plain = Ownership.norms
        patch.setattr(Ownership, "norms", lambda own, v: torch.zeros(own.graphs, own.graphs, 99).sum() + plain(own, v))
        assert verdict_of("T8", "T8.memory", wide) is Verdict.REFUTED
    monkeypatch.setattr(graph_layout, "BLOCK_LIMIT", 10**9)
    monkeypatch.setattr(graph_layout, "BLOCK_COST", 10**9)
    assert verdict_of("T8", "T8.evaluation", wide) is Verdict.REFUTED


def test_arithmetic_is_that_of_the_networks() -> None:
    """Each product and activation is recorded once: networks of three and five layers, evaluated twice a step."""
    counts = []
    for kinds in (graphs.PRODUCTS, graphs.ACTIVATIONS):
        recorded = graphs.RecordedOperations(kinds)
        run = graphs.packed_run(graphs.own_problem(1, SMALL))
        with recorded:
            run()
        recorded.replay()
        counts.append(len(recorded.calls))
    convolutions, layers, final = 3, 5, 3
    features = 2 * convolutions + final, convolutions + final - 1
    attention = 4 * layers - 1  # A x, values (not in the last layer), queries with keys, scores
    adjacency = 1 + attention + 2 * layers + 2 * (layers - 1) + final, 3 * layers - 1 + layers - 1 + final - 1
    assert counts == [2 * (one + other) for one, other in zip(features, adjacency, strict=True)]


def test_slower_metrics_break_t9(monkeypatch):
    """Falsifier of T9: a clock by which 1/32 of the pairwise work takes 3 times as long as all four metrics."""
    assert flips("T9.time", monkeypatch, 3.0, 3.2)


def test_the_timed_metrics_are_the_published_ones():
    drawn = community_small(24, seed=0)
    expected = [published_mmd(one.kernel(drawn), 12, seed=0).value for one in STATISTICS]
    assert graphs.metrics(drawn[:12], drawn[12:]) == pytest.approx(expected, abs=1e-12)


def test_parts_of_the_pairwise_work_sum_to_the_kernel():
    """All 32 parts of one row each sum to the kernel of all pairs at width 1, with distances in bins."""
    drawn = community_small(32, seed=0)
    histograms = np.diff(CLUSTER.describe(drawn), axis=1, prepend=0.0).clip(0.0)
    total = sum(graphs.kernel_sum(np.roll(histograms, shift, axis=0), histograms) for shift in range(32))
    assert total == pytest.approx(CLUSTER._replace(width=1.0, scale=1.0).kernel(drawn).sum(), rel=1e-9)
