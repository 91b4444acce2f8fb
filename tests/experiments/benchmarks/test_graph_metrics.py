import numpy as np
import pytest

from experiments.benchmarks.graph_metrics import checks as graph_metrics
from experiments.benchmarks.graph_metrics.settings import Settings
from experiments.graphs.data import community_small
from experiments.graphs.discrepancy import estimates
from experiments.graphs.statistics import CLUSTER, STATISTICS
from tests.experiments.benchmarks.tools import set_clock, verdict_at
from verdicts.claims.schema import Verdict

SMALL = Settings(graphs=32, pairs=8)


def test_slower_metrics_break_t9(monkeypatch):
    """Falsifier of T9: a clock by which 1/32 of the pairwise work takes 3 times as long as all four metrics."""
    assert verdict_at("T9.time", SMALL, monkeypatch, 3.0) is Verdict.REFUTED
    assert verdict_at("T9.time", SMALL, monkeypatch, 3.2) is Verdict.HOLDS


def test_the_ratio_is_scaled_to_all_of_the_pairwise_work(monkeypatch):
    set_clock(monkeypatch, 3.0, 1.0)
    assert graph_metrics.pairwise_time_over_metrics(SMALL).value == 3.0 * graph_metrics.PARTS


def test_the_timed_metrics_are_the_published_ones():
    graphs = community_small(24, seed=0)
    expected = [estimates(one, graphs[:12], graphs[12:], seed=0).value for one in STATISTICS]
    assert graph_metrics.metrics(graphs[:12], graphs[12:]) == pytest.approx(expected, abs=1e-12)


def test_parts_of_the_pairwise_work_sum_to_the_kernel():
    """All 32 parts of one row each sum to the kernel of all pairs at width 1, with distances in bins."""
    graphs = community_small(32, seed=0)
    histograms = np.diff(CLUSTER.describe(graphs), axis=1, prepend=0.0).clip(0.0)
    total = sum(graph_metrics.kernel_sum(np.roll(histograms, shift, axis=0), histograms) for shift in range(32))
    assert total == pytest.approx(CLUSTER._replace(width=1.0, scale=1.0).kernel(graphs).sum(), rel=1e-9)
